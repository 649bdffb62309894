/** Freshness by status, in milliseconds. */
export interface TtlRule {
  /** For what was found: statuses below 400 that may be stored without being told to. */
  readonly found: number | null;
  readonly statuses: ReadonlyMap<number, number>;
  /** For 1xx to 5xx, at 1 to 5; `null` where there is none. */
  readonly classes: readonly (number | null)[];
  readonly any: number | null;
}

/**
 * 4xx that are about a resource. The others are about one request, its credentials, its length, its fields: an answer that one client
 * provoked with an oversized field would be everybody's.
 */
const ABOUT_RESOURCE = new Set([404, 405, 410, 451]);

/** Is it about the request that got it, and says nothing of what others would get? */
export function isAboutRequest(status: number): boolean {
  return status >= 400 && status < 500 && !ABOUT_RESOURCE.has(status);
}

/** Freshness of a response with `status`, in milliseconds; `null` where the rule has none. `found`: see `TtlRule.found`. */
export function ttlOf(rule: TtlRule, status: number, found: boolean): number | null {
  const exact = rule.statuses.get(status);
  if (exact !== undefined) return exact;
  if (isAboutRequest(status)) return null;
  return rule.classes[Math.floor(status / 100)] ?? rule.any ?? (found ? rule.found : null);
}
