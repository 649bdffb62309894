import type { CheckOptions } from '../check.ts';
import type { Command } from '../command.ts';
import { CONFIG_OPTION, configPathOf, JSON_OPTION } from '../shared-options.ts';
import type { ShowConfigOptions } from '../show-config.ts';

export const config: Command<CheckOptions & ShowConfigOptions> = {
  name: 'config',
  summary: 'show it as it is understood, with every default',
  group: 'configuration',
  options: {
    origin: { summary: 'where each value comes from: file and line, variable, or default' },
    ...CONFIG_OPTION,
    ...JSON_OPTION,
  },
  positionals: [],
  help: {
    lead: 'Show the configuration as it is understood: all files together, with every default.',
    examples: ['headgate config', 'headgate config --origin', 'headgate config --json -c gateway.yaml'],
    notes: `What \${…} stands for is not shown, nor what is secret. Defaults are shown where they mean nothing too.`,
  },
  parse: (given, { environment }) => ({
    path: configPathOf(given, environment),
    json: given.on('json'),
    origin: given.on('origin'),
  }),
  run: async (options, io) => {
    const [{ withConfiguration }, { showConfig }] = await Promise.all([
      import('../with-configuration.ts'),
      import('../show-config.ts'),
    ]);
    return withConfiguration(options, io, (loaded) => showConfig(loaded, options, io));
  },
};
