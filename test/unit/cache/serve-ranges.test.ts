import { describe, expect, test } from 'vitest';
import type { CacheEntry } from '../../../src/cache/entry.ts';
import { type Served, serveEntry } from '../../../src/cache/serve.ts';
import { getHeader, getHeaders, type HeaderList } from '../../../src/http/headers.ts';
import { BufferSink } from '../../kit/buffer-sink.ts';
import { entryOf, get, ok, SECOND, T0 } from './origin.ts';

const LAST_MODIFIED = 'Fri, 20 Nov 2026 12:00:00 GMT';
const BODY = '0123456789';
const VALID = ['Cache-Control', 'max-age=60', 'ETag', '"v1"', 'Last-Modified', LAST_MODIFIED, 'Content-Type', 'a/b'];
const digits = entryOf(ok(VALID), { body: BODY });

function served(range: string, more: HeaderList = [], entry: CacheEntry = digits): Served {
  return serveEntry(entry, get(['Range', range, ...more]), T0 + 3 * SECOND);
}

/** The bytes that go out. */
function sent({ body, span }: Served): string | null {
  if (body === null) return null;
  const sink = new BufferSink();
  body.read(span).pipe(sink);
  expect(sink.ended).toBe(true);
  return sink.text;
}

describe('ranges of a stored response (RFC 9110 §14, §15.3.7)', () => {
  test.each([
    ['bytes=0-1', '01', 'bytes 0-1/10'],
    ['bytes=4-', '456789', 'bytes 4-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=0-', BODY, 'bytes 0-9/10'],
    ['bytes=8-99', '89', 'bytes 8-9/10'],
    ['bytes=0-1,2-5', '012345', 'bytes 0-5/10'],
    // Nearer than what another part would cost.
    ['bytes=0-0,-1', BODY, 'bytes 0-9/10'],
  ])('%s is %s', (range, text, contentRange) => {
    const answer = served(range);
    expect(answer.head.status).toBe(206);
    expect(sent(answer)).toBe(text);
    const { headers } = answer.head;
    expect(getHeaders(headers, 'content-range')).toEqual([contentRange]);
    expect(getHeaders(headers, 'content-length')).toEqual([String(text.length)]);
    expect(
      ['etag', 'last-modified', 'content-type', 'cache-control', 'age'].map((name) => getHeader(headers, name)),
    ).toEqual(['"v1"', LAST_MODIFIED, 'a/b', 'max-age=60', '3']);
  });

  test('§15.5.17 what lies beyond the end is 416, which says how much there is and may not be kept', () => {
    const { head, body } = served('bytes=10-');
    expect(head.status).toBe(416);
    expect(body).toBeNull();
    expect(getHeader(head.headers, 'content-range')).toBe('bytes */10');
    expect(getHeader(head.headers, 'content-length')).toBe('0');
    expect(getHeader(head.headers, 'cache-control')).toBeNull();
  });

  test.each<[string, HeaderList, number]>([
    ['malformed', ['Range', 'bytes=x'], 200],
    ['another unit', ['Range', 'lines=0-1'], 200],
    ['§13.1.5 If-Range with the tag', ['Range', 'bytes=0-1', 'If-Range', '"v1"'], 206],
    ['§13.1.5 If-Range with another tag', ['Range', 'bytes=0-1', 'If-Range', '"v0"'], 200],
    ['§13.1.5 If-Range with a weak tag', ['Range', 'bytes=0-1', 'If-Range', 'W/"v1"'], 200],
    ['§13.1.5 If-Range with the date', ['Range', 'bytes=0-1', 'If-Range', LAST_MODIFIED], 206],
    ['§13.1.5 If-Range with another date', ['Range', 'bytes=0-1', 'If-Range', 'Fri, 20 Nov 2026 12:00:01 GMT'], 200],
    ['§13.1.5 an impossible range of another version', ['Range', 'bytes=10-', 'If-Range', '"v0"'], 200],
    ['§13.2.2 If-None-Match comes before Range', ['Range', 'bytes=0-1', 'If-None-Match', '"v1"'], 304],
    ['§13.2.2 and before an impossible one', ['Range', 'bytes=10-', 'If-None-Match', 'W/"v1"'], 304],
    ['§13.2.2 If-None-Match that is met', ['Range', 'bytes=0-1', 'If-None-Match', '"v0"'], 206],
    ['§13.2.2 If-Modified-Since comes before Range', ['Range', 'bytes=0-1', 'If-Modified-Since', LAST_MODIFIED], 304],
  ])('%s', (_name, fields, status) => {
    const answer = serveEntry(digits, get(fields), T0);
    expect(answer.head.status).toBe(status);
    if (status === 200) expect(sent(answer)).toBe(BODY);
  });

  test('§14.2 HEAD has no ranges, and neither has what is no 200', () => {
    const head = serveEntry(digits, get(['Range', 'bytes=0-1'], { method: 'HEAD' }), T0);
    expect([head.head.status, getHeader(head.head.headers, 'content-length')]).toEqual([200, '10']);
    const gone = entryOf(ok(VALID, T0, 410), { body: BODY });
    expect(served('bytes=0-1', [], gone).head.status).toBe(410);
  });

  test('nothing has no ranges', () => {
    const empty = entryOf(ok(VALID), { body: '' });
    expect(served('bytes=0-', [], empty).head.status).toBe(200);
  });

  test('§14.3 a stored 200 says that ranges can be had, unless its origin says something of it', () => {
    expect(getHeader(digits.headers, 'accept-ranges')).toBe('bytes');
    expect(getHeaders(entryOf(ok([...VALID, 'Accept-Ranges', 'none'])).headers, 'accept-ranges')).toEqual(['none']);
    expect(getHeader(entryOf(ok(VALID, T0, 404)).headers, 'accept-ranges')).toBeNull();
  });
});

