import { describe, expect, test } from 'vitest';
import { framedHeaders } from '../../../src/transport/request-framing.ts';

describe('Content-Length of a request (RFC 9112 §6.2)', () => {
  test('that is right already is left alone, without a copy', () => {
    const headers = ['Host', 'a', 'content-LENGTH', '5'];
    expect(framedHeaders(headers, 5)).toBe(headers);
    const chunked = ['Host', 'a'];
    expect(framedHeaders(chunked, null)).toBe(chunked);
  });

  test.each([
    [['Host', 'a'], 5, ['Host', 'a', 'Content-Length', '5']],
    [['Content-Length', '7', 'Host', 'a'], 5, ['Host', 'a', 'Content-Length', '5']],
    [['Content-Length', '5', 'Content-Length', '5'], 5, ['Content-Length', '5']],
    [['Content-Length', '5', 'Host', 'a'], null, ['Host', 'a']],
  ] as const)('%j with a body of %s becomes %j', (headers, length, expected) => {
    expect(framedHeaders(headers, length)).toEqual(expected);
  });
});
