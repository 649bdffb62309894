import type { AdminPlace } from './admin-arguments.ts';
import type { Given, OptionSpecs } from './options.ts';
import { UsageError } from './usage-error.ts';

/** What is asked of the cache of a running gateway. */
export type CacheCommand =
  | {
      readonly command: 'purge';
      /** The body of `POST /cache/purge`. */
      readonly order: Readonly<Record<string, unknown>>;
      readonly place: AdminPlace;
      readonly json: boolean;
    }
  /** `url`: everything that is stored for it; `null` for the figures. */
  | { readonly command: 'cache'; readonly url: string | null; readonly place: AdminPlace; readonly json: boolean };

export const PURGE_OPTIONS: OptionSpecs = {
  prefix: { type: 'string' },
  host: { type: 'string' },
  tag: { type: 'string', multiple: true },
  all: { type: 'boolean' },
  hard: { type: 'boolean' },
};

const PURGE_EXAMPLE = 'For example: headgate purge https://shop.example/index.html, or headgate purge --tag product-7';

/** @throws UsageError */
export function cacheCommandOf(
  command: CacheCommand['command'],
  given: Given,
  asked: { readonly place: AdminPlace; readonly json: boolean },
): CacheCommand {
  const [url, extra] = given.positionals;
  if (extra !== undefined) throw new UsageError(`“headgate ${command}” does not take “${extra}”`, PURGE_EXAMPLE);
  if (url !== undefined && !/^https?:\/\/./i.test(url)) {
    throw new UsageError(`“${url}” is not a URL`, `With its scheme: headgate ${command} https://shop.example/`);
  }
  if (command === 'cache') return { command, url: url ?? null, ...asked };
  return { command, order: orderOf(given, url), ...asked };
}

function orderOf(given: Given, url: string | undefined): Readonly<Record<string, unknown>> {
  const tags = given.all('tag');
  const wanted = {
    ...(url === undefined ? {} : { url }),
    ...ifGiven('prefix', given.text('prefix')),
    ...ifGiven('host', given.text('host')),
    ...(tags.length === 0 ? {} : { tags }),
    ...(given.on('all') ? { all: true } : {}),
  };
  const [first, second] = Object.keys(wanted);
  if (first === undefined) {
    throw new UsageError('“headgate purge” needs a URL, --prefix, --host, --tag or --all', PURGE_EXAMPLE);
  }
  if (second !== undefined) throw new UsageError('“headgate purge” takes one of them at a time', PURGE_EXAMPLE);
  return { ...wanted, hard: given.on('hard') };
}

function ifGiven(key: string, value: string | undefined): Readonly<Record<string, string>> {
  return value === undefined ? {} : { [key]: value };
}