describe('several parts (RFC 9110 §14.6)', () => {
  const text = 'abcdefghij'.repeat(100);
  const long = entryOf(ok(VALID), { body: text });

  test('are multipart/byteranges of exactly the announced length, in the order in which they were asked for', () => {
    const answer = served('bytes=500-509, 0-4, 2000-, 505-514', [], long);
    const { headers } = answer.head;
    const type = getHeader(headers, 'content-type') ?? '';
    const boundary = /^multipart\/byteranges; boundary=([\w-]+)$/.exec(type)?.[1];
    const body = sent(answer) ?? '';
    expect(answer.head.status).toBe(206);
    expect(getHeader(headers, 'content-range')).toBeNull();
    expect(getHeaders(headers, 'content-length')).toEqual([String(body.length)]);
    expect(body).toBe(
      `--${boundary}\r\nContent-Type: a/b\r\nContent-Range: bytes 500-514/1000\r\n\r\n${text.slice(500, 515)}` +
        `\r\n--${boundary}\r\nContent-Type: a/b\r\nContent-Range: bytes 0-4/1000\r\n\r\n${text.slice(0, 5)}` +
        `\r\n--${boundary}--\r\n`,
    );
  });

  test('no two answers have the same boundary', () => {
    const types = [1, 2].map(() => getHeader(served('bytes=0-4,500-504', [], long).head.headers, 'content-type'));
    expect(types[0]).not.toBe(types[1]);
  });

  test('a reader that takes one chunk at a time gets them all, and one that leaves gets no more', () => {
    const { body } = served('bytes=0-4,500-504', [], long);
    const slow = new BufferSink({ takes: 1 });
    const source = body?.read(null);
    source?.pipe(slow);
    const before = slow.text;
    expect(slow.ended).toBe(false);
    while (!slow.ended) slow.drain();
    expect(slow.text.length).toBe(body?.length);
    expect(slow.text.startsWith(before)).toBe(true);
    const gone = new BufferSink({ takes: 1 });
    const other = body?.read(null);
    other?.pipe(gone);
    other?.discard();
    const left = gone.text;
    gone.drain();
    expect(gone.text).toBe(left);
  });
});
