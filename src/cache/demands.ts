import { parseCacheControl } from '../http/cache-control.ts';
import { getCombined, type HeaderList } from '../http/headers.ts';
import type { CacheEntry } from './entry.ts';
import { currentAgeMs } from './freshness.ts';

/** What a client asks of a cache (RFC 9111 §5.2.1). Times in milliseconds, `null` where not given. */
export interface Demands {
  readonly noCache: boolean;
  readonly noStore: boolean;
  readonly onlyIfCached: boolean;
  readonly maxAgeMs: number | null;
  /** `Infinity`: any staleness will do. */
  readonly maxStaleMs: number | null;
  readonly minFreshMs: number;
  /** RFC 5861 §4: in place of what the response allows. */
  readonly staleIfErrorMs: number | null;
}

/** Why an answer can't come from the cache as it is. `bypass` reasons keep it from being asked at all; `policy` is the route's. */
export type BypassReason = 'method' | 'no-store' | 'precondition' | 'request-body' | 'policy';

const demandsNothing: Demands = Object.freeze({
  noCache: false,
  noStore: false,
  onlyIfCached: false,
  maxAgeMs: null,
  maxStaleMs: null,
  minFreshMs: 0,
  staleIfErrorMs: null,
});

/** What one pass over the request's fields found. */
export interface RequestTraits {
  readonly demands: Demands;
  readonly bypass: BypassReason | null;
}

const plain: RequestTraits = Object.freeze({ demands: demandsNothing, bypass: null });

/**
 * Reads everything in a request that concerns the cache. Hot: one pass that lower-cases only names whose length and
 * first letter fit (20 ns for a browser's ten fields, against 150 by length alone), and allocates nothing for a request
 * that demands nothing. `lenient`: the route does not let clients demand anything newer.
 */
export function requestTraits(headers: HeaderList, lenient = false): RequestTraits {
  let control = false;
  let bypass: BypassReason | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    switch (name.length) {
      case 8:
      case 14:
      case 17:
      case 19:
        if (mayBypass(name)) bypass ??= bypassField(name, headers[i + 1] as string);
        break;
      case 6:
        control ||= startsWith(name, P) && name.toLowerCase() === 'pragma';
        break;
      case 13:
        control ||= startsWith(name, C) && name.toLowerCase() === 'cache-control';
        break;
    }
  }
  if (!control) return bypass === null ? plain : { demands: demandsNothing, bypass };
  const said = readDemands(headers);
  const demands = lenient ? { ...demandsNothing, onlyIfCached: said.onlyIfCached, maxStaleMs: said.maxStaleMs } : said;
  return { demands, bypass: demands.noStore ? 'no-store' : bypass };
}

const C = 0x63;
const I = 0x69;
const P = 0x70;
const T = 0x74;

function startsWith(name: string, lowerCode: number): boolean {
  return (name.charCodeAt(0) | 0x20) === lowerCode;
}

function mayBypass(name: string): boolean {
  const first = name.charCodeAt(0) | 0x20;
  return first === I || first === C || first === T;
}

/**
 * `If-Match` and `If-Unmodified-Since` are for the origin (RFC 9111 §4.3.2). A body may change what GET means to the
 * endpoint, and the key does not hold it.
 */
function bypassField(name: string, value: string): BypassReason | null {
  switch (name.toLowerCase()) {
    case 'if-match':
    case 'if-unmodified-since':
      return 'precondition';
    case 'content-length':
      return value === '0' ? null : 'request-body';
    case 'transfer-encoding':
      return 'request-body';
    default:
      return null;
  }
}

function readDemands(headers: HeaderList): Demands {
  const text = getCombined(headers, 'cache-control');
  if (text === null) {
    // §5.4 deprecates Pragma; clients that send nothing else mean it, and obeying costs one validation.
    const pragma = getCombined(headers, 'pragma');
    return pragma !== null && /\bno-cache\b/i.test(pragma) ? { ...demandsNothing, noCache: true } : demandsNothing;
  }
  const directives = parseCacheControl(text);
  return {
    noCache: directives.noCache,
    noStore: directives.noStore,
    onlyIfCached: directives.onlyIfCached,
    maxAgeMs: directives.maxAgeS === null ? null : directives.maxAgeS * 1000,
    maxStaleMs: directives.maxStaleS === null ? null : directives.maxStaleS * 1000,
    minFreshMs: (directives.minFreshS ?? 0) * 1000,
    staleIfErrorMs: directives.staleIfErrorS === null ? null : directives.staleIfErrorS * 1000,
  };
}

/**
 * Whether a stored response may answer a request without asking the endpoint. `refresh`: it may, and the endpoint is to be asked
 * all the same, afterwards (RFC 5861 §3). `stale`: the response says no. `request`: the client does.
 */
export type Usability = 'usable' | 'refresh' | 'stale' | 'request';

/** May `entry` answer a request with these demands (RFC 9111 §4.2, §5.2.1)? */
export function usability(entry: CacheEntry, demands: Demands, nowMs: number): Usability {
  if (entry.validateAlways) return 'stale';
  const ageMs = currentAgeMs(entry, nowMs);
  const remainingMs = entry.freshMs - ageMs;
  // RFC 9211 §2.2: `request` is for what is fresh, and not wanted all the same.
  const unwanted = remainingMs > 0 ? 'request' : 'stale';
  if (demands.noCache) return unwanted;
  const { maxAgeMs } = demands;
  // max-age=0 is how a browser's reload asks for a validation, even of a response that came this millisecond. RFC 8246 §2.1: while it
  // is fresh, an immutable response needs none, unless it is asked for by no-cache.
  const isFinal = entry.immutable && remainingMs > 0;
  if (maxAgeMs !== null && !isFinal && (ageMs > maxAgeMs || maxAgeMs === 0)) return unwanted;
  if (remainingMs > 0) return remainingMs >= demands.minFreshMs ? 'usable' : 'request';
  return entry.mustRevalidate ? 'stale' : usabilityStale(entry, demands, -remainingMs);
}

/** A client that states how stale a response may be (§5.2.1.2), or how fresh it must be (§5.2.1.3), is believed. */
function usabilityStale(entry: CacheEntry, { maxStaleMs, minFreshMs }: Demands, staleMs: number): Usability {
  if (maxStaleMs === null ? minFreshMs > 0 : staleMs > maxStaleMs) return 'stale';
  if (staleMs < entry.staleWhileRevalidateMs) return 'refresh';
  return maxStaleMs === null ? 'stale' : 'usable';
}
