import { describe, expect, test } from 'vitest';
import type { CacheEntry } from '../../../src/cache/entry.ts';
import type { CacheRequest } from '../../../src/cache/key.ts';
import { lookup, refreshLookup } from '../../../src/cache/lookup.ts';
import type { HeaderList } from '../../../src/http/headers.ts';
import { entryOf, get, ok, policy, SECOND, smallStore, T0 } from './origin.ts';

function storeWith(...entries: readonly CacheEntry[]) {
  const store = smallStore();
  for (const entry of entries) expect(store.set(entry)).toBe(true);
  return store;
}

/** What a request gets `afterMs` after `entry` was stored, as `kind` or `kind why`. */
function found(entry: CacheEntry, request: CacheRequest, afterMs = 0): string {
  const result = lookup(storeWith(entry), request, policy, T0 + afterMs);
  if (result.kind === 'hit' && result.refresh) return 'hit, refresh';
  return 'why' in result ? `${result.kind} ${result.why}` : result.kind;
}

const MINUTE: HeaderList = ['Cache-Control', 'max-age=60', 'ETag', '"v1"'];
const asking = (directives: string): CacheRequest => get(['Cache-Control', directives]);

describe('lookup (RFC 9111 §4)', () => {
  test.each<[string, CacheRequest, number, string]>([
    ['fresh', get(), 59, 'hit'],
    ['stale', get(), 60, 'revalidate stale'],
    ['HEAD is answered from GET', get([], { method: 'HEAD' }), 59, 'hit'],
    ['a stale GET answers no HEAD', get([], { method: 'HEAD' }), 60, 'miss stale'],
    ['another path', get([], { path: '/b' }), 0, 'miss uri-miss'],
    ['another query', get([], { query: 'x' }), 0, 'miss uri-miss'],
    ['another host', get([], { host: 'blog.test' }), 0, 'miss uri-miss'],
    ['another scheme', get([], { scheme: 'https' }), 0, 'miss uri-miss'],
    ['another partition', get([], { partition: 'beta' }), 0, 'miss uri-miss'],
    ['a method that is not cached', get([], { method: 'POST' }), 0, 'bypass method'],
    ['a method in lower case is another one', get([], { method: 'get' }), 0, 'bypass method'],
    ['§5.2.1.4 no-cache', asking('no-cache'), 0, 'revalidate request'],
    ['§5.4 Pragma alone', get(['Pragma', 'no-cache']), 0, 'revalidate request'],
    ['§5.4 Pragma beside Cache-Control', get(['Pragma', 'no-cache', 'Cache-Control', 'max-age=60']), 0, 'hit'],
    ['§5.2.1.5 no-store', asking('no-store'), 0, 'bypass no-store'],
    ['§5.2.1.1 max-age not reached', asking('max-age=30'), 30, 'hit'],
    ['§5.2.1.1 max-age exceeded', asking('max-age=30'), 31, 'revalidate request'],
    ['§5.2.1.1 max-age=0 is a reload', asking('max-age=0'), 0, 'revalidate request'],
    ['§5.2.1.1 a max-age that is none', asking('max-age=x'), 0, 'revalidate request'],
    ['§5.2.1.3 min-fresh left', asking('min-fresh=30'), 30, 'hit'],
    ['§5.2.1.3 min-fresh not left', asking('min-fresh=30'), 31, 'revalidate request'],
    ['§5.2.1.2 max-stale not exceeded', asking('max-stale=10'), 70, 'hit'],
    ['§5.2.1.2 max-stale exceeded', asking('max-stale=10'), 71, 'revalidate stale'],
    ['§5.2.1.2 max-stale without a value', asking('max-stale'), 100_000, 'hit'],
    ['§5.2.1.7 only-if-cached, fresh', asking('only-if-cached'), 0, 'hit'],
    ['§5.2.1.7 only-if-cached, stale', asking('only-if-cached'), 60, 'unsatisfiable'],
    ['§5.2.1.7 only-if-cached, stale and allowed', asking('only-if-cached, max-stale'), 60, 'hit'],
    ['§5.2.1.7 only-if-cached and no-store', asking('only-if-cached, no-store'), 0, 'unsatisfiable'],
    ['§4.3.2 If-Match is for the origin', get(['If-Match', '"v1"']), 0, 'bypass precondition'],
    ['§4.3.2 If-Unmodified-Since too', get(['if-unmodified-since', 'x']), 0, 'bypass precondition'],
    ['§4.3.2 If-None-Match is for the cache', get(['If-None-Match', '"v1"']), 0, 'hit'],
    ['RFC 9110 §14.2 a range of what is stored', get(['Range', 'bytes=0-1']), 0, 'hit'],
    ['a range of what is stale', get(['Range', 'bytes=0-1']), 60, 'revalidate stale'],
    ['a range of what is not stored', get(['Range', 'bytes=0-1'], { path: '/b' }), 0, 'miss uri-miss'],
    ['a body announced by length', get(['Content-Length', '2']), 0, 'bypass request-body'],
    ['a body of unknown length', get(['Transfer-Encoding', 'chunked']), 0, 'bypass request-body'],
    ['an announced body of nothing', get(['Content-Length', '0']), 0, 'hit'],
  ])('%s', (_name, request, afterSeconds, expected) => {
    expect(found(entryOf(ok(MINUTE)), request, afterSeconds * SECOND)).toBe(expected);
  });

  test('§5.2.1.7 only-if-cached and nothing stored', () => {
    expect(lookup(smallStore(), asking('only-if-cached'), policy, T0)).toEqual({ kind: 'unsatisfiable' });
  });

  test.each(['must-revalidate', 'proxy-revalidate', 's-maxage=60'])(
    '§4.2.4 with %s the client’s max-stale does not count',
    (directive) => {
      const entry = entryOf(ok([...MINUTE, 'Cache-Control', directive]));
      expect(found(entry, asking('max-stale'), 60 * SECOND)).toBe('revalidate stale');
    },
  );

  test.each<[string, CacheRequest, number, string]>([
    ['within its time', get(), 60, 'hit, refresh'],
    ['until just before its end', get(), 89, 'hit, refresh'],
    ['not at its end', get(), 90, 'revalidate stale'],
    ['not while it is fresh', get(), 59, 'hit'],
    ['also for HEAD', get([], { method: 'HEAD' }), 60, 'hit, refresh'],
    ['RFC 9111 §5.2.1.4 not with no-cache', asking('no-cache'), 60, 'revalidate stale'],
    ['RFC 9111 §5.2.1.1 not when it is older than the client wants', asking('max-age=60'), 61, 'revalidate stale'],
    ['RFC 9111 §5.2.1.1 but when it is not', asking('max-age=80'), 61, 'hit, refresh'],
    ['RFC 9111 §5.2.1.3 not with min-fresh', asking('min-fresh=1'), 60, 'revalidate stale'],
    ['RFC 9111 §5.2.1.2 not when it is staler than the client wants', asking('max-stale=10'), 71, 'revalidate stale'],
    ['RFC 9111 §5.2.1.2 but when it is not', asking('max-stale=10'), 70, 'hit, refresh'],
    ['RFC 9111 §5.2.1.2 beyond its time the client decides alone', asking('max-stale'), 90, 'hit'],
    ['RFC 9111 §5.2.1.7 also with only-if-cached', asking('only-if-cached'), 60, 'hit, refresh'],
  ])('RFC 5861 §3 stale-while-revalidate: %s', (_name, request, afterSeconds, expected) => {
    const entry = entryOf(ok([...MINUTE, 'Cache-Control', 'stale-while-revalidate=30']));
    expect(found(entry, request, afterSeconds * SECOND)).toBe(expected);
  });

  test.each(['must-revalidate', 'proxy-revalidate', 's-maxage=60', 'no-cache'])(
    'RFC 9111 §4.2.4 %s forbids stale-while-revalidate',
    (directive) => {
      const entry = entryOf(ok([...MINUTE, 'Cache-Control', `stale-while-revalidate=30, ${directive}`]));
      expect(found(entry, get(), 60 * SECOND)).toBe('revalidate stale');
    },
  );

  test('RFC 5861 §3 a refresh asks with the validators there are, or for everything', () => {
    const entry = entryOf(ok(MINUTE));
    expect(refreshLookup(storeWith(entry), entry)).toEqual({
      ...{ kind: 'revalidate', entry, why: 'stale', epoch: 0 },
      conditional: ['If-None-Match', '"v1"'],
    });
    const plain = entryOf(ok(['Cache-Control', 'max-age=60']));
    expect(refreshLookup(storeWith(plain), plain)).toEqual({ kind: 'miss', why: 'stale', epoch: 0 });
  });

  test('§5.2.2.4 no-cache is validated every time, whatever its max-age', () => {
    const entry = entryOf(ok(['Cache-Control', 'no-cache, max-age=60', 'ETag', '"v1"']));
    expect(found(entry, get())).toBe('revalidate stale');
    expect(found(entry, asking('max-stale'))).toBe('revalidate stale');
  });

  test('a stale response without a validator is a miss', () => {
    expect(found(entryOf(ok(['Cache-Control', 'max-age=60'])), get(), 60 * SECOND)).toBe('miss stale');
  });

  test('§4.3.1 all validators there are go into the conditional request', () => {
    const lastModified = 'Fri, 20 Nov 2026 12:00:00 GMT';
    const store = storeWith(entryOf(ok([...MINUTE, 'Last-Modified', lastModified])));
    expect(lookup(store, get(), policy, T0 + 60 * SECOND)).toMatchObject({
      conditional: ['If-None-Match', '"v1"', 'If-Modified-Since', lastModified],
    });
  });

  test('what was asked for is evicted after what was not', () => {
    const [one, two, three] = ['/1', '/2', '/3'].map((path) => entryOf(ok(MINUTE), { request: get([], { path }) })) as [
      CacheEntry,
      CacheEntry,
      CacheEntry,
    ];
    const store = smallStore(2 * one.bytes);
    for (const entry of [one, two]) store.set(entry);
    expect(lookup(store, get([], { path: '/1' }), policy, T0).kind).toBe('hit');
    // It has to be asked for more often than what goes for it.
    for (let i = 0; i < 3; i += 1) store.set(three);
    expect([store.has(one), store.has(two), store.has(three)]).toEqual([true, false, true]);
  });

  test('a hit says how much freshness is left, negative when stale', () => {
    const store = storeWith(entryOf(ok(MINUTE)));
    expect(lookup(store, get(), policy, T0 + 20 * SECOND)).toMatchObject({ ttlMs: 40 * SECOND });
    expect(lookup(store, asking('max-stale'), policy, T0 + 70 * SECOND)).toMatchObject({ ttlMs: -10 * SECOND });
  });
});

