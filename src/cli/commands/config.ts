import type { CheckOptions } from '../check.ts';
import type { Command } from '../command.ts';
import { CONFIG_OPTION, configPathOf, JSON_OPTION } from '../shared-options.ts';

export const config: Command<CheckOptions> = {
  name: 'config',
  summary: 'show it as it is understood, with every default',
  group: 'configuration',
  options: { ...CONFIG_OPTION, ...JSON_OPTION },
  positionals: [],
  help: {
    lead: 'Show the configuration as it is understood: all files together, with every default.',
    examples: ['headgate config', 'headgate config -c gateway.yaml --json'],
  },
  parse: (given, { environment }) => ({ path: configPathOf(given, environment), json: given.on('json') }),
  run: async (options, io) => {
    const [{ withConfiguration }, { showConfig }] = await Promise.all([
      import('../with-configuration.ts'),
      import('../show-config.ts'),
    ]);
    return withConfiguration(options, io, (loaded) => showConfig(loaded, options, io));
  },
};
