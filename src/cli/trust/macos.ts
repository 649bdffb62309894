import { join } from 'node:path';
import { AUTHORITY_NAME } from '../../control/certificates/local-authority.ts';
import type { Machine, Step } from './machine.ts';
import type { Authority, TrustStore } from './store.ts';

/**
 * The keychain of the person at the machine, or as root that of the machine. Since macOS 11 the system itself asks for a
 * password before trust changes. Safari and Chrome use it, Firefox from 120 on too.
 */
export async function keychain(machine: Machine, authority: Authority | null): Promise<TrustStore> {
  const file = machine.isRoot
    ? '/Library/Keychains/System.keychain'
    : join(machine.home, 'Library/Keychains/login.keychain-db');
  const domain = machine.isRoot ? ['-d'] : [];
  const listed = (await machine.run(['security', 'find-certificate', '-a', '-Z', file])).stdout;
  const entries = entriesOf(listed, authority);
  return {
    id: 'system',
    label: `keychain (${file})`,
    trusted: authority !== null && entries.includes(authority.sha256),
    planTrust: (wanted) => {
      const step: Step = ['security', 'add-trusted-cert', ...domain, '-r', 'trustRoot', '-k', file, wanted.file];
      return { kind: 'steps', steps: [step], needsRoot: false };
    },
    planUntrust: () =>
      entries.length === 0
        ? { kind: 'nothing' }
        : {
            kind: 'steps',
            // -t: the trust settings go with the certificate.
            steps: entries.map(
              (hash): Step => ['security', 'delete-certificate', '-Z', hash.toUpperCase(), '-t', file],
            ),
            needsRoot: false,
          },
  };
}

/** SHA-256 of the authority itself, and of every other one of Headgate's name; each certificate begins with its digests. */
function entriesOf(listed: string, authority: Authority | null): string[] {
  return listed.split(/^(?=SHA-256 hash: )/m).flatMap((certificate) => {
    const hash = /^SHA-256 hash: ([0-9A-F]{64})$/im.exec(certificate)?.[1]?.toLowerCase();
    return hash !== undefined && (hash === authority?.sha256 || certificate.includes(AUTHORITY_NAME)) ? [hash] : [];
  });
}
