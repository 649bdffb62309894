import type { CompiledRule } from './compiled-rule.ts';

/** What decided between two rules that both hold, in the order in which it is asked. */
export type Criterion = 'host' | 'path' | 'method' | 'headers' | 'query' | 'further' | 'priority' | 'order';

/**
 * Which of two rules on the same host goes first: negative for `a`. Gateway API (HTTPRouteRule.matches) as far as it goes: path,
 * then method, then number of headers, then number of query parameters; then the number of further conditions, then
 * `priority`, then the order of the configuration. `0` only for a rule and itself, if orders are distinct.
 * A statement about requests that both rules hold for; for others it is an arbitrary but fixed order.
 */
export function compareRank(a: CompiledRule<unknown>, b: CompiledRule<unknown>): number {
  if (a.path.rank !== b.path.rank) return a.path.rank < b.path.rank ? -1 : 1;
  return compareWithinPath(a, b);
}

/** The same for rules whose paths rank equally. */
export function compareWithinPath(a: CompiledRule<unknown>, b: CompiledRule<unknown>): number {
  return (
    b.weight.method - a.weight.method ||
    b.weight.headers - a.weight.headers ||
    b.weight.query - a.weight.query ||
    b.weight.further - a.weight.further ||
    b.rule.priority - a.rule.priority ||
    a.rule.order - b.rule.order
  );
}

/** The first criterion in which two rules on the same host differ. */
export function decidedBy(a: CompiledRule<unknown>, b: CompiledRule<unknown>): Criterion {
  if (a.path.rank !== b.path.rank) return 'path';
  if (a.weight.method !== b.weight.method) return 'method';
  if (a.weight.headers !== b.weight.headers) return 'headers';
  if (a.weight.query !== b.weight.query) return 'query';
  if (a.weight.further !== b.weight.further) return 'further';
  return a.rule.priority === b.rule.priority ? 'order' : 'priority';
}
