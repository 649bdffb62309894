import type { Command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { commandHelp, mainHelp } from '../help.ts';
import { unknownCommand } from '../unknown-command.ts';

/** `null`: of the whole program. */
export interface HelpOptions {
  readonly topic: Command | null;
}

export const help: Command<HelpOptions> = {
  name: 'help',
  summary: 'more about a command: headgate help start',
  group: 'more',
  options: {},
  positionals: [{ name: 'COMMAND', completes: 'command' }],
  help: { lead: 'Tell more about a command.', examples: ['headgate help start', 'headgate start --help'] },
  parse: ({ positionals: [topic] }, { commands }) => {
    if (topic === undefined) return { topic: null };
    const found = commands.find(({ name }) => name === topic);
    if (found === undefined) throw unknownCommand(topic, commands);
    return { topic: found };
  },
  run: async ({ topic }, { stdout }) => {
    const { COMMANDS } = await import('../registry.ts'); // which lists this file too
    stdout.write(topic === null ? mainHelp(COMMANDS) : commandHelp(topic));
    return exitCodes.ok;
  },
};
