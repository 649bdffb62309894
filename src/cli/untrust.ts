import { type ExitCode, exitCodes } from './exit-codes.ts';
import { change } from './trust/change.ts';
import { localCa } from './trust/local-ca.ts';
import { announcement, exitCodeOf, results, writeJson } from './trust/report.ts';
import type { TrustDependencies, TrustOptions } from './trust.ts';

/**
 * `headgate untrust`: takes every local CA out of the stores of this machine that `headgate trust` has put there, also those whose
 * files are gone. The CA itself stays where it is. Exit codes as of `trust`.
 */
export async function untrust(options: TrustOptions, { machine, stdout }: TrustDependencies): Promise<ExitCode> {
  const { directory, dryRun, json } = options;
  const reports = await change({
    machine,
    authority: localCa(directory),
    wanted: 'not trusted',
    dryRun,
    announce: (planned) => {
      if (!json) stdout.write(announcement(planned));
    },
  });
  if (json) writeJson(stdout, { dryRun, stores: reports });
  else stdout.write(results(reports, 'not trusted'));
  return dryRun ? exitCodes.ok : exitCodeOf(reports);
}
