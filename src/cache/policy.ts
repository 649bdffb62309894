import { setCookieName } from '../http/cookie.ts';
import { getHeaders, type HeaderList, hasHeader } from '../http/headers.ts';
import type { KeyPolicy } from './key-policy.ts';
import type { TagPolicy } from './tags.ts';
import type { TtlRule } from './ttl.ts';

/** Responses with `Set-Cookie` are not stored; or stored without it; or stored with it if it sets none but these cookies. */
export type SetCookiePolicy = 'refuse' | 'strip' | ReadonlySet<string>;

/** Directives of a response that are taken as if they were not there. */
export interface IgnoredDirectives {
  readonly noCache: boolean;
  readonly noStore: boolean;
  readonly private: boolean;
}

/** What a route's `cache` section says. */
export interface CachePolicy {
  /**
   * Of a route without a name, what it is: what is known of it otherwise is where it is written, where another one may stand after the next
   * edit, and what is on disk is found again then. Empty for a route with a name.
   */
  readonly scope: string;
  /** `null`: the URI as it is. */
  readonly key: KeyPolicy | null;
  /** Freshness of responses that state none; `null`: only what RFC 9111 §4.2.2 estimates. */
  readonly defaultTtl: TtlRule | null;
  /** Freshness of responses whatever they state; `null`: what they state. */
  readonly overrideTtl: TtlRule | null;
  readonly ignore: IgnoredDirectives | null;
  /** A client's no-cache, no-store, max-age, min-fresh and Pragma change nothing. */
  readonly ignoreClientNoCache: boolean;
  readonly setCookie: SetCookiePolicy;
  /** RFC 5861 §3 and §4, in milliseconds, for responses that do not state it themselves; 0 for none. */
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** Pages that are forwarded are announced by the `Link` fields that were stored with them before. */
  readonly earlyHints: boolean;
  /** Lower-case names of the fields that count in place of `Cache-Control`, in order of preference (RFC 9213 §2.2). */
  readonly targets: readonly string[];
  /** Of a miss with `Range`, the endpoint is asked for all of it, and the range is served of that. False: for the range. */
  readonly wholeRanges: boolean;
  /** A body above this is not stored. */
  readonly objectBytes: number;
  /** Requests for the same thing at the same time become one, for which the others wait so long; 0: no limit. `null`: they don't. */
  readonly collapse: { readonly waitMs: number } | null;
  /** By what responses can be purged besides their URL. */
  readonly tags: TagPolicy;
}

/** May all cookies that these fields set be handed to every client? */
export function sharesCookies(policy: SetCookiePolicy, headers: HeaderList): boolean {
  if (typeof policy === 'string') return !hasHeader(headers, 'set-cookie');
  return getHeaders(headers, 'set-cookie').every((field) => policy.has(setCookieName(field)));
}
