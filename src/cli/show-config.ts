import type { Loaded } from '../config/load.ts';
import { redacted, redactedYaml } from '../config/redacted.ts';
import type { Io } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/** `headgate config`: what the files say, all together, with every default; nothing secret. */
export function showConfig({ config }: Loaded, { json }: { readonly json: boolean }, { stdout }: Io): ExitCode {
  stdout.write(json ? `${JSON.stringify(redacted(config))}\n` : redactedYaml(config));
  return exitCodes.ok;
}
