import { MOST_WEIGHT } from '../control/control.ts';
import { type CacheCommand, cacheCommandOf } from './cache-arguments.ts';
import type { Given, OptionSpecs } from './options.ts';
import { UsageError } from './usage-error.ts';

/** Where the admin listener of the gateway that is asked is, and how it is asked. */
export interface AdminPlace {
  /** `null`: where the configuration says. */
  readonly url: URL | null;
  /** Directory or file of the configuration; `null` for `routes`, if that is there. */
  readonly path: string | null;
  /** File with the token; `null` unless given. */
  readonly tokenFile: string | null;
}

/** What asks a running gateway. */
export type AdminCommand =
  | { readonly command: 'status'; readonly place: AdminPlace; readonly json: boolean }
  | CacheCommand
  | HandCommand;

/** What an endpoint is to do. */
export type HandCommand = EndpointNamed &
  (
    | { readonly command: 'drain' | 'disable' | 'enable' }
    /** `null`: that of the configuration. */
    | { readonly command: 'weight'; readonly weight: number | null }
  );

interface EndpointNamed {
  readonly pool: string;
  readonly endpoint: string;
  readonly place: AdminPlace;
  readonly json: boolean;
}

export const ADMIN_OPTIONS: OptionSpecs = {
  config: { type: 'string', short: 'c' },
  admin: { type: 'string' },
  'token-file': { type: 'string' },
  json: { type: 'boolean' },
};

const EXAMPLES: Readonly<Record<HandCommand['command'], string>> = {
  drain: 'For example: headgate drain shop 10.0.0.11:3000',
  disable: 'For example: headgate disable shop 10.0.0.11:3000',
  enable: 'For example: headgate enable shop 10.0.0.11:3000',
  weight: 'For example: headgate weight shop 10.0.0.11:3000 5, or default in place of 5',
};

/** @throws UsageError */
export function adminCommandOf(
  command: AdminCommand['command'],
  given: Given,
  environment: Readonly<Record<string, string | undefined>>,
): AdminCommand {
  const json = given.on('json');
  const place = {
    url: urlOf(given.text('admin') ?? environment['HEADGATE_ADMIN']),
    path: given.text('config') ?? environment['HEADGATE_CONFIG'] ?? null,
    tokenFile: given.text('token-file') ?? null,
  };
  if (command === 'status') {
    const [first] = given.positionals;
    if (first !== undefined) throw new UsageError(`“headgate status” does not take “${first}”`);
    return { command, place, json };
  }
  if (command === 'purge' || command === 'cache') return cacheCommandOf(command, given, { place, json });
  const [pool, endpoint, ...more] = given.positionals;
  const example = EXAMPLES[command];
  if (pool === undefined) throw new UsageError(`“headgate ${command}” needs a pool and an endpoint`, example);
  if (endpoint === undefined) throw new UsageError(`“headgate ${command}” needs an endpoint of “${pool}”`, example);
  const weight = command === 'weight' ? more.shift() : undefined;
  const [extra] = more;
  if (extra !== undefined) throw new UsageError(`“headgate ${command}” does not take “${extra}”`, example);
  const named = { pool, endpoint, place, json };
  return command === 'weight' ? { ...named, command, weight: weightOf(weight) } : { ...named, command };
}

function weightOf(text: string | undefined): number | null {
  if (text === undefined) throw new UsageError('“headgate weight” needs a weight', EXAMPLES.weight);
  if (text === 'default') return null;
  const weight = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (weight <= MOST_WEIGHT) return weight;
  throw new UsageError(`“${text}” is not a weight`, `A weight is a whole number from 0 to ${MOST_WEIGHT}, or default`);
}

function urlOf(text: string | undefined): URL | null {
  if (text === undefined || text === '') return null;
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.pathname === '/' && url.search === '') return url;
  throw new UsageError(`“${text}” is not the URL of an admin listener`, 'For example: --admin http://127.0.0.1:4600');
}
