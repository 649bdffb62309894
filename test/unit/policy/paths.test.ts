import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PATH_DOUBTS, type PathDoubt, pathsPolicy } from '../../../src/policy/paths.ts';
import { requestFor } from './policy-request.ts';

/** Every reason that a path is refused for, one doubt refused at a time. */
function reasons(target: string, path?: string): string[] {
  return PATH_DOUBTS.flatMap((doubt) => reasonOf([doubt], target, path) ?? []);
}

function reasonOf(refuse: readonly PathDoubt[], target: string, path?: string): string | null {
  const verdict = pathsPolicy({ refuse: new Set(refuse), dryRun: false }).admit(requestFor(target, path));
  if (verdict?.kind !== 'refuse') return null;
  expect([verdict.error.status, verdict.error.code]).toEqual([400, 'http_request_error']);
  return verdict.error.reason;
}

describe('a path that nobody could doubt', () => {
  test.each([
    '/',
    '/a/b.c/d',
    '/.well-known/acme-challenge/x',
    '/a/..b/c../.../d',
    '/%E2%82%AC/%F0%9F%98%80/%C3%A9',
    '/caf%C3%A9%20au%20lait',
    '/100%25',
    '/100%25/x',
    '/a?x=%2F..//\\;%FF%2525',
    '*',
  ])('%s', (target) => {
    expect(reasons(target)).toEqual([]);
  });
});

describe('a path with', () => {
  test.each([
    ['an escaped slash', '/a%2Fb', ['path-encoded-slash']],
    ['one in lower case', '/a%2fb', ['path-encoded-slash']],
    ['a dot segment', '/a/../b', ['path-dot-segment']],
    ['one at its end', '/a/..', ['path-dot-segment']],
    ['a single dot', '/./a', ['path-dot-segment']],
    ['dots that are escaped', '/a/%2e%2E/b', ['path-dot-segment']],
    ['dots, one of them escaped', '/a/.%2e', ['path-dot-segment']],
    ['dots before a parameter', '/a/..;x=1/b', ['path-dot-segment', 'path-semicolon']],
    ['dots before an escaped slash', '/a/..%2fb', ['path-encoded-slash', 'path-dot-segment']],
    ['dots behind a backslash', '/a\\..\\b', ['path-dot-segment', 'path-backslash']],
    ['two slashes', '/a//b', ['path-duplicate-slash']],
    ['two at its begin', '//a', ['path-duplicate-slash']],
    ['two, one of them escaped', '/a/%2Fb', ['path-encoded-slash', 'path-duplicate-slash']],
    ['a backslash', '/a\\b', ['path-backslash']],
    ['an escaped backslash', '/a%5cb', ['path-backslash']],
    ['a parameter', '/a;v=1/b', ['path-semicolon']],
    ['an escaped one', '/a%3Bv', ['path-semicolon']],
    ['an octet that is no UTF-8', '/%FF', ['path-non-utf8']],
    ['a character that is cut off', '/%E2%82', ['path-non-utf8']],
    ['one that a letter cuts off', '/%E2%82a', ['path-non-utf8']],
    ['a slash that is overlong', '/%C0%AF', ['path-non-utf8']],
    ['one of three octets', '/%E0%80%AF', ['path-non-utf8']],
    ['a surrogate', '/%ED%A0%80', ['path-non-utf8']],
    ['a number beyond Unicode', '/%F4%90%80%80', ['path-non-utf8']],
    ['escapes for whoever decodes twice', '/%252e%252e/x', ['path-double-encoding']],
    ['the same at its end', '/a%252f', ['path-double-encoding']],
  ])('%s: %s', (_, target, expected) => {
    expect(reasons(target)).toEqual(expected);
  });
});

test('what the listener has changed is judged as it was sent, and what came of it too', () => {
  expect(reasonOf(['dotSegments'], '/a/%2e%2e/b', '/b')).toBe('path-dot-segment');
  expect(reasonOf(['duplicateSlashes'], '/a%2F/b', '/a//b')).toBe('path-duplicate-slash');
  expect(reasonOf(['backslash'], '/a%5Cb', '/a/b')).toBe('path-backslash');
});

test('a dry run refuses nothing, and notes what it would have', () => {
  const request = requestFor('/a;b');
  expect(pathsPolicy({ refuse: new Set(['semicolon']), dryRun: true }).admit(request)).toBeNull();
  expect(request.notes).toEqual(['path-semicolon:dry-run']);
});

test('escapes are UTF-8 whenever they can be decoded, and never otherwise', () => {
  const escapes = fc.uint8Array({ minLength: 1, maxLength: 6 }).map((octets) =>
    Buffer.from(octets.map((octet) => octet | 0x80))
      .toString('hex')
      .replace(/../g, '%$&'),
  );
  const property = fc.property(escapes, (text) => {
    let isUtf8 = true;
    try {
      decodeURIComponent(text);
    } catch {
      isUtf8 = false;
    }
    expect(reasonOf(['nonUtf8'], `/${text}`)).toBe(isUtf8 ? null : 'path-non-utf8');
  });
  fc.assert(property, { seed: 5, numRuns: 1_000 });
});
