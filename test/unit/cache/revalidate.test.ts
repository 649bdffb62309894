import { describe, expect, test } from 'vitest';
import { currentAge, remainingMs } from '../../../src/cache/freshness.ts';
import { lookup } from '../../../src/cache/lookup.ts';
import { apply304, belongsTo, settle304, supersede } from '../../../src/cache/revalidate.ts';
import { getHeader, getHeaders, type HeaderList } from '../../../src/http/headers.ts';
import { at, entryOf, get, ok, policy, SECOND, smallStore, T0, textOf } from './origin.ts';

const LATER = T0 + 100 * SECOND;
const LAST_MODIFIED = 'Fri, 20 Nov 2026 12:00:00 GMT';
const page = entryOf(
  ok([
    'Cache-Control',
    'max-age=60',
    'ETag',
    '"v1"',
    'Last-Modified',
    LAST_MODIFIED,
    'X-Gone',
    'stays',
    'Link',
    '<a>',
    'Link',
    '<b>',
  ]),
);

function confirm(headers: HeaderList, entry = page) {
  return apply304(entry, { request: get(), head: { status: 304, headers }, policy, times: at(LATER) });
}

describe('a 304 belongs to the stored response (RFC 9111 §4.3.4)', () => {
  test.each<[string, HeaderList, boolean]>([
    ['no validator: it can only be about the one that was named', [], true],
    ['the same tag', ['ETag', '"v1"'], true],
    ['the tag of a compressed 200, weakened by the endpoint', ['ETag', 'W/"v1"'], true],
    ['another tag', ['ETag', '"v2"'], false],
    ['another tag and the same date', ['ETag', '"v2"', 'Last-Modified', LAST_MODIFIED], false],
    ['the same date', ['Last-Modified', LAST_MODIFIED], true],
    ['a later date', ['Last-Modified', 'Sat, 21 Nov 2026 11:00:00 GMT'], false],
    ['a date that is none', ['Last-Modified', 'yesterday'], true],
  ])('%s', (_name, headers, expected) => {
    expect(belongsTo(page, { status: 304, headers })).toBe(expected);
  });
});

describe('updating from a 304 (RFC 9111 §3.2, §4.3.4)', () => {
  test('it is fresh again from the time of the 304', () => {
    const { keep } = confirm([]);
    expect(keep !== null && remainingMs(keep, LATER + 59 * SECOND)).toBeGreaterThan(0);
    expect(keep !== null && remainingMs(keep, LATER + 60 * SECOND)).toBeLessThanOrEqual(0);
    expect(keep !== null && currentAge(keep, LATER)).toBe(0);
  });

  test('the age of the 304 counts', () => {
    const { keep } = confirm(['Age', '10']);
    expect(keep !== null && currentAge(keep, LATER)).toBe(10);
  });

  test('its fields replace the stored ones line by line, and what it does not mention stays', () => {
    const { keep } = confirm(['cache-control', 'max-age=5', 'Link', '<c>', 'X-New', '1']);
    const headers = keep?.headers ?? [];
    expect(keep?.freshMs).toBe(5 * SECOND);
    expect(getHeaders(headers, 'link')).toEqual(['<c>']);
    expect(getHeader(headers, 'x-new')).toBe('1');
    expect(getHeader(headers, 'x-gone')).toBe('stays');
    expect(getHeaders(headers, 'date')).toHaveLength(1);
  });

  test.each(['Content-Length', 'Content-Encoding', 'Content-Range', 'Content-Digest', 'Connection', 'Keep-Alive'])(
    '%s of a 304 changes nothing that is stored',
    (name) => {
      const { keep } = confirm([name, '99']);
      expect(getHeader(keep?.headers ?? [], name.toLowerCase())).toBe(getHeader(page.headers, name.toLowerCase()));
    },
  );

  test.each(['Repr-Digest', 'Digest', 'Accept-Ranges'])(
    '%s of a 304 is not about a body that was altered here',
    (name) => {
      const altered = { ...page, altered: true, endpointTag: '"v1"', etag: 'W/"v1"' };
      expect(getHeader(confirm([name, 'x']).keep?.headers ?? [], name.toLowerCase())).toBe('x');
      expect(getHeader(confirm([name, 'x'], altered).keep?.headers ?? [], name.toLowerCase())).not.toBe('x');
    },
  );

  test('the body is the stored one, not a copy', () => {
    const { serve, keep } = confirm([]);
    expect(keep?.body).toBe(page.body);
    expect(textOf(serve.body)).toBe('hello');
  });

  test.each(['no-store', 'private'])('a 304 with %s answers this request and forbids to keep it', (directive) => {
    const { serve, keep } = confirm(['Cache-Control', directive]);
    expect(keep).toBeNull();
    expect(textOf(serve.body)).toBe('hello');
  });

  test('a cookie of a 304 reaches this client and is not kept', () => {
    const { serve, keep } = confirm(['Set-Cookie', 'id=1']);
    expect(getHeader(serve.headers, 'set-cookie')).toBe('id=1');
    expect(keep).toBeNull();
  });

  test('§5.2.2.4 a field that no-cache names passes with the validation that brought it, and only then', () => {
    const { serve, keep } = confirm(['Cache-Control', 'max-age=60, no-cache="X-User"', 'X-User', 'eve']);
    expect(getHeader(serve.headers, 'x-user')).toBe('eve');
    expect(keep !== null && getHeader(keep.headers, 'x-user')).toBeNull();
  });
});

describe('settling a validation in the store', () => {
  const validation = (headers: HeaderList = []) => ({
    request: get(),
    head: { status: 304, headers },
    policy,
    times: at(LATER),
    epoch: 0,
  });

  test('the updated entry takes the old one’s place', () => {
    const store = smallStore();
    store.set(page);
    const settled = settle304(store, page, validation());
    expect(settled).toMatchObject({ kind: 'confirmed', stored: true });
    expect(store.entries).toBe(1);
    expect(lookup(store, get(), policy, LATER)).toMatchObject({ kind: 'hit' });
  });

  test('a 304 that is about something else drops the entry and asks for a plain request', () => {
    const store = smallStore();
    store.set(page);
    expect(settle304(store, page, validation(['ETag', '"v2"']))).toEqual({ kind: 'mismatch' });
    expect(store.entries).toBe(0);
  });

  test('§4.4 an entry that was invalidated meanwhile answers this request and does not come back', () => {
    const store = smallStore();
    store.set(page);
    store.delete(page.key);
    expect(settle304(store, page, validation())).toMatchObject({ kind: 'confirmed', stored: false });
    expect(store.entries).toBe(0);
  });

  test('a 304 that makes it private takes it out of the store', () => {
    const store = smallStore();
    store.set(page);
    expect(settle304(store, page, validation(['Cache-Control', 'private']))).toMatchObject({ stored: false });
    expect(store.entries).toBe(0);
  });

  test('a new Vary moves the entry to its new selection', () => {
    const store = smallStore();
    store.set(page);
    settle304(store, page, { ...validation(['Vary', 'Foo']), request: get(['Foo', '1']) });
    expect(store.entries).toBe(1);
    expect(lookup(store, get(), policy, LATER)).toMatchObject({ kind: 'miss', why: 'vary-miss' });
  });

  test.each([
    [200, 0],
    [404, 0],
    [410, 0],
    [401, 1],
    [429, 1],
    [431, 1],
    [500, 1],
    [503, 1],
  ])('§4.3.3 a %i instead of a 304, which is not stored itself, leaves %i entries', (status, entries) => {
    const store = smallStore();
    store.set(page);
    supersede(store, page, status);
    expect(store.entries).toBe(entries);
  });
});
