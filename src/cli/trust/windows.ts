import { AUTHORITY_NAME } from '../../control/certificates/local-authority.ts';
import type { Machine, Step } from './machine.ts';
import type { Authority, TrustStore } from './store.ts';

/**
 * The store of the machine in an elevated prompt, else that of the person, where Windows asks before it adds a root. Edge, Chrome and
 * .NET use it, Firefox from 120 on too.
 */
export async function rootStore(machine: Machine, authority: Authority | null): Promise<TrustStore> {
  // Refused to everybody but an elevated administrator.
  const isElevated = (await machine.run(['net', 'session'])).code === 0;
  const scope = isElevated ? [] : ['-user'];
  const entries = entriesOf((await machine.run(['certutil', ...scope, '-store', 'Root'])).stdout, authority);
  return {
    id: 'system',
    label: isElevated ? 'Windows (this machine)' : 'Windows (this user)',
    trusted: authority !== null && entries.includes(authority.sha1),
    planTrust: (wanted) => {
      const step: Step = ['certutil', ...scope, '-addstore', '-f', 'Root', wanted.file];
      return { kind: 'steps', steps: [step], needsRoot: false };
    },
    planUntrust: () =>
      entries.length === 0
        ? { kind: 'nothing' }
        : {
            kind: 'steps',
            steps: entries.map((hash): Step => ['certutil', ...scope, '-delstore', 'Root', hash]),
            needsRoot: false,
          },
  };
}

/** SHA-1 of the authority itself, and of every other one of Headgate's name. Words are translated; rulers, names and digests are not. */
function entriesOf(listed: string, authority: Authority | null): string[] {
  return listed.split(/^=+.*=+\r?$/m).flatMap((certificate) => {
    const found = /\(sha1\):\s*([0-9a-f](?: ?[0-9a-f]){39})/i.exec(certificate)?.[1];
    const hash = found?.replaceAll(' ', '').toLowerCase();
    const isOurs = hash === authority?.sha1 || certificate.includes(`CN=${AUTHORITY_NAME}`);
    return hash !== undefined && isOurs ? [hash] : [];
  });
}
