import type { ResponseHead } from '../exchange/response-sink.ts';
import { type CacheDirectives, parseCacheControl } from '../http/cache-control.ts';
import { parseHttpDate } from '../http/date.ts';
import { getCombined, getHeader, type HeaderList, hasHeader } from '../http/headers.ts';
import { type ResponseDirectives, responseDirectives } from '../http/targeted.ts';
import { type ExchangeTimes, freshnessLifetimeMs, initialAgeMs, originDateMs } from './freshness.ts';
import { type CacheRequest, type VaryField, varyFields } from './key.ts';
import { type CachePolicy, type IgnoredDirectives, sharesCookies } from './policy.ts';
import { type StaleAllowance, staleAllowance } from './stale-allowance.ts';
import { packTags } from './tags.ts';
import { type TtlRule, ttlOf } from './ttl.ts';

/** A response that may be stored, and what was found out on the way. */
export interface Storable extends StaleAllowance {
  readonly store: true;
  /** Freshness lifetime (RFC 9111 §4.2.1) from age 0; 0 when every use needs a validation. */
  readonly freshMs: number;
  readonly validateAlways: boolean;
  readonly mustRevalidate: boolean;
  readonly immutable: boolean;
  readonly vary: readonly VaryField[];
  /** `packTags`; empty for none. */
  readonly tags: string;
  /** Lower-case names of fields that may not be stored with it: `no-cache="…"` and `private="…"` (§5.2.2.4, §5.2.2.7). */
  readonly omit: readonly string[];
}

/**
 * Why a response is not stored. `method`: only GET is. `status`: not understood, or not an answer of its own (304).
 * `partial`: a 206 that nobody asked for; `content-range`: one that does not say, or not rightly, which part it is; `weak-validator`: one
 * that could be combined with no other part. `vary-star`, `vary-unseen`: no later request could be matched with it. `no-freshness`:
 * nothing says how long it is good for, or it is good for nothing at once and has no validator to ask with. `too-many-tags`: a purge by one
 * that was left out would miss it.
 */
export type NotStored =
  | 'method'
  | 'status'
  | 'partial'
  | 'content-range'
  | 'weak-validator'
  | 'no-store'
  | 'private'
  | 'authorization'
  | 'vary-star'
  | 'vary-unseen'
  | 'set-cookie'
  | 'too-large'
  | 'too-many-tags'
  | 'no-freshness';

export type Storability = Storable | { readonly store: false; readonly why: NotStored };

/** Final statuses whose caching needs nothing that this cache does not do: those of RFC 9110 §15 and its registry but 206 and 304. */
const UNDERSTOOD = new Set([
  200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 305, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409,
  410, 411, 412, 413, 414, 415, 417, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505,
  506, 507, 508, 511,
]);

/** RFC 9110 §15.1: these may be stored although nothing says so. 206 is not stored here at all. */
const HEURISTICALLY_CACHEABLE = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);

const noNames: readonly string[] = Object.freeze([]);
const cookieNames: readonly string[] = Object.freeze(['set-cookie']);

/**
 * May this response be stored in a shared cache, and for how long is it fresh (RFC 9111 §3)?
 * `response` is as the endpoint sent it; `receivedAtMs` is when its head arrived, `requestedAtMs` when it was asked for. Pure; runs on
 * misses and validations.
 */
export function storability(
  request: CacheRequest,
  response: ResponseHead,
  policy: CachePolicy,
  receivedAtMs: number,
  requestedAtMs = receivedAtMs,
): Storability {
  const said = heeded(responseDirectives(response.headers, policy.targets), policy.ignore);
  const { directives } = said;
  const why = forbidden(request, response, { directives, policy });
  if (why !== null) return refuse(why);
  const vary = varyFields(response.headers, request);
  if (vary === 'vary-star' || vary === 'vary-unseen') return refuse(vary);
  const omit = omittedFields(directives, policy);
  if (!omit.includes('set-cookie') && !sharesCookies(policy.setCookie, response.headers)) return refuse('set-cookie');
  if (announcedBytes(response.headers) > policy.objectBytes) return refuse('too-large');
  const tags = packTags(response.headers, policy.tags);
  if (tags === null) return refuse('too-many-tags');
  const stale = staleAllowance(directives, policy);
  const freshMs = usefulLifetimeMs(response, said, { policy, times: { requestedAtMs, receivedAtMs }, stale });
  if (freshMs === null) return refuse('no-freshness');
  return {
    store: true,
    freshMs,
    validateAlways: directives.noCache,
    // §5.2.2.10: s-maxage incorporates the meaning of proxy-revalidate.
    mustRevalidate: directives.mustRevalidate || directives.proxyRevalidate || directives.sMaxAgeS !== null,
    immutable: directives.immutable,
    ...stale,
    vary,
    tags,
    omit,
  };
}

