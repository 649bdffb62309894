import { LocalAuthority } from '../control/certificates/local-authority.ts';
import type { Output } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { change } from './trust/change.ts';
import { localCa } from './trust/local-ca.ts';
import type { Machine } from './trust/machine.ts';
import { announcement, describeAuthority, exitCodeOf, results, writeJson } from './trust/report.ts';
import type { Authority } from './trust/store.ts';

export interface TrustOptions {
  /** Where the local CA is kept. */
  readonly directory: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

export interface TrustDependencies {
  readonly machine: Machine;
  readonly stdout: Output;
  readonly stderr: Output;
}

/**
 * `headgate trust`: lets the stores of this machine trust the local CA, which is made if there is none. Says what it will change
 * before it does; a second time it changes nothing. Resolves with the exit code: 77 when a store is left to root, 1 when one
 * failed or a program is missing.
 */
export async function trust(options: TrustOptions, { machine, stdout, stderr }: TrustDependencies): Promise<ExitCode> {
  const { directory, dryRun, json } = options;
  let authority = localCa(directory);
  if (authority === null && dryRun) {
    stderr.write(`headgate: There is no local CA in ${directory} yet; without --dry-run it is made first\n`);
    return exitCodes.ok;
  }
  if (authority === null && machine.sudoUser !== null) {
    // It would be root's, and the gateway could not read its key.
    stderr.write(`headgate: There is no local CA in ${directory} yet: run headgate trust without sudo first\n`);
    return exitCodes.failure;
  }
  authority ??= await made(directory, stderr);
  const reports = await change({
    machine,
    authority,
    wanted: 'trusted',
    dryRun,
    announce: (planned) => {
      if (!json) stdout.write(`The local CA\n${describeAuthority(authority)}\n${announcement(planned)}\n`);
    },
  });
  if (json) writeJson(stdout, { authority: facts(authority), dryRun, stores: reports });
  else stdout.write(results(reports, 'trusted'));
  return dryRun ? exitCodes.ok : exitCodeOf(reports);
}

async function made(directory: string, stderr: Output): Promise<Authority> {
  await new LocalAuthority({ directory, now: Date.now }).open();
  const authority = localCa(directory);
  if (authority === null) throw new Error(`The local CA in ${directory} is gone again`);
  stderr.write(`headgate: Made a local CA: ${authority.file}\n`);
  return authority;
}

function facts({ file, subject, sha256, validUntil }: Authority) {
  return { file, subject, sha256, validUntil };
}
