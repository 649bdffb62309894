import { uriKey } from './key.ts';
import { keyedQuery, type QueryRule } from './query-rule.ts';

/** Rules that no route has any longer, kept beside those in use: a configuration that is rolled back finds what it had stored. */
const FORMER_RULES = 64;

/** A URI as routing saw it: canonical path, raw query. */
export interface KeyTarget {
  /** `http` or `https`. */
  readonly scheme: string;
  /** Authority in lower case. */
  readonly host: string;
  readonly path: string;
  readonly query: string | null;
}

/**
 * What the routes make of queries. A response to one URI may be stored under the key of each of these rules, depending on the route
 * that it came by: whoever invalidates a URI asks here. Bounded by the rules in use and 64 more.
 */
export class KeyRules {
  /** By their text, those in use first. */
  #rules: ReadonlyMap<string, QueryRule> = new Map();

  /** `inUse` are the rules of all routes of a configuration; the same rule may come several times. */
  adopt(inUse: readonly QueryRule[]): void {
    const rules = new Map(inUse.map((rule) => [ruleText(rule), rule]));
    const most = rules.size + FORMER_RULES;
    for (const [text, rule] of this.#rules) if (rules.size < most && !rules.has(text)) rules.set(text, rule);
    this.#rules = rules;
  }

  /** Every key that a response to `target` may be stored under, under each of them in any number of partitions. */
  keysOf({ scheme, host, path, query }: KeyTarget): readonly string[] {
    const keys = [uriKey(scheme, host, path, query)];
    for (const rule of this.#rules.values()) {
      const key = uriKey(scheme, host, path, keyedQuery(query, rule));
      if (!keys.includes(key)) keys.push(key);
    }
    return keys;
  }
}

/** For stores of routes that all take the query as it is. */
export const noKeyRules = new KeyRules();

/** The same text for the same rule. */
export function ruleText(rule: QueryRule): string {
  if (rule.kind === 'none') return 'none';
  const names = [rule.keep, rule.drop].map((list) => list && [[...list.exact].sort(), [...list.prefixes].sort()]);
  return JSON.stringify([rule.sort, ...names]);
}
