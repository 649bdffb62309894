import type { Command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Given } from '../options.ts';
import type { RouteQuestion } from '../route.ts';
import { CONFIG_OPTION, configPathOf, JSON_OPTION } from '../shared-options.ts';
import { UsageError } from '../usage-error.ts';

export interface RouteOptions extends RouteQuestion {
  readonly path: string;
}

const EXAMPLE = 'For example: headgate route GET https://shop.example/api/users/7';

export const route: Command<RouteOptions> = {
  name: 'route',
  summary: 'which route takes this request, and why?',
  group: 'configuration',
  options: {
    header: {
      value: 'FIELD',
      short: 'H',
      multiple: true,
      summary: 'a header field of the request; more than once for more',
    },
    explain: { summary: 'every route that came near, and what it wants' },
    ...CONFIG_OPTION,
    ...JSON_OPTION,
  },
  positionals: [{ name: 'METHOD' }, { name: 'URL' }],
  help: {
    lead: 'Tell which route takes a request, and with --explain why the others do not.',
    examples: [
      'headgate route https://shop.example/api/users/7',
      "headgate route POST https://shop.example/api/users -H 'X-Beta: on' --explain",
    ],
  },
  hint: EXAMPLE,
  parse: (given, { environment }) => ({
    ...requestOf(given),
    path: configPathOf(given, environment),
    json: given.on('json'),
    explain: given.on('explain'),
  }),
  run: async (options, io) => {
    const [{ withConfiguration }, { askRoute }] = await Promise.all([
      import('../with-configuration.ts'),
      import('../route.ts'),
    ]);
    return withConfiguration(options, io, (_loaded, { snapshot }) => {
      const { text, found } = askRoute(snapshot, options);
      io.stdout.write(text);
      return found ? exitCodes.ok : exitCodes.failure;
    });
  },
};

function requestOf(given: Given): { method: string; url: URL; headers: string[] } {
  const [method, text] = given.positionals.length === 1 ? ['GET', ...given.positionals] : given.positionals;
  if (method === undefined || text === undefined) throw new UsageError('“headgate route” needs a URL', EXAMPLE);
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new UsageError(`“${text}” is not a URL`, EXAMPLE);
  return { method, url, headers: given.all('header').flatMap(headerOf) };
}

function headerOf(text: string): string[] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new UsageError(`“${text}” is not a header field`, `For example: -H 'X-Beta: on'`);
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}
