import type { Environment, OptionSpecs } from './command.ts';
import type { Given } from './options.ts';
import { CONFIG_OPTION, JSON_OPTION } from './shared-options.ts';
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

/** Of every command that asks a running gateway. */
export const ADMIN_OPTIONS = {
  admin: {
    value: 'URL',
    summary: 'where the gateway is asked; HEADGATE_ADMIN, or as the configuration says, unless given',
  },
  ...CONFIG_OPTION,
  'token-file': {
    value: 'FILE',
    summary: 'its token; HEADGATE_ADMIN_TOKEN, or that of the configuration, unless given',
    completes: 'path',
  },
  ...JSON_OPTION,
} as const satisfies OptionSpecs;

/** @throws UsageError */
export function placeOf(given: Given, environment: Environment): AdminPlace {
  return {
    url: urlOf(given.text('admin') ?? environment['HEADGATE_ADMIN']),
    path: given.text('config') ?? environment['HEADGATE_CONFIG'] ?? null,
    tokenFile: given.text('token-file') ?? null,
  };
}

function urlOf(text: string | undefined): URL | null {
  if (text === undefined || text === '') return null;
  const url = URL.parse(text);
  if (url !== null && url.protocol === 'unix:' && url.host === '' && isPath(url.pathname) && url.search === '')
    return url;
  if (url !== null && /^https?:$/.test(url.protocol) && url.pathname === '/' && url.search === '') return url;
  throw new UsageError(
    `“${text}” is not the URL of an admin listener`,
    'For example: --admin http://127.0.0.1:4600, or unix:/run/headgate/admin.sock',
  );
}

/** Percent-encoded, of a file. */
function isPath(encoded: string): boolean {
  try {
    return encoded.length > 1 && !decodeURIComponent(encoded).includes('\0');
  } catch {
    // URIError: a stray percent sign, or bytes that are no UTF-8.
    return false;
  }
}
