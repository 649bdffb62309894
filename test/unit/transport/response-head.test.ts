import { describe, expect, test } from 'vitest';
import { decodeFields, framingOf, isBodiless } from '../../../src/transport/response-head.ts';

/** Cuts names and values out of one chunk, as a parser does. */
function cut(text: string): Buffer[] {
  const chunk = Buffer.from(text, 'latin1');
  const parts: Buffer[] = [];
  let at = 0;
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon !== -1) parts.push(chunk.subarray(at, at + colon), chunk.subarray(at + colon + 1, at + line.length));
    at += line.length + 2;
  }
  return parts;
}

describe('field lines of a response (RFC 9112 §5)', () => {
  test('keep order, case and repeats, and are latin1', () => {
    expect(decodeFields(cut('X-B:1\r\nset-cookie:a\r\nSet-Cookie:b\r\nX-Name:J\xf6rg'))).toEqual([
      'X-B',
      '1',
      'set-cookie',
      'a',
      'Set-Cookie',
      'b',
      'X-Name',
      'Jörg',
    ]);
  });

  test('lose whitespace at the end of a value (§5.1), but a transfer coding keeps it to be judged', () => {
    expect(decodeFields(cut('A:b \t\r\nB:\r\nC:  \r\nTransfer-Encoding:chunked\t'))).toEqual([
      'A',
      'b',
      'B',
      '',
      'C',
      '',
      'Transfer-Encoding',
      'chunked\t',
    ]);
  });

  test('may come from several chunks, in any place of memory', () => {
    const name = Buffer.alloc(1, 'A');
    const value = Buffer.from(new Uint8Array([0x62]).buffer);
    expect(decodeFields([name, value, ...cut('C:d')])).toEqual(['A', 'b', 'C', 'd']);
    expect(decodeFields([...cut('C:d'), name, value])).toEqual(['C', 'd', 'A', 'b']);
    expect(decodeFields([...cut('C:d'), name, value, ...cut('E:f')])).toEqual(['C', 'd', 'A', 'b', 'E', 'f']);
    const whole = cut('A:1\r\nB:2');
    expect(decodeFields([whole[2], whole[3], whole[0], whole[1]])).toEqual(['B', '2', 'A', '1']);
  });

  test('may be none', () => {
    expect(decodeFields([])).toEqual([]);
    expect(decodeFields(null)).toEqual([]);
  });
});

describe('the framing of a response (RFC 9112 §6.3)', () => {
  test.each([
    [['Content-Length', '3'], 'length'],
    [['transfer-encoding', 'chunked'], 'chunked'],
    [['Transfer-Encoding', 'Chunked'], 'chunked'],
    [['X-Transfer-Encoding', 'gzip'], 'until-close'],
    [[], 'until-close'],
    [['Transfer-Encoding', 'chunked\t'], null],
    [['Transfer-Encoding', 'chunked '], null],
    [['Transfer-Encoding', 'gzip, chunked'], null],
    [['Transfer-Encoding', 'identity'], null],
    [['Transfer-Encoding', ''], null],
    [['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'], null],
    [['Content-Length', '3', 'Transfer-Encoding', 'chunked'], null],
  ] as const)('%j is %s', (headers, framing) => {
    expect(framingOf(headers)).toBe(framing);
  });

  test.each([
    ['HEAD', 200, true],
    ['GET', 204, true],
    ['GET', 304, true],
    ['GET', 200, false],
    ['GET', 205, false],
  ] as const)('a %s answered %i has no body: %s (RFC 9110 §6.4.1)', (method, status, bodiless) => {
    expect(isBodiless(method, status)).toBe(bodiless);
  });
});
