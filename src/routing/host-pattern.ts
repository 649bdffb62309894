/**
 * True if `pattern` covers `host`, both lower case. `shop.test` covers itself; `*.shop.test` covers every name with one or more
 * labels below `shop.test`, and not `shop.test` (Gateway API, Hostname).
 */
export function hostMatches(pattern: string, host: string): boolean {
  if (pattern.charCodeAt(0) !== 0x2a) return pattern === host;
  // The suffix keeps its dot, and something must stand before it.
  const suffixLength = pattern.length - 1;
  return host.length > suffixLength && host.endsWith(pattern.slice(1));
}

/** True if every host that `inner` covers is covered by `outer`; both are patterns. */
export function hostCovers(outer: string, inner: string): boolean {
  // A wildcard is covered by a shorter one as if its "*" were a label.
  return outer === inner || hostMatches(outer, inner);
}

/** True if some host is covered by both patterns. */
export function hostsOverlap(a: string, b: string): boolean {
  return hostCovers(a, b) || hostCovers(b, a);
}

/**
 * How specific the best of `patterns` for `host` is: higher goes first. Exact names beat wildcards, longer wildcards beat shorter
 * ones, no host condition is 0; `-1` when none covers the host.
 */
export function hostRank(patterns: readonly string[] | undefined, host: string): number {
  if (patterns === undefined) return 0;
  let best = -1;
  for (const pattern of patterns) {
    if (!hostMatches(pattern, host)) continue;
    best = Math.max(best, pattern.charCodeAt(0) === 0x2a ? pattern.length : Number.MAX_SAFE_INTEGER);
  }
  return best;
}
