import './cli/v8-flags.ts';
import { runCommandLine } from './cli/command-line.ts';
import { exitCodes } from './cli/exit-codes.ts';

const { stdout, stderr, env: environment } = process;

// `headgate routes | head -1` closes its end of the pipe: nobody is left to write for, and nothing is wrong.
stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit();
  // A full disk, say: what was asked for is not there.
  stderr.write(`headgate: Cannot write to standard output: ${code ?? message}\n`);
  process.exit(exitCodes.failure);
});
// A gateway outlives the terminal that it was started from.
stderr.on('error', () => {});

process.exitCode = await runCommandLine(process.argv.slice(2), {
  // Opened by whoever reads it.
  get stdin() {
    return process.stdin;
  },
  stdout,
  stderr,
  environment,
});
