import { describe, expect, test } from 'vitest';
import { isIdempotent, isSafe, isToken } from '../../../src/http/method.ts';

describe('methods', () => {
  test.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY'])('%s is safe and idempotent (RFC 9110 §9.2.1)', (method) => {
    expect(isSafe(method)).toBe(true);
    expect(isIdempotent(method)).toBe(true);
  });

  test.each(['PUT', 'DELETE'])('%s is idempotent but not safe (RFC 9110 §9.2.2)', (method) => {
    expect(isSafe(method)).toBe(false);
    expect(isIdempotent(method)).toBe(true);
  });

  test.each(['POST', 'PATCH', 'CONNECT', 'PROPFIND', 'get', ''])(
    '%j is neither (RFC 9110 §9.1: case-sensitive)',
    (method) => {
      expect(isSafe(method)).toBe(false);
      expect(isIdempotent(method)).toBe(false);
    },
  );
});

describe('tokens (RFC 9110 §5.6.2)', () => {
  test.each(['GET', 'X-A_b', "!#$%&'*+-.^_`|~", '0'])('%j is one', (text) => {
    expect(isToken(text)).toBe(true);
  });

  test.each(['', 'a b', 'a:b', 'a/b', '(a)', '"a"', 'a\n', 'é', 'a\u0000', 'a,b', 'Ā'])('%j is none', (text) => {
    expect(isToken(text)).toBe(false);
  });
});
