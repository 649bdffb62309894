import { describe, expect, test } from 'vitest';
import { compileRule } from '../../../src/routing/compiled-rule.ts';
import type { RouteMatch } from '../../../src/routing/route.ts';
import { exact, pattern, prefix, regex, rule } from './rules.ts';

function problems(match: RouteMatch): readonly (readonly [string, string])[] {
  const result = compileRule(rule(match));
  return result.ok ? [] : result.problems.map(({ key, message }) => [key.join('.'), message] as const);
}

describe('rules that do not compile', () => {
  test('every problem is reported at once, each with its place', () => {
    const match = {
      path: regex('('),
      headers: { 'X-A': regex('[') },
      client: ['10.0.0.0/8', '10.0.0.0/33'],
      all: [{ path: pattern('/{a') }, { cookies: { c: regex('(?=x)') } }],
      any: [{ query: { q: regex('*') } }],
      not: { client: ['x'] },
    };
    expect(problems(match).map(([key]) => key)).toEqual([
      'path',
      'headers.X-A',
      'client.1',
      'all.0.path',
      'all.1.cookies.c',
      'any.0.query.q',
      'not.client.0',
    ]);
  });

  test('a regex says what RE2 says', () => {
    expect(problems({ path: regex('a(') })).toEqual([
      ['path', '"a(" is not a regular expression (RE2): missing closing ): `a(`'],
    ]);
  });

  test.each([
    ['/a/{id', 'not a capture'],
    ['/a/x{id}', 'not a capture'],
    ['/a/{id}.json', 'not a capture'],
    ['/a/{1}', 'not a capture'],
    ['/a/{}', 'not a capture'],
    ['/a/{id}/{id}', 'captures "id" twice'],
    ['/{rest...}/a', 'must be the last segment'],
    ['/**/{a}', 'must be the last segment'],
    ['/{a}/*', 'not a wildcard'],
    ['//{a}', 'write "/{a}"'],
    ['/{a}/../{b}', 'write "/{b}"'],
    ['/{a}/b c', 'write "/{a}/b%20c"'],
    ['{a}', 'does not start with "/"'],
  ])('the pattern %s', (value, message) => {
    expect(problems({ path: pattern(value) })[0]?.[1]).toContain(message);
  });

  test.each([
    ['/café', 'write "/caf%C3%A9"'],
    ['/a b', 'write "/a%20b"'],
    ['/%61', 'write "/a"'],
    ['/%2f', 'write "/%2F"'],
    ['/a?b=1', 'stand under "query"'],
    ['/a#b', 'has a "#"'],
    ['/100%', '(bad-escape)'],
    ['/a/../b', 'write "/b"'],
    ['/a/%2e', 'write "/a/"'],
    ['/a/..;x', '(hidden-dot-segment)'],
    ['//a', 'write "/a"'],
    ['/a\\b', 'write "/a%5Cb"'],
    ['/%00', '(encoded-control)'],
  ])('a path that no canonical path can be: %s', (value, message) => {
    expect(problems({ path: exact(value) })[0]?.[1]).toContain(message);
    expect(problems({ path: prefix(value) })[0]?.[1]).toContain(message);
  });

  test.each(['/', '/a//b', '/a;v=1', '/%2F', '/%25', '/.well-known/acme', '/a..b', '/{literal}', '/@~!$&()*+,='])(
    'a path that can be canonical: %s',
    (value) => {
      expect(problems({ path: exact(value) })).toEqual([]);
    },
  );

  test.each([
    ['nowhere', 'not an IP address'],
    ['10.0.0', 'not an IP address'],
    ['010.1.2.3', 'not an IP address'],
    ['fe80::1%eth0', 'not an IP address'],
    ['[::1]', 'not an IP address'],
    ['', 'not an IP address'],
    ['10.0.0.0/', 'prefix length from 0 to 32'],
    ['10.0.0.0/33', 'prefix length from 0 to 32'],
    ['10.0.0.0/08', 'prefix length from 0 to 32'],
    ['10.0.0.0/8/9', 'prefix length from 0 to 32'],
    ['::/129', 'prefix length from 0 to 128'],
    ['::ffff:10.0.0.0/104', 'write the IPv4 network'],
  ])('the network %s', (text, message) => {
    expect(problems({ client: [text] })[0]?.[1]).toContain(message);
  });

  test.each(['10.1.2.3/8', '0.0.0.0/0', '::/0', '::1', 'fd00::/8', '64:ff9b::192.0.2.1', '1:2:3:4:5:6:7:8/64'])(
    'the network %s is fine',
    (text) => {
      expect(problems({ client: [text] })).toEqual([]);
    },
  );
});

describe('rules that compile', () => {
  test('tell what they capture', () => {
    const captures = (match: RouteMatch) => {
      const result = compileRule(rule(match));
      return result.ok ? result.compiled.path.captures : null;
    };
    expect(captures({ path: pattern('/{a}/{b...}') })).toEqual(['a', 'b']);
    expect(captures({ path: regex('(?<x>a)(?P<y>b)(c)') })).toEqual(['x', 'y']);
    expect(captures({ path: exact('/{a}') })).toEqual([]);
    expect(captures({ all: [{ path: pattern('/{a}') }] })).toEqual([]);
  });
});