function refuse(why: NotStored): Storability {
  return { store: false, why };
}

/** The conditions of RFC 9111 §3 that a request, a status and the directives settle between them. */
function forbidden(
  request: CacheRequest,
  response: ResponseHead,
  { directives, policy }: { readonly directives: CacheDirectives; readonly policy: CachePolicy },
): NotStored | null {
  const { status } = response;
  if (request.method !== 'GET') return 'method';
  if (status === 206) return 'partial';
  // A 416 is about the range that was asked for, and nothing keeps other requests from it.
  if (status < 200 || status === 304 || status === 416) return 'status';
  if (directives.mustUnderstand && !UNDERSTOOD.has(status)) return 'status';
  // §5.2.2.3: must-understand overrides the no-store that is sent along for caches that don't know it.
  if (directives.noStore && !directives.mustUnderstand) return 'no-store';
  const clientSays = policy.ignoreClientNoCache ? null : getCombined(request.headers, 'cache-control');
  if (parseCacheControl(clientSays).noStore) return 'no-store';
  if (directives.private) return 'private';
  // §3.5
  const shareable = directives.public || directives.mustRevalidate || directives.sMaxAgeS !== null;
  return !shareable && hasHeader(request.headers, 'authorization') ? 'authorization' : null;
}

/** What the route does not want to hear of is as if it had not been said. */
function heeded(said: ResponseDirectives, ignore: IgnoredDirectives | null): ResponseDirectives {
  if (ignore === null) return said;
  const { directives, target } = said;
  const noCache = directives.noCache && !ignore.noCache;
  const noStore = directives.noStore && !ignore.noStore;
  return { directives: { ...directives, noCache, noStore, private: directives.private && !ignore.private }, target };
}

function omittedFields(directives: CacheDirectives, { setCookie }: CachePolicy): readonly string[] {
  const { noCacheFields, privateFields } = directives;
  if (noCacheFields.length === 0 && privateFields.length === 0) return setCookie === 'strip' ? cookieNames : noNames;
  return [...noCacheFields, ...privateFields, ...(setCookie === 'strip' ? cookieNames : noNames)];
}

function announcedBytes(headers: HeaderList): number {
  const text = getHeader(headers, 'content-length');
  return text !== null && /^\d+$/.test(text) ? Number(text) : 0;
}

/**
 * The freshness lifetime, or `null` when storing would be of no use: nothing states one and none can be estimated, or it
 * is over already and there is no validator to extend it with.
 */
function usefulLifetimeMs(
  response: ResponseHead,
  { directives, target }: ResponseDirectives,
  facts: { readonly policy: CachePolicy; readonly times: ExchangeTimes; readonly stale: StaleAllowance },
): number | null {
  const { headers, status } = response;
  const { times, stale } = facts;
  const dateMs = originDateMs(headers, times.receivedAtMs);
  const estimable = directives.public || HEURISTICALLY_CACHEABLE.has(status);
  // A response that was fresh when it left is of use to those who wait for it, however long it took.
  const ageMs = initialAgeMs(headers, dateMs, { ...times, requestedAtMs: times.receivedAtMs });
  // A default is meant for what was found: nobody wants an hour of a 404 that a deployment left behind for a second.
  const found = estimable && status < 400;
  const { defaultTtl, overrideTtl } = facts.policy;
  // The route's own lifetimes begin when the response arrives, whatever the endpoint's clock says and however long it took.
  const routeTtlMs = (rule: TtlRule | null): number | null => {
    const ttlMs = rule === null ? null : ttlOf(rule, status, found);
    return ttlMs === null ? null : ttlMs + initialAgeMs(headers, dateMs, times);
  };
  const freshMs =
    routeTtlMs(overrideTtl) ??
    freshnessLifetimeMs(headers, directives, {
      dateMs,
      estimable,
      targeted: target !== null,
      defaultTtlMs: routeTtlMs(defaultTtl),
    });
  if (freshMs === null && !(directives.noCache && estimable)) return null;
  const spent = directives.noCache || freshMs === null || freshMs <= ageMs;
  const isOfUseStale = stale.staleWhileRevalidateMs > 0 || stale.staleIfErrorMs > 0;
  return spent && !isOfUseStale && !hasValidator(headers) ? null : (freshMs ?? 0);
}

function hasValidator(headers: HeaderList): boolean {
  if (hasHeader(headers, 'etag')) return true;
  const lastModified = getHeader(headers, 'last-modified');
  return lastModified !== null && parseHttpDate(lastModified) !== null;
}
