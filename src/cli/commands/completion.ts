import type { Command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { UsageError } from '../usage-error.ts';

/** For which there is a script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export interface CompletionOptions {
  readonly shell: Shell;
}

const HINT = `There are ${SHELLS.join(', ')}, as in: headgate completion bash`;

export const completion: Command<CompletionOptions> = {
  name: 'completion',
  summary: 'completion script for bash, zsh or fish',
  group: 'more',
  options: {},
  positionals: [{ name: 'SHELL', completes: SHELLS }],
  help: {
    lead: `Print what makes a shell complete commands, options and files, and pools and endpoints of a running
gateway.`,
    examples: [
      'headgate completion bash > /etc/bash_completion.d/headgate',
      'headgate completion zsh > ~/.zfunc/_headgate',
      'headgate completion fish > ~/.config/fish/completions/headgate.fish',
    ],
    notes: 'For one session alone:  source <(headgate completion bash)',
  },
  hint: HINT,
  parse: ({ positionals: [name] }) => {
    const shell = SHELLS.find((candidate) => candidate === name);
    if (shell === undefined)
      throw new UsageError(name === undefined ? 'Which shell?' : `“${name}” is no known shell`, HINT);
    return { shell };
  },
  run: async ({ shell }, { stdout }) => {
    const { completionScript } = await import('../completion-script.ts');
    stdout.write(completionScript(shell));
    return exitCodes.ok;
  },
};
