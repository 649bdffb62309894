import type { TagPolicy } from './tags.ts';

/** What a route's `cache` section says. */
export interface CachePolicy {
  /** Freshness of successful responses that state none, in milliseconds; `null`: only what RFC 9111 §4.2.2 estimates. */
  readonly defaultTtlMs: number | null;
  /** Store responses with `Set-Cookie`, and hand the cookie to every client. */
  readonly storeSetCookie: boolean;
  /** RFC 5861 §3 and §4, in milliseconds, for responses that do not state it themselves; 0 for none. */
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** Pages that are forwarded are announced by the `Link` fields that were stored with them before. */
  readonly earlyHints: boolean;
  /** Lower-case names of the fields that count in place of `Cache-Control`, in order of preference (RFC 9213 §2.2). */
  readonly targets: readonly string[];
  /** A body above this is not stored. */
  readonly objectBytes: number;
  /** By what responses can be purged besides their URL. */
  readonly tags: TagPolicy;
}
