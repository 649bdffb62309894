import { describe, expect, test } from 'vitest';
import { canonicalizeTarget, type PathPolicy } from '../../../src/http/target.ts';

const safe: PathPolicy = {
  dotSegments: 'resolve',
  duplicateSlashes: 'merge',
  encodedSlash: 'refuse',
  backslash: 'refuse',
};
const refusing: PathPolicy = { ...safe, dotSegments: 'refuse', duplicateSlashes: 'refuse' };
const keeping: PathPolicy = { ...safe, duplicateSlashes: 'keep', encodedSlash: 'keep', backslash: 'keep' };
const decoding: PathPolicy = { ...safe, encodedSlash: 'decode', backslash: 'slash' };

function pathOf(target: string, policy = safe): string {
  const result = canonicalizeTarget(target, policy);
  return result.ok ? result.path : `refused: ${result.reason}`;
}

describe('canonicalizeTarget', () => {
  test.each([
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a/b/', '/a/b/'],
    ['/.well-known/acme', '/.well-known/acme'],
    ['/..a/...', '/..a/...'],
    ['/a;v=1/b;c', '/a;v=1/b;c'],
    ["/!$&'()*+,;=:@~-._", "/!$&'()*+,;=:@~-._"],
    ['/caf%C3%A9%20%3F', '/caf%C3%A9%20%3F'],
  ])('%s is canonical already', (target, path) => {
    expect(canonicalizeTarget(target, refusing)).toEqual({ ok: true, path, query: null });
  });

  test.each([
    ['/%61%2D%7e', '/a-~'],
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/a%3a%40b%3B', '/a%3A%40b%3B'],
    ['/%252e%252E/a', '/%252e%252E/a'],
    ['/%2525', '/%2525'],
  ])('%s becomes %s: unreserved decoded, the others upper case (RFC 3986 §6.2.2)', (target, path) => {
    expect(pathOf(target)).toBe(path);
  });

  test.each([
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/a/b/.', '/a/b/'],
    ['/..', '/'],
    ['/.', '/'],
    ['/../../a', '/a'],
    ['/a/%2e%2e/b', '/b'],
    ['/a/.%2E/b', '/b'],
    ['/a/%2e./b', '/b'],
    ['/a/%2e', '/a/'],
    ['/a/b/c/./../../g', '/a/g'],
    ['/api/%2e%2e/admin', '/admin'],
  ])('%s resolves to %s (RFC 3986 §5.2.4)', (target, path) => {
    expect(pathOf(target)).toBe(path);
    expect(pathOf(target, refusing)).toBe('refused: dot-segment');
  });

  test.each([
    ['//a', '/a', '/a'],
    ['/a//b', '/a/b', '/a//b'],
    ['/a//', '/a/', '/a//'],
    ['//', '/', '/'],
    ['/a//../b', '/b', '/a/b'],
    ['/a/..//b', '/b', '/b'],
    ['/.//b', '/b', '/b'],
    ['///evil.test/x', '/evil.test/x', '/evil.test/x'],
  ])('duplicate slashes of %s: merged to %s, kept as %s, refused (RFC 3986 §3.3)', (target, merged, kept) => {
    expect(pathOf(target)).toBe(merged);
    expect(pathOf(target, keeping)).toBe(kept);
    expect(pathOf(target, { ...refusing, dotSegments: 'resolve' })).toBe('refused: duplicate-slash');
  });

  test.each([
    ['/a%2Fb', '/a%2Fb', '/a/b'],
    ['/a%2fb', '/a%2Fb', '/a/b'],
    ['/a%2f%2Fb', '/a%2F%2Fb', '/a/b'],
    ['/%2Fevil.test', '/%2Fevil.test', '/evil.test'],
    ['/a/b%2F', '/a/b%2F', '/a/b/'],
  ])('the encoded slash of %s: kept as %s, decoded to %s, refused', (target, kept, decoded) => {
    expect(pathOf(target, keeping)).toBe(kept);
    expect(pathOf(target, decoding)).toBe(decoded);
    expect(pathOf(target)).toBe('refused: encoded-slash');
  });

  test.each([
    ['/a\\b', '/a%5Cb', '/a/b'],
    ['/a%5cb', '/a%5Cb', '/a/b'],
    ['/\\evil.test', '/%5Cevil.test', '/evil.test'],
  ])('the backslash of %s, escaped or not: kept as %s, a slash in %s, refused', (target, kept, slash) => {
    expect(pathOf(target, keeping)).toBe(kept);
    expect(pathOf(target, decoding)).toBe(slash);
    expect(pathOf(target)).toBe('refused: backslash');
  });

  test.each([
    ['/a%2F..%2Fb', '/b'],
    ['/a\\..\\b', '/b'],
    ['/a/..\\b', '/b'],
    ['/a/%2e%2e%5cb', '/b'],
  ])(
    'dot segments of %s that decoding brings to light are resolved, and refused where separators are kept',
    (target, path) => {
      expect(pathOf(target, decoding)).toBe(path);
      expect(pathOf(target, keeping)).toBe('refused: hidden-dot-segment');
    },
  );

  test.each(['/a/..;/b', '/a/..;x=1', '/.;/', '/a/%2e%2e;/b', '/a/..%3b/b', '/a/..%3Bx', '/a/%2E%2e%3Bx'])(
    '%s is refused under every policy: a parent to some readers only',
    (target) => {
      for (const policy of [safe, refusing, keeping, decoding]) {
        expect(pathOf(target, policy)).toBe('refused: hidden-dot-segment');
      }
    },
  );

  test.each([
    ['', 'not-origin-form'],
    ['a', 'not-origin-form'],
    ['*x', 'not-origin-form'],
    ['*?a', 'not-origin-form'],
    ['?a', 'not-origin-form'],
    ['http://a/', 'not-origin-form'],
    ['/%zz', 'bad-escape'],
    ['/%', 'bad-escape'],
    ['/%4', 'bad-escape'],
    ['/%4?1', 'bad-escape'],
    ['/%?41', 'bad-escape'],
    ['/%%36%31', 'bad-escape'],
    ['/%00', 'encoded-control'],
    ['/a%0d%0Ab', 'encoded-control'],
    ['/%7F', 'encoded-control'],
    ['/a#b', 'fragment'],
    ['/a?b#c', 'fragment'],
    ['/a b', 'space'],
    ['/a?b c', 'space'],
    ['/a\tb', 'control-byte'],
    ['/a?b\r\nX: y', 'control-byte'],
    ['/\u007f', 'control-byte'],
    ['/caf\u00e9', 'non-ascii'],
    ['/?\u00ff', 'non-ascii'],
    ['/\u212a', 'non-ascii'],
  ])('%j is refused: %s (RFC 9112 §3.2, RFC 3986 §2.1)', (target, reason) => {
    expect(canonicalizeTarget(target, keeping)).toEqual({ ok: false, reason });
  });

  test.each([
    ['/', null],
    ['/?', ''],
    ['/?a=1&a=2', 'a=1&a=2'],
    ['/a/../b?x=/../y//%2e%zz%00\\??', 'x=/../y//%2e%zz%00\\??'],
  ])('the query of %s stays %j, byte for byte (RFC 3986 §3.4)', (target, query) => {
    expect(canonicalizeTarget(target, safe)).toMatchObject({ ok: true, query });
  });

  test('"*" is a target of its own (RFC 9112 §3.2.4)', () => {
    expect(canonicalizeTarget('*', refusing)).toEqual({ ok: true, path: '*', query: null });
  });
});
