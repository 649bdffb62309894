import type { Io, OptionSpecs } from './command.ts';
import type { Given } from './options.ts';
import { CERTS_OPTION, JSON_OPTION } from './shared-options.ts';
import type { TrustDependencies, TrustOptions } from './trust.ts';

/** What `trust` and `untrust` were given. */
export interface TrustArguments {
  /** Where the local CA is kept; `null` for where it usually is. */
  readonly certs: string | null;
  readonly dryRun: boolean;
  readonly json: boolean;
}

export const TRUST_OPTIONS = {
  'dry-run': { summary: 'show the commands, change nothing' },
  ...CERTS_OPTION,
  ...JSON_OPTION,
} as const satisfies OptionSpecs;

export function trustArgumentsOf(given: Given): TrustArguments {
  return { certs: given.text('certs') ?? null, dryRun: given.on('dry-run'), json: given.on('json') };
}

/** What both need of this machine. */
export async function onThisMachine(
  { certs, ...options }: TrustArguments,
  { stdout, stderr, environment }: Io,
): Promise<[TrustOptions, TrustDependencies]> {
  const { thisMachine } = await import('./trust/machine.ts');
  const machine = thisMachine(environment);
  const directory = await localCaDirectory(certs, { environment, home: machine.home });
  return [
    { ...options, directory },
    { machine, stdout, stderr },
  ];
}

/** Where the local CA is kept. */
export async function localCaDirectory(
  given: string | null,
  place: { readonly environment: Io['environment']; readonly home: string },
): Promise<string> {
  const { likelyCertificatesDirectory } = await import('./trust/local-ca.ts');
  return given ?? likelyCertificatesDirectory(place);
}
