import './cli/v8-flags.ts';
import { runCommandLine } from './cli/command-line.ts';

const { stdin, stdout, stderr, env: environment } = process;

// `headgate routes | head -1` closes its end of the pipe: nobody is left to write for, and nothing is wrong.
stdout.on('error', () => process.exit());
// A gateway outlives the terminal that it was started from.
stderr.on('error', () => {});

process.exitCode = await runCommandLine(process.argv.slice(2), { stdin, stdout, stderr, environment });
