import type { CheckOptions } from '../check.ts';
import type { Command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { CONFIG_OPTION, configPathOf, JSON_OPTION } from '../shared-options.ts';

export const routes: Command<CheckOptions> = {
  name: 'routes',
  summary: 'list the routes in the order they are tried',
  group: 'configuration',
  options: { ...CONFIG_OPTION, ...JSON_OPTION },
  positionals: [],
  help: {
    lead: 'List the routes in the order they are tried.',
    examples: ['headgate routes', 'headgate routes --json'],
  },
  parse: (given, { environment }) => ({ path: configPathOf(given, environment), json: given.on('json') }),
  run: async (options, io) => {
    const [{ withConfiguration }, { listRoutes }, { streamRows }] = await Promise.all([
      import('../with-configuration.ts'),
      import('../routes.ts'),
      import('../stream-rows.ts'),
    ]);
    return withConfiguration(options, io, ({ config }, { routes: rules }) => {
      io.stdout.write(listRoutes({ rules, streams: streamRows(config) }, options.json));
      return exitCodes.ok;
    });
  },
};
