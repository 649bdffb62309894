import { type KeyPolicy, keyCookie } from '../cache/key-policy.ts';
import { ruleText } from '../cache/key-rules.ts';
import { parameterNames, type QueryRule } from '../cache/query-rule.ts';
import type { TtlRule } from '../cache/ttl.ts';
import type { RouteCacheConfig } from '../config/schema/cache.ts';
import type { CacheKeyConfig } from '../config/schema/cache-key.ts';
import type { CacheTtlConfig } from '../config/schema/cache-ttl.ts';
import { compileConditions } from '../routing/conditions.ts';
import type { RouteRequest } from '../routing/route.ts';
import type { CacheContext } from './compile-cache.ts';

/** Which requests go past the cache; `null` for none but those that have to. */
export function compileBypass(
  { bypass }: RouteCacheConfig,
  { complaints, path }: CacheContext,
): ((request: RouteRequest) => boolean) | null {
  if (bypass === undefined) return null;
  const compiled = compileConditions(bypass);
  if (compiled.ok) return compiled.holds;
  for (const { key, message } of compiled.problems) {
    complaints.addToCondition([...path, 'cache', 'bypass', ...key], { message });
  }
  return null;
}

/** What a stored response of a route is found by. */
export function keyPolicy({ query, headers, cookies, encodings }: CacheKeyConfig): KeyPolicy {
  const rule = query === undefined ? null : queryRule(query);
  const fields = [...new Set(headers?.map((name) => name.toLowerCase()))].sort();
  const names = [...new Set(cookies)].sort();
  const changesKey = rule !== null || fields.length > 0 || names.length > 0;
  return {
    id: changesKey ? ` ${JSON.stringify([rule === null ? null : ruleText(rule), fields, names])}` : '',
    query: rule,
    headers: fields,
    cookies: names.map(keyCookie),
    encodings: encodings ?? null,
    compresses: false,
  };
}

/** What changes nothing. */
const plainKey: KeyPolicy = {
  ...{ id: '', query: null, headers: [], cookies: [] },
  ...{ encodings: null, compresses: false },
};

/** The same where what is stored was compressed before by one of `codings`: clients that get the same one share it, and no other number of variants is stored. */
export function keyOfCompressed(key: KeyPolicy | null, codings: readonly string[]): KeyPolicy {
  const { encodings, ...rest } = key ?? plainKey;
  return { ...rest, encodings: encodings ?? codings, compresses: true };
}

function queryRule(query: NonNullable<CacheKeyConfig['query']> | false): QueryRule {
  if (query === false) return { kind: 'none' };
  const { sort, keep, drop } = query;
  return {
    kind: 'parameters',
    sort,
    // Endpoints that read names in any case exist; keeping too much costs a stored response, dropping too much gives a wrong one.
    keep: keep === undefined ? null : parameterNames(keep, 'lower'),
    drop: drop === undefined ? null : parameterNames(drop, 'exact'),
  };
}

/** Freshness by status. */
export function ttlRule(config: CacheTtlConfig): TtlRule {
  const byStatus = typeof config === 'number' ? {} : config;
  const entries = Object.entries(byStatus);
  const classes = [1, 2, 3, 4, 5].map((digit) => byStatus[`${digit}xx`] ?? null);
  return {
    found: typeof config === 'number' ? config : null,
    statuses: new Map(entries.flatMap(([key, ttlMs]) => (/^\d+$/.test(key) ? [[Number(key), ttlMs] as const] : []))),
    classes: [null, ...classes],
    any: byStatus['any'] ?? null,
  };
}
