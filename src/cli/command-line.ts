import { parseArguments } from './arguments.ts';
import type { Io } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { UsageError } from './usage-error.ts';

const DENIED: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS']);
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Runs what the command line asks for to its end. Resolves with the exit code; rejects for bugs alone. */
export async function runCommandLine(argv: readonly string[], io: Io): Promise<number> {
  try {
    const { command, options } = parseArguments(argv, io.environment);
    return await command.run(options, io);
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr.write(error.render());
      return exitCodes.usage;
    }
    // A directory or a file that is not for us: the message of the file system names it.
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const isDenied = DENIED.has(code);
    if (!isDenied && !FULL.has(code)) throw error;
    io.stderr.write(`headgate: ${(error as Error).message}\n`);
    return isDenied ? exitCodes.noPermission : exitCodes.failure;
  }
}
