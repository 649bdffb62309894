import { describe, expect, test } from 'vitest';
import { hexValue, isDigit, isOws, isRegName, isTchar, isUnreserved, sliceTrimmed } from '../../../src/http/octets.ts';

const codes = Array.from({ length: 0x180 }, (_, code) => code);

describe('character classes are exactly those of the grammar', () => {
  test.each([
    ['tchar (RFC 9110 §5.6.2)', isTchar, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/],
    ['unreserved (RFC 3986 §2.3)', isUnreserved, /^[A-Za-z0-9._~-]$/],
    ['reg-name without escapes (RFC 3986 §3.2.2)', isRegName, /^[A-Za-z0-9._~!$&'()*+,;=-]$/],
    ['DIGIT (RFC 5234)', isDigit, /^[0-9]$/],
    ['OWS (RFC 9110 §5.6.3)', isOws, /^[ \t]$/],
    ['HEXDIG (RFC 5234)', (code: number) => hexValue(code) >= 0, /^[0-9A-Fa-f]$/],
  ])('%s', (_, is, pattern) => {
    expect(codes.filter(is)).toEqual(codes.filter((code) => pattern.test(String.fromCharCode(code))));
    expect(is(Number.NaN)).toBe(false);
  });

  test('hexadecimal digits have their value in either case', () => {
    for (let value = 0; value < 16; value += 1) {
      const digit = value.toString(16);
      expect(hexValue(digit.charCodeAt(0))).toBe(value);
      expect(hexValue(digit.toUpperCase().charCodeAt(0))).toBe(value);
    }
  });
});

test.each([
  ['', ''],
  [' \t', ''],
  ['\t a b \t', 'a b'],
  ['\u00a0a\u00a0', '\u00a0a\u00a0'],
  ['\na', '\na'],
])('sliceTrimmed takes only blanks off %j', (text, trimmed) => {
  expect(sliceTrimmed(text, 0, text.length)).toBe(trimmed);
  expect(sliceTrimmed(`x${text}y`, 1, text.length + 1)).toBe(trimmed);
});
