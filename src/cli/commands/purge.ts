import { ADMIN_OPTIONS, type AdminPlace, placeOf } from '../admin-arguments.ts';
import type { Command } from '../command.ts';
import type { Given } from '../options.ts';
import { storedUrlOf } from '../stored-url.ts';
import { UsageError } from '../usage-error.ts';

export interface PurgeOptions {
  /** The body of `POST /cache/purge`. */
  readonly order: Readonly<Record<string, unknown>>;
  readonly place: AdminPlace;
  readonly json: boolean;
}

const EXAMPLE = 'For example: headgate purge https://shop.example/index.html, or headgate purge --tag product-7';

export const purge: Command<PurgeOptions> = {
  name: 'purge',
  summary: 'mark what it has stored as stale, or drop it',
  group: 'gateway',
  options: {
    prefix: { value: 'URL', summary: 'everything whose URL begins so' },
    host: { value: 'HOST', summary: 'everything of a host; with its port, only that' },
    tag: { value: 'TAG', multiple: true, summary: 'everything that has the tag; more than once for more' },
    all: { summary: 'everything' },
    hard: { summary: 'drop it; else it is stale: validated, or served where stale is good enough' },
    ...ADMIN_OPTIONS,
  },
  positionals: [{ name: 'URL' }],
  help: {
    lead: `Purge what a running gateway has stored: mark it stale, or drop it with --hard.
It holds at once, for answers on their way too.`,
    examples: [
      'headgate purge https://shop.example/index.html',
      'headgate purge --prefix https://shop.example/assets/',
      'headgate purge --tag product-7 --tag product-8',
      'headgate purge --host shop.example --hard',
      'headgate purge --all',
    ],
    notes: 'Exit codes: 69 when no gateway answers, 77 when the token is missing, 1 when it refuses.',
  },
  hint: EXAMPLE,
  parse: (given, { environment }) => ({
    order: orderOf(given, storedUrlOf('purge', given)),
    place: placeOf(given, environment),
    json: given.on('json'),
  }),
  run: async (options, io) => {
    const [{ accessTo }, { orderPurge }] = await Promise.all([import('../admin-access.ts'), import('../cache.ts')]);
    return orderPurge(options, accessTo(options.place, io), io);
  },
};

function orderOf(given: Given, url: string | null): Readonly<Record<string, unknown>> {
  const tags = given.all('tag');
  const wanted = {
    ...(url === null ? {} : { url }),
    ...ifGiven('prefix', given.text('prefix')),
    ...ifGiven('host', given.text('host')),
    ...(tags.length === 0 ? {} : { tags }),
    ...(given.on('all') ? { all: true } : {}),
  };
  const [first, second] = Object.keys(wanted);
  if (first === undefined) {
    throw new UsageError('“headgate purge” needs a URL, --prefix, --host, --tag or --all', EXAMPLE);
  }
  if (second !== undefined) throw new UsageError('“headgate purge” takes one of them at a time', EXAMPLE);
  return { ...wanted, hard: given.on('hard') };
}

function ifGiven(key: string, value: string | undefined): Readonly<Record<string, string>> {
  return value === undefined ? {} : { [key]: value };
}
