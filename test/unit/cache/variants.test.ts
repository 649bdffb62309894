import { describe, expect, test } from 'vitest';
import { lookup } from '../../../src/cache/lookup.ts';
import { settle304 } from '../../../src/cache/revalidate.ts';
import type { CacheStore } from '../../../src/cache/store.ts';
import { getHeader, type HeaderList } from '../../../src/http/headers.ts';
import { at, entryOf, get, ok, policy, SECOND, smallStore, T0 } from './origin.ts';

const MINUTE = ['Cache-Control', 'max-age=60', 'Vary', 'Foo'];

function stored(store: CacheStore, foo: string, etag: string, more: HeaderList = []): HeaderList {
  const request = get(['Foo', foo, ...more]);
  store.set(entryOf(ok([...MINUTE, 'ETag', etag]), { request, body: foo }));
  return request.headers;
}

/** Has the variant for `foo` validated at `ms`; the endpoint's 304 has `headers`. */
function validate(store: CacheStore, request: HeaderList, headers: HeaderList, ms: number): void {
  const found = lookup(store, get(request), policy, ms);
  if (found.kind !== 'revalidate') throw new Error(found.kind);
  const head = ok(headers, ms, 304);
  settle304(store, found.entry, { request: get(request), head, policy, times: at(ms), epoch: found.epoch });
}

describe('which stored responses a 304 is about (RFC 9111 §4.3.4)', () => {
  const later = T0 + 90 * SECOND;

  function answersAfter(tags: readonly [string, string], notModified: HeaderList): readonly string[] {
    const store = smallStore();
    const first = stored(store, '1', tags[0]);
    const second = stored(store, '2', tags[1]);
    validate(store, first, notModified, later);
    return [first, second].map((request) => lookup(store, get(request), policy, later).kind);
  }

  test('every variant with the same strong entity tag is fresh again', () => {
    expect(answersAfter(['"v1"', '"v1"'], [...MINUTE, 'ETag', '"v1"'])).toEqual(['hit', 'hit']);
  });

  test.each<[string, readonly [string, string], HeaderList]>([
    ['with another tag', ['"v1"', '"v2"'], [...MINUTE, 'ETag', '"v1"']],
    ['with a weak tag', ['W/"v1"', 'W/"v1"'], [...MINUTE, 'ETag', 'W/"v1"']],
    ['that is weak where the 304 is strong', ['"v1"', 'W/"v1"'], [...MINUTE, 'ETag', '"v1"']],
    ['when the 304 names no tag', ['"v1"', '"v1"'], MINUTE],
    ['when the 304 selects by other fields', ['"v1"', '"v1"'], [...MINUTE, 'Vary', 'Bar', 'ETag', '"v1"']],
  ])('but no other one %s', (_name, tags, notModified) => {
    expect(answersAfter(tags, notModified)[1]).toBe('revalidate');
  });

  test('a variant that is updated so keeps its body and what it was selected by', () => {
    const store = smallStore();
    const first = stored(store, '1', '"v1"');
    const second = stored(store, '2', '"v1"');
    validate(store, first, [...MINUTE, 'ETag', '"v1"', 'X-New', 'yes'], later);
    const found = lookup(store, get(second), policy, later);
    if (found.kind !== 'hit') throw new Error(found.kind);
    expect([found.entry.vary[0]?.raw, getHeader(found.entry.headers, 'x-new')]).toEqual(['2', 'yes']);
    expect(Buffer.concat(found.entry.body.chunks ?? []).toString()).toBe('2');
    expect(store.entries).toBe(2);
  });

  test('a weak entity tag stays weak when a 304 says it without the mark', () => {
    const store = smallStore();
    const request = stored(store, '1', 'W/"v1"');
    validate(store, request, [...MINUTE, 'ETag', '"v1"'], later);
    const found = lookup(store, get(request), policy, later);
    expect(found.kind === 'hit' && found.entry.etag).toBe('W/"v1"');
  });
});

describe('immutable (RFC 8246 §2.1)', () => {
  const head = ok(['Cache-Control', 'max-age=60, immutable', 'ETag', '"v1"']);

  test.each<[string, string, number, string]>([
    ['a reload is answered while it is fresh', 'max-age=0', 10, 'hit'],
    ['so is a wish for a younger one', 'max-age=5', 10, 'hit'],
    ['a forced reload is not', 'no-cache', 10, 'revalidate'],
    ['nor is one that will not be fresh for as long as asked', 'min-fresh=55', 10, 'revalidate'],
    ['nor anything when it is stale', 'max-age=0', 60, 'revalidate'],
  ])('%s', (_name, demand, afterS, kind) => {
    const store = smallStore();
    store.set(entryOf(head));
    expect(lookup(store, get(['Cache-Control', demand]), policy, T0 + afterS * SECOND).kind).toBe(kind);
  });
});
