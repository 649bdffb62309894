import './cli/v8-flags.ts';
import { runCommandLine } from './cli/command-line.ts';

const { stdout, stderr, env: environment } = process;

// `headgate routes | head -1` closes its end of the pipe: nobody is left to write for, and nothing is wrong.
stdout.on('error', () => process.exit());
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
