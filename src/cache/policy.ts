/** What a route's `cache` section says. */
export interface CachePolicy {
  /** Freshness of successful responses that state none, in milliseconds; `null`: only what RFC 9111 §4.2.2 estimates. */
  readonly defaultTtlMs: number | null;
  /** Store responses with `Set-Cookie`, and hand the cookie to every client. */
  readonly storeSetCookie: boolean;
  /** A body above this is not stored. */
  readonly objectBytes: number;
}
