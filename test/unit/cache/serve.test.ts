import { describe, expect, test } from 'vitest';
import { serveEntry } from '../../../src/cache/serve.ts';
import { getHeader, type HeaderList } from '../../../src/http/headers.ts';
import { entryOf, get, ok, SECOND, T0, textOf } from './origin.ts';

const LAST_MODIFIED = 'Fri, 20 Nov 2026 12:00:00 GMT';
const page = entryOf(
  ok([
    'Cache-Control',
    'max-age=60',
    'ETag',
    '"v1"',
    'Last-Modified',
    LAST_MODIFIED,
    'Content-Type',
    'text/html',
    'Vary',
    'Accept',
    'Content-Location',
    '/a.html',
    'Expires',
    '0',
    'X-Else',
    '1',
  ]),
);

describe('serving a stored response', () => {
  test('§5.1 with its age in whole seconds, and everything that was stored', () => {
    const { head, body } = serveEntry(page, get(), T0 + 1999);
    expect(head).toEqual({ status: 200, headers: [...page.headers, 'Age', '1'] });
    expect(textOf(body)).toBe('hello');
  });

  test('RFC 9110 §9.3.2 HEAD gets the head of GET and no body', () => {
    const { head, body } = serveEntry(page, get([], { method: 'HEAD' }), T0);
    expect(getHeader(head.headers, 'content-length')).toBe('5');
    expect(body).toBeNull();
  });

  test('the list is the caller’s own', () => {
    serveEntry(page, get(), T0).head.headers.push('X-Edited', '1');
    expect(getHeader(page.headers, 'x-edited')).toBeNull();
  });

  test.each<[string, HeaderList, number]>([
    ['the tag matches', ['If-None-Match', '"v1"'], 304],
    ['the tag matches weakly', ['If-None-Match', 'W/"v1"'], 304],
    ['one of several tags', ['If-None-Match', '"v0", "v1"'], 304],
    ['any tag', ['If-None-Match', '*'], 304],
    ['another tag', ['If-None-Match', '"v2"'], 200],
    ['the tag goes before the date', ['If-None-Match', '"v2"', 'If-Modified-Since', LAST_MODIFIED], 200],
    ['not modified since', ['If-Modified-Since', LAST_MODIFIED], 304],
    ['modified since', ['If-Modified-Since', 'Thu, 19 Nov 2026 12:00:00 GMT'], 200],
    ['a date that is none', ['If-Modified-Since', 'yesterday'], 200],
  ])('§4.3.2 %s', (_name, headers, status) => {
    const served = serveEntry(page, get(headers), T0);
    expect(served.head.status).toBe(status);
    expect(served.body === null).toBe(status === 304);
  });

  test('RFC 9110 §15.4.5 a 304 has the fields it must have, and no others', () => {
    const { headers } = serveEntry(page, get(['If-None-Match', '"v1"']), T0 + 5 * SECOND).head;
    const names = headers.filter((_text, i) => i % 2 === 0).map((name) => name.toLowerCase());
    expect(names.sort()).toEqual(['age', 'cache-control', 'content-location', 'date', 'etag', 'expires', 'vary']);
    expect(getHeader(headers, 'age')).toBe('5');
  });

  test('RFC 9110 §15.4.5 without an entity tag the 304 has Last-Modified', () => {
    const dated = entryOf(ok(['Cache-Control', 'max-age=60', 'Last-Modified', LAST_MODIFIED]));
    const { head } = serveEntry(dated, get(['If-Modified-Since', LAST_MODIFIED]), T0);
    expect([head.status, getHeader(head.headers, 'last-modified')]).toEqual([304, LAST_MODIFIED]);
  });

  test('§4.3.2 without Last-Modified, If-Modified-Since is compared with the time of the response', () => {
    const undated = entryOf({ status: 200, headers: ['Cache-Control', 'max-age=60'] }, { atMs: T0 + 700 });
    const statusFor = (since: string) => serveEntry(undated, get(['If-Modified-Since', since]), T0).head.status;
    expect(statusFor('Sat, 21 Nov 2026 12:00:00 GMT')).toBe(304);
    expect(statusFor('Sat, 21 Nov 2026 11:59:59 GMT')).toBe(200);
  });

  test('RFC 9110 §13.2.1 conditions do not apply to a stored error', () => {
    const missing = entryOf(ok(['Cache-Control', 'max-age=60', 'ETag', '"v1"'], T0, 404));
    expect(serveEntry(missing, get(['If-None-Match', '"v1"']), T0).head.status).toBe(404);
  });

  test('a response without a body has no chunks to write', () => {
    const empty = entryOf(ok(['Cache-Control', 'max-age=60'], T0, 204), { body: '' });
    const { head, body } = serveEntry(empty, get(), T0);
    expect(body?.chunks).toEqual([]);
    expect(getHeader(head.headers, 'content-length')).toBeNull();
  });
});
