import { describe, expect, test } from 'vitest';
import { headBlock } from '../../../src/downstream/http1/head-block.ts';
import { frame } from '../../../src/downstream/http1/response-framing.ts';
import { announcedLength, responseFields } from '../../../src/downstream/http2/response-fields.ts';
import { fieldObject } from '../../../src/http/http2-fields.ts';

const chunkable = { status: 200, unchunked: false };

describe('fields of an HTTP/1.1 response', () => {
  test('the very list is passed on when nothing is in the way', () => {
    const headers = ['X-B', '1', 'content-length', '3', 'x-b', '2'];
    const framed = frame(headers, chunkable);
    expect(framed.headers).toBe(headers);
    expect(framed.contentLength).toBe(3);
  });

  test.each([
    ['Connection is ours', ['Connection', 'close', 'A', '1'], chunkable, ['A', '1']],
    ['Transfer-Encoding is ours', ['transfer-encoding', 'chunked', 'A', '1'], chunkable, ['A', '1']],
    ['Keep-Alive is ours', ['A', '1', 'Keep-Alive', 'timeout=9'], chunkable, ['A', '1']],
    ['RFC 9110 §6.5: Trailer stays with chunks', ['Trailer', 'X'], chunkable, ['Trailer', 'X']],
    [
      'RFC 9110 §6.5: Trailer goes with a length',
      ['Trailer', 'X', 'Content-Length', '1'],
      chunkable,
      ['Content-Length', '1'],
    ],
    ['RFC 9110 §6.5: Trailer goes without chunks', ['Trailer', 'X'], { status: 200, unchunked: true }, []],
    [
      'RFC 9110 §8.6: no length in a 204',
      ['Content-Length', '0', 'A', '1'],
      { status: 204, unchunked: true },
      ['A', '1'],
    ],
    [
      'the length goes behind Content-Disposition, whose bytes Node would change',
      ['Content-Length', '3', 'Content-Disposition', 'attachment; filename="\u00c3\u00a9"', 'A', '1'],
      chunkable,
      ['Content-Disposition', 'attachment; filename="\u00c3\u00a9"', 'A', '1', 'Content-Length', '3'],
    ],
  ])('%s', (_name, headers, framing, expected) => {
    expect(frame(headers, framing).headers).toEqual(expected);
  });

  test('no length and a malformed one are both unknown', () => {
    expect(frame([], chunkable).contentLength).toBe(-1);
    expect(frame(['Content-Length', 'x'], chunkable).contentLength).toBe(-1);
  });
});

describe('heads that are written by hand', () => {
  test('keep order, case and repeats', () => {
    expect(headBlock(103, ['Link', '</a>', 'link', '</b>'])).toBe(
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nlink: </b>\r\n\r\n',
    );
  });

  test.each([['a\r\nb'], ['a\nb'], ['a\0b'], ['\u2603']])('a value like %j is never written', (value) => {
    expect(headBlock(101, ['X-A', value])).toBeNull();
    expect(headBlock(101, [value, 'x'])).toBeNull();
  });
});

describe('fields of an HTTP/2 response', () => {
  test('RFC 9113 §8.2: lower case, in order, with repeats, without those of a connection', () => {
    expect(
      responseFields(200, [
        'X-B',
        '1',
        'Connection',
        'close',
        'Transfer-Encoding',
        'chunked',
        'Upgrade',
        'h2c',
        'x-B',
        '2',
      ]),
    ).toEqual([':status', '200', 'x-b', '1', 'x-b', '2']);
  });

  test('a spelling that was met before means the same again, however many others were met', () => {
    const headers = ['Connection', 'x', 'TE', 'gzip', 'te', 'trailers', 'X-A', '1', 'x-\u0103', '2', 'x-\x03', '3'];
    const fields = [':status', '200', 'te', 'trailers', 'x-a', '1', 'x-\u0103', '2', 'x-\x03', '3'];
    expect([responseFields(200, headers), responseFields(200, headers)]).toEqual([fields, fields]);
    const many = Array.from({ length: 2_000 }, (_, i) => (i % 2 === 0 ? `X-${i}` : `${i}`));
    expect(responseFields(200, many)?.slice(2)).toEqual(many.map((text) => text.toLowerCase()));
    expect([responseFields(200, ['Upgrade', 'x']), responseFields(200, headers)]).toEqual([[':status', '200'], fields]);
  });

  test('RFC 9110 §8.6: no length in a 204', () => {
    expect(responseFields(204, ['Content-Length', '0'])).toEqual([':status', '204']);
  });

  test.each([
    ['a line break', ['x', 'a\r\nb']],
    ['a pseudo field', [':path', '/']],
    ['no name', ['', 'x']],
    ['more than an octet', ['x', '\u2603']],
  ])('a head with %s is not sent', (_name, headers) => {
    expect(responseFields(200, headers)).toBeNull();
    expect(fieldObject(headers)).toBeNull();
  });

  test('as an object, repeats are lists and __proto__ is a field', () => {
    expect(Object.entries(fieldObject(['A', '1', 'a', '2', '__proto__', 'x']) ?? {})).toEqual([
      ['a', ['1', '2']],
      ['__proto__', ['x']],
    ]);
  });

  test('the announced length', () => {
    expect(announcedLength(['A', '1', 'content-Length', '42'])).toBe(42);
    expect(announcedLength(['A', '1'])).toBe(-1);
  });
});
