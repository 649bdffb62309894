import { formatDuration, formatShare } from '../../config/near-values.ts';
import type { RouteCacheConfig } from '../../config/schema/cache.ts';
import type { CacheKeyConfig } from '../../config/schema/cache-key.ts';
import type { FallbackConfig } from '../../config/schema/fallback.ts';
import type {
  CookieEditsConfig,
  HeaderEditsConfig,
  QueryEditsConfig,
  RewriteConfig,
} from '../../config/schema/policies.ts';
import type { StickyConfig } from '../../config/schema/split.ts';

/** Policies as people say them. Templates are shown as they are written. */

export function rewriteWords(rewrite: RewriteConfig): string {
  if ('stripPrefix' in rewrite) return `strip prefix ${rewrite.stripPrefix}`;
  if ('prefix' in rewrite) return `replace the matched prefix by ${rewrite.prefix}`;
  return 'path' in rewrite ? `path becomes ${rewrite.path}` : `replace ~ ${rewrite.regex} by ${rewrite.replace}`;
}

/** In the order in which they apply: remove, set, add. */
export function headerWords({ remove = [], set = {}, add = {} }: HeaderEditsConfig): string {
  return listed([
    ...remove.map((name) => `remove ${name}`),
    ...Object.entries(set).map(([name, value]) => `set ${name}: ${shown(name, value)}`),
    ...Object.entries(add).map(([name, value]) => `add ${name}: ${shown(name, value)}`),
  ]);
}

/** Credentials that a route brings along. */
function shown(name: string, value: string): string {
  return /^(?:proxy-)?authorization$|^cookie$/i.test(name) ? '(secret)' : value;
}

export function queryWords({ remove = [], set = {}, add = {} }: QueryEditsConfig): string {
  return listed([
    ...remove.map((name) => `remove ${name}`),
    ...Object.entries(set).map(([name, value]) => `set ${name}=${value}`),
    ...Object.entries(add).map(([name, value]) => `add ${name}=${value}`),
  ]);
}

export function cookieWords({ domain, path, secure, httpOnly, sameSite }: CookieEditsConfig): string {
  return listed([
    ...(domain === undefined ? [] : [domain === false ? 'remove Domain' : `Domain=${domain}`]),
    ...(path === undefined
      ? []
      : [typeof path === 'string' ? `Path=${path}` : `Path: ${path.from} becomes ${path.to}`]),
    ...(secure === undefined ? [] : [secure ? 'Secure' : 'remove Secure']),
    ...(httpOnly === undefined ? [] : [httpOnly ? 'HttpOnly' : 'remove HttpOnly']),
    ...(sameSite === undefined ? [] : [`SameSite=${sameSite}`]),
  ]);
}

export function cacheWords(cache: RouteCacheConfig): string {
  const { defaultTtl, overrideTtl, staleWhileRevalidate, staleIfError, ignore, key, setCookie } = cache;
  return listed([
    ...(key === undefined ? [] : [keyWords(key)]),
    ...(overrideTtl === undefined ? [] : [`fresh for ${ttlWords(overrideTtl)}, whatever responses say`]),
    ...(defaultTtl === undefined ? [] : [`fresh for ${ttlWords(defaultTtl)} where responses don’t say`]),
    ...(defaultTtl === undefined && overrideTtl === undefined ? ['as responses say (RFC 9111)'] : []),
    ...(ignore === undefined ? [] : [`${ignore.join(', ')} of responses ignored`]),
    ...(cache.ignoreClientNoCache ? ['clients can’t ask for newer ones'] : []),
    ...(setCookie === 'refuse'
      ? []
      : [setCookie === 'strip' ? 'Set-Cookie stripped' : `cookies ${setCookie.join(', ')} shared`]),
    ...(staleWhileRevalidate ? [`stale for ${formatDuration(staleWhileRevalidate)} while it is refreshed`] : []),
    ...(staleIfError ? [`stale for ${formatDuration(staleIfError)} on errors`] : []),
  ]);
}

function keyWords({ query, headers, cookies, encodings }: CacheKeyConfig): string {
  const parts = [
    ...(query === false ? ['no query'] : []),
    ...(query !== undefined && query !== false && query.sort ? ['sorted query'] : []),
    ...(query !== undefined && query !== false && query.keep !== undefined ? [`only ?${query.keep.join(', ?')}`] : []),
    ...(query !== undefined && query !== false && query.drop !== undefined
      ? [`without ?${query.drop.join(', ?')}`]
      : []),
    ...(headers ?? []).map((name) => `header ${name}`),
    ...(cookies ?? []).map((name) => `cookie ${name}`),
    ...(encodings === undefined ? [] : [`encodings ${encodings.join(', ') || 'none'}`]),
  ];
  return `key: ${parts.join(', ')}`;
}

function ttlWords(ttl: NonNullable<RouteCacheConfig['defaultTtl']>): string {
  if (typeof ttl === 'number') return formatDuration(ttl);
  return Object.entries(ttl)
    .map(([status, ms]) => `${formatDuration(ms)} (${status})`)
    .join(', ');
}

export function stickyWords(sticky: StickyConfig): string {
  if (sticky === true || 'insert' in sticky) return 'clients stay with their pool by a cookie';
  const { by } = sticky;
  return `clients stay with their pool by ${typeof by === 'string' ? by : Object.entries(by).flat().join(' ')}`;
}

export function fallbackWords({ on, steps }: FallbackConfig): string {
  const deeds = steps.map((step) => {
    if ('pool' in step) return `ask pool ${step.pool}`;
    if ('respond' in step) return `respond with ${step.respond.status}`;
    return `serve what is stored, ${step.stale.maxAge === 0 ? 'however old' : `up to ${formatDuration(step.stale.maxAge)} old`}`;
  });
  return `on ${on.join(', ')}: ${deeds.join(', then ')}`;
}

export function mirrorWords({ pool, share }: { readonly pool: string; readonly share: number }): string {
  return `copy ${share === 1 ? 'every request' : `${formatShare(share)} of requests`} to pool ${pool}`;
}

function listed(parts: readonly string[]): string {
  return parts.join('; ');
}
