import type { Command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';

export const version: Command<object> = {
  name: 'version',
  summary: 'print the version',
  group: 'more',
  options: {},
  positionals: [],
  help: { lead: 'Print the version.', examples: ['headgate version', 'headgate --version'] },
  parse: () => ({}),
  run: async (_options, { stdout }) => {
    const { version: text } = await import('../../version.ts');
    stdout.write(`${text}\n`);
    return exitCodes.ok;
  },
};
