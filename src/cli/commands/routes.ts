import type { CheckOptions } from '../check.ts';
import type { Command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import type { RoutesOptions } from '../routes.ts';
import { CONFIG_OPTION, configPathOf, JSON_OPTION } from '../shared-options.ts';

export const routes: Command<CheckOptions & RoutesOptions> = {
  name: 'routes',
  summary: 'list the routes in the order they are tried',
  group: 'configuration',
  options: {
    listener: { value: 'NAME', summary: 'only what this listener serves' },
    pool: { value: 'NAME', summary: 'only what leads to this pool', completes: 'pool' },
    host: { value: 'HOST', summary: 'only what may take requests for this host' },
    ...CONFIG_OPTION,
    ...JSON_OPTION,
  },
  positionals: [],
  help: {
    lead: 'List the routes in the order they are tried, with what they match, where they lead and where they are written.',
    examples: ['headgate routes', 'headgate routes --host shop.example --listener https', 'headgate routes --json'],
  },
  parse: (given, { environment }) => ({
    path: configPathOf(given, environment),
    json: given.on('json'),
    listener: given.text('listener') ?? null,
    pool: given.text('pool') ?? null,
    host: given.text('host')?.toLowerCase() ?? null,
  }),
  run: async (options, io) => {
    const [{ withConfiguration }, { listRoutes }] = await Promise.all([
      import('../with-configuration.ts'),
      import('../routes.ts'),
    ]);
    return withConfiguration(options, io, ({ config, origins }, { routes: rules }) => {
      io.stdout.write(listRoutes({ config, origins, rules }, options));
      return exitCodes.ok;
    });
  },
};
