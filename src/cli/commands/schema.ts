import type { Command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';

export const schema: Command<object> = {
  name: 'schema',
  summary: 'print its JSON Schema, for editors',
  group: 'configuration',
  options: {},
  positionals: [],
  help: {
    lead: 'Print the JSON Schema of the configuration.',
    examples: ['headgate schema > headgate.schema.json'],
    notes: 'Editors use it when a file begins with:  # yaml-language-server: $schema=headgate.schema.json',
  },
  parse: () => ({}),
  run: async (_options, { stdout }) => {
    const { configJsonSchemaText } = await import('../../config/json-schema.ts');
    stdout.write(configJsonSchemaText());
    return exitCodes.ok;
  },
};
