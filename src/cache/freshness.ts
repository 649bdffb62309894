import type { CacheDirectives } from '../http/cache-control.ts';
import { parseHttpDate } from '../http/date.ts';
import { getHeader, type HeaderList } from '../http/headers.ts';
import type { CacheEntry } from './entry.ts';

/** When the request went out and when the response head came back, in milliseconds since the epoch. */
export interface ExchangeTimes {
  readonly requestedAtMs: number;
  readonly receivedAtMs: number;
}

/** Largest age or lifetime, in seconds (RFC 9111 §1.2.2): what is larger counts as this. */
export const MAX_DELTA_SECONDS = 2 ** 31;

/** The estimate of RFC 9111 §4.2.2: a tenth of the time that it went unmodified … */
const HEURISTIC_FRACTION = 0.1;
/** … but never more than a day: what was not touched for ten years may still be touched tomorrow. */
const HEURISTIC_CAP_MS = 24 * 3600 * 1000;

/** What `freshnessLifetimeMs` needs to know beside the response's fields. */
export interface LifetimeFacts {
  readonly dateMs: number;
  /** The directives came by a targeted field, beside which `Expires` does not count (RFC 9213 §2.2). */
  readonly targeted: boolean;
  /** The status, or `public`, permits an estimate. */
  readonly estimable: boolean;
  /** The route's own answer where the origin gives none; `null` for no answer. */
  readonly defaultTtlMs: number | null;
}

/**
 * Freshness lifetime in a shared cache (RFC 9111 §4.2.1), in milliseconds, never negative: `s-maxage`, `max-age`,
 * `Expires` − `Date`, the route's default, an estimate from `Last-Modified`, in this order. `null` when there is none.
 */
export function freshnessLifetimeMs(
  headers: HeaderList,
  directives: CacheDirectives,
  facts: LifetimeFacts,
): number | null {
  const stated = directives.sMaxAgeS ?? directives.maxAgeS;
  if (stated !== null) return stated * 1000;
  const expires = facts.targeted ? null : getHeader(headers, 'expires');
  // §5.3: what is no date, "0" above all, lies in the past.
  if (expires !== null) return Math.max(0, (parseHttpDate(expires) ?? facts.dateMs) - facts.dateMs);
  if (facts.defaultTtlMs !== null) return facts.defaultTtlMs;
  return facts.estimable ? estimateMs(headers, facts.dateMs) : null;
}

function estimateMs(headers: HeaderList, dateMs: number): number | null {
  const text = getHeader(headers, 'last-modified');
  const lastModifiedMs = text === null ? null : parseHttpDate(text);
  if (lastModifiedMs === null || lastModifiedMs >= dateMs) return null;
  return Math.min((dateMs - lastModifiedMs) * HEURISTIC_FRACTION, HEURISTIC_CAP_MS);
}

/**
 * When the origin made the response, in whole seconds as `Date` has them, as milliseconds since the epoch. A missing or
 * unreadable `Date` counts as the time of receipt (RFC 9110 §6.6.1).
 */
export function originDateMs(headers: HeaderList, receivedAtMs: number): number {
  const text = getHeader(headers, 'date');
  return (text === null ? null : parseHttpDate(text)) ?? wholeSecond(receivedAtMs);
}

/**
 * `corrected_initial_age` (RFC 9111 §4.2.3) in milliseconds, never negative: the larger of what the clocks say
 * (`Date` against receipt, in whole seconds, as `Date` has no finer ones) and what the caches on the way say (`Age`)
 * plus the whole round trip.
 */
export function initialAgeMs(headers: HeaderList, dateMs: number, times: ExchangeTimes): number {
  const apparentAgeMs = Math.max(0, wholeSecond(times.receivedAtMs) - dateMs);
  // A wall clock may be set back between the two stamps.
  const responseDelayMs = Math.max(0, times.receivedAtMs - times.requestedAtMs);
  return Math.max(apparentAgeMs, ageValueSeconds(headers) * 1000 + responseDelayMs);
}

function wholeSecond(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

/** `Age` as sent: the first member of a list; 0 when it is absent or not a number (RFC 9111 §5.1). */
function ageValueSeconds(headers: HeaderList): number {
  const text = getHeader(headers, 'age');
  if (text === null) return 0;
  const comma = text.indexOf(',');
  const first = (comma === -1 ? text : text.slice(0, comma)).trim();
  return /^\d+$/.test(first) ? Math.min(Number(first), MAX_DELTA_SECONDS) : 0;
}

/** Age of a stored response at `nowMs` (RFC 9111 §4.2.3), in milliseconds, never negative. */
export function currentAgeMs(entry: CacheEntry, nowMs: number): number {
  return entry.initialAgeMs + Math.max(0, nowMs - entry.receivedAtMs);
}

/** The same in whole seconds, rounded down, as `Age` wants it; at most 2^31. */
export function currentAge(entry: CacheEntry, nowMs: number): number {
  return Math.min(Math.floor(currentAgeMs(entry, nowMs) / 1000), MAX_DELTA_SECONDS);
}

/** Milliseconds of freshness left (RFC 9111 §4.2); negative for how long it has been stale. */
export function remainingMs(entry: CacheEntry, nowMs: number): number {
  return entry.freshMs - currentAgeMs(entry, nowMs);
}
