import { type CacheEntry, makeEntry } from '../../../src/cache/entry.ts';
import type { ExchangeTimes } from '../../../src/cache/freshness.ts';
import type { CacheRequest } from '../../../src/cache/key.ts';
import { MemoryBody } from '../../../src/cache/memory-body.ts';
import { MemoryStore } from '../../../src/cache/memory-store.ts';
import type { CachePolicy } from '../../../src/cache/policy.ts';
import { type Storable, storability } from '../../../src/cache/storability.ts';
import type { StoredBody } from '../../../src/cache/stored-body.ts';
import type { TtlRule } from '../../../src/cache/ttl.ts';
import type { ResponseHead } from '../../../src/exchange/response-sink.ts';
import { formatHttpDate } from '../../../src/http/date.ts';
import type { HeaderList } from '../../../src/http/headers.ts';

/** A whole second, so that dates and stamps agree. */
export const T0 = Date.UTC(2026, 10, 21, 12, 0, 0);
export const SECOND = 1000;
export const HOUR = 3600 * SECOND;

export const policy: CachePolicy = {
  scope: '',
  key: null,
  defaultTtl: null,
  overrideTtl: null,
  ignore: null,
  ignoreClientNoCache: false,
  setCookie: 'refuse',
  wholeRanges: false,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  earlyHints: false,
  targets: ['cdn-cache-control'],
  objectBytes: 1024 * 1024,
  collapse: null,
  tags: { fields: ['cache-tag', 'surrogate-key'], pass: false },
};

/** One lifetime for what was found. */
export function ttl(found: number): TtlRule {
  return { found, statuses: new Map(), classes: [], any: null };
}

/** A GET for http://shop.test/a. */
export function get(headers: HeaderList = [], rest: Partial<CacheRequest> = {}): CacheRequest {
  const uri = { scheme: 'http', host: 'shop.test', path: '/a', query: null };
  return { method: 'GET', ...uri, keyQuery: rest.query ?? null, partition: '', ...rest, headers };
}

export function at(ms: number): ExchangeTimes {
  return { requestedAtMs: ms, receivedAtMs: ms };
}

/** A response made at `ms`, with a `Date` that says so. */
export function ok(headers: HeaderList, ms = T0, status = 200): ResponseHead {
  return { status, headers: ['Date', formatHttpDate(ms), ...headers] };
}

export function smallStore(maxBytes = 1024 * 1024): MemoryStore {
  return new MemoryStore({ maxBytes, objectBytes: policy.objectBytes });
}

/** The entry for a response that may be stored; a test that meets another one is wrong. */
export function entryOf(
  head: ResponseHead,
  rest: {
    readonly request?: CacheRequest;
    readonly body?: string;
    readonly atMs?: number;
    readonly policy?: CachePolicy;
  } = {},
): CacheEntry {
  const request = rest.request ?? get();
  const atMs = rest.atMs ?? T0;
  return makeEntry({
    request,
    head,
    verdict: allowed(request, head, rest.policy ?? policy, atMs),
    times: at(atMs),
    body: new MemoryBody(rest.body === '' ? [] : [Buffer.from(rest.body ?? 'hello')]),
  });
}

export function allowed(request: CacheRequest, head: ResponseHead, by = policy, atMs = T0): Storable {
  const verdict = storability(request, head, by, atMs);
  if (!verdict.store) throw new Error(`Not storable: ${verdict.why}`);
  return verdict;
}

export function textOf(body: StoredBody | null): string | null {
  return body === null || body.chunks === null ? null : Buffer.concat(body.chunks).toString('latin1');
}
