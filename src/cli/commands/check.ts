import type { CheckOptions } from '../check.ts';
import type { Command } from '../command.ts';
import { CONFIG_OPTION, configPathOf, JSON_OPTION } from '../shared-options.ts';

export const check: Command<CheckOptions> = {
  name: 'check',
  summary: 'check a configuration: every mistake, with its line',
  group: 'configuration',
  options: { ...CONFIG_OPTION, ...JSON_OPTION },
  positionals: [],
  help: {
    lead: 'Check a configuration: all that start does, without starting. Exit code 78 when something is wrong.',
    examples: ['headgate check', 'headgate check -c gateway.yaml --json'],
  },
  parse: (given, { environment }) => ({ path: configPathOf(given, environment), json: given.on('json') }),
  run: async (options, io) => (await import('../with-configuration.ts')).checkConfiguration(options, io),
};