describe('variants (RFC 9111 §4.1)', () => {
  const variant = (language: string, headers: HeaderList = [], atMs = T0): CacheEntry =>
    entryOf(ok([...MINUTE, 'Vary', 'Accept-Language', ...headers], atMs), {
      request: get(['Accept-Language', language]),
      body: language,
      atMs,
    });

  test('each request gets the variant that was stored for one like it', () => {
    const store = storeWith(variant('de'), variant('en'));
    for (const language of ['de', 'en']) {
      const result = lookup(store, get(['accept-language', language.toUpperCase()]), policy, T0);
      expect(result.kind === 'hit' && Buffer.from(result.entry.body.chunks?.[0] ?? []).toString()).toBe(language);
    }
  });

  test('a request without a variant misses, and says so', () => {
    expect(lookup(storeWith(variant('de')), get(['Accept-Language', 'fr']), policy, T0)).toMatchObject({
      kind: 'miss',
      why: 'vary-miss',
    });
  });

  test('§4 of two that match the one with the later Date answers, in whatever order they came', () => {
    const older = entryOf(ok(MINUTE, T0 - 5 * SECOND), { body: 'older' });
    const newer = variant('de');
    for (const store of [storeWith(older, newer), storeWith(newer, older)]) {
      expect(lookup(store, get(['Accept-Language', 'de']), policy, T0)).toMatchObject({ entry: newer });
      expect(lookup(store, get(['Accept-Language', 'fr']), policy, T0)).toMatchObject({ entry: older });
    }
  });

  test('what was stored with Set-Cookie is not served once the route forbids it', () => {
    const lenient = { ...policy, setCookie: new Set(['a']) };
    const store = storeWith(entryOf(ok([...MINUTE, 'Set-Cookie', 'a=b']), { policy: lenient }));
    expect(lookup(store, get(), lenient, T0).kind).toBe('hit');
    expect(lookup(store, get(), policy, T0).kind).toBe('miss');
  });
});
