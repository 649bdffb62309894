import { isTchar } from './octets.ts';

/** What the cache did with a request (RFC 9211 §2). The fields of `fwd` mean nothing on a hit and are left out of it. */
export interface CacheStatus {
  readonly result: 'hit' | 'fwd';
  /** Why the request went on to the endpoint; `miss` unless given. */
  readonly fwd?: 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale' | 'partial' | undefined;
  readonly fwdStatus?: number | undefined;
  /** Freshness left in seconds, negative when stale; rounded down. */
  readonly ttlS?: number | undefined;
  readonly stored?: boolean | undefined;
  readonly collapsed?: boolean | undefined;
  /** Anything more precise, e.g. why a response was not stored. Visible ASCII; other characters become `?`. */
  readonly detail?: string | undefined;
}

/** How this cache calls itself in `Cache-Status` (RFC 9211 §2). */
export const CACHE_NAME = 'headgate';

/** Our member of the Cache-Status list: `headgate; hit; ttl=12`, `headgate; fwd=miss; fwd-status=200; stored`. */
export function cacheStatus(s: CacheStatus): string {
  let member = s.result === 'hit' ? `${CACHE_NAME}; hit` : `${CACHE_NAME}; fwd=${s.fwd ?? 'miss'}`;
  if (s.result === 'fwd') {
    if (s.fwdStatus !== undefined) member += `; fwd-status=${s.fwdStatus}`;
    if (s.stored === true) member += '; stored';
    if (s.collapsed === true) member += '; collapsed';
  }
  if (s.ttlS !== undefined) member += `; ttl=${Math.floor(s.ttlS)}`;
  if (s.detail !== undefined) member += `; detail=${bareItem(s.detail)}`;
  return member;
}

/** A Token where it can be one, else a String (RFC 9651 §3.3.3, §3.3.4). */
function bareItem(text: string): string {
  if (isStructuredToken(text)) return text;
  return `"${text.replace(/[^ -~]/g, '?').replace(/["\\]/g, '\\$&')}"`;
}

function isStructuredToken(text: string): boolean {
  if (!/^[A-Za-z*]/.test(text)) return false;
  for (let i = 1; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (!isTchar(code) && code !== 0x3a && code !== 0x2f) return false;
  }
  return true;
}
