import { describe, expect, test } from 'vitest';
import { invalidate } from '../../../src/cache/invalidate.ts';
import type { CacheRequest } from '../../../src/cache/key.ts';
import type { HeaderList } from '../../../src/http/headers.ts';
import { entryOf, get, ok, smallStore } from './origin.ts';

const CACHED = ['/a', '/a/b', '/other'];

/** Paths that are still stored after `request` was answered. */
function left(request: CacheRequest, status: number, headers: HeaderList = []): string[] {
  const store = smallStore();
  for (const path of CACHED) store.set(entryOf(ok(['Cache-Control', 'max-age=60']), { request: get([], { path }) }));
  invalidate(store, request, { status, headers });
  return CACHED.filter((path) => store.get(`http://shop.test${path}`).length > 0);
}

describe('invalidation (RFC 9111 §4.4)', () => {
  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'MKCOL', 'get'])('a successful %s invalidates its target', (method) => {
    expect(left(get([], { method }), 200)).toEqual(['/a/b', '/other']);
  });

  test.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY'])('%s is safe and invalidates nothing', (method) => {
    expect(left(get([], { method }), 200)).toEqual(CACHED);
  });

  test.each([
    [204, ['/a/b', '/other']],
    [303, ['/a/b', '/other']],
    [400, CACHED],
    [500, CACHED],
  ])('status %i leaves %j', (status, paths) => {
    expect(left(get([], { method: 'POST' }), status)).toEqual(paths);
  });

  test.each<[string, string, boolean]>([
    ['an absolute path', '/other', true],
    ['the whole URI', 'http://shop.test/other', true],
    ['another spelling of it', 'HTTP://Shop.Test:80/x/../other#top', true],
    ['without the scheme', '//shop.test/other', true],
    ['a relative path', 'other', true],
    ['a relative path upwards', '../other', true],
    ['another host', 'http://evil.test/other', false],
    ['another port', 'http://shop.test:8080/other', false],
    ['another scheme', 'https://shop.test/other', false],
    ['user information in front of the host', 'http://shop.test@evil.test/other', false],
    ['another query', '/other?x=1', false],
    ['no URI at all', 'http:other', false],
    ['nothing', '', false],
  ])('Location and Content-Location: %s', (_name, reference, invalidated) => {
    const expected = invalidated ? ['/a/b'] : ['/a/b', '/other'];
    expect(left(get([], { method: 'POST' }), 201, ['Location', reference])).toEqual(expected);
    expect(left(get([], { method: 'POST' }), 201, ['content-location', reference])).toEqual(expected);
  });

  test('every variant in every partition goes', () => {
    const store = smallStore();
    const vary = ok(['Cache-Control', 'max-age=60', 'Vary', 'Foo']);
    store.set(entryOf(vary, { request: get(['Foo', '1']) }));
    store.set(entryOf(vary, { request: get(['Foo', '2'], { partition: 'beta' }) }));
    expect(invalidate(store, get([], { method: 'DELETE' }), { status: 204, headers: [] })).toBe(2);
    expect(store.bytes).toBe(0);
  });
});
