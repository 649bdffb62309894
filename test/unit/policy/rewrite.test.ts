import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalizeTarget } from '../../../src/http/target.ts';
import { compileRewrite, type RewriteConfig } from '../../../src/policy/rewrite.ts';
import { upstreamPath } from '../../../src/policy/upstream-path.ts';
import { asQuery, problemsOf, variables, working } from './exchange-facts.ts';

function rewritten(config: RewriteConfig, path: string, matchedPrefix: string | null = null): string {
  return working(compileRewrite(config, [], { matchedPrefix }))(path, variables({ path }));
}

describe('stripPrefix', () => {
  test.each([
    ['/api', '/api/users', '/users'],
    ['/api', '/api', '/'],
    ['/api', '/api/', '/'],
    ['/api/', '/api/users', '/users'],
    ['/api', '/apiary', '/apiary'],
    ['/api', '/v1/api', '/v1/api'],
    ['/api', '/api//x', '/x'],
    ['/a/b', '/a/b/c', '/c'],
    ['/', '/a', '/a'],
    ['/caf%c3%a9', '/caf%C3%A9/x', '/x'],
    ['/café', '/caf%C3%A9/x', '/x'],
    ['/%61pi', '/api/x', '/x'],
  ])('%s: %s goes upstream as %s', (stripPrefix, path, upstream) => {
    expect(rewritten({ stripPrefix }, path)).toBe(upstream);
  });

  test('a prefix that no path of the route has is an error', () => {
    expect(problemsOf(compileRewrite({ stripPrefix: '/apis' }, [], { matchedPrefix: '/api' }))).toEqual([
      'stripPrefix: no path of this route starts with "/apis": it matches "/api/**"',
    ]);
    expect(rewritten({ stripPrefix: '/api' }, '/api/v1/x', '/api/v1')).toBe('/v1/x');
    expect(rewritten({ stripPrefix: '/api/v1' }, '/api/v1/x', '/api')).toBe('/x');
  });
});

describe('prefix', () => {
  // The table of the Gateway API's ReplacePrefixMatch.
  test.each([
    ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
    ['/foo/bar', '/foo/', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo/', '/xyz/', '/xyz/bar'],
    ['/foo', '/foo', '/xyz', '/xyz'],
    ['/foo/', '/foo', '/xyz', '/xyz/'],
    ['/foo/bar', '/foo', '/', '/bar'],
    ['/foo/', '/foo', '/', '/'],
    ['/foo', '/foo', '/', '/'],
    ['/bar', '/', '/xyz', '/xyz/bar'],
  ])('%s below %s replaced by %s goes upstream as %s', (path, matched, prefix, upstream) => {
    expect(rewritten({ prefix }, path, matched)).toBe(upstream);
  });

  test.each([
    [{ prefix: '/x' }, null, /^prefix: .*this route matches none/],
    [{ prefix: '/{tenant}' }, '/a', /^prefix: prefix takes no variables/],
    [{ prefix: '/a?b' }, '/a', /^prefix: "\/a\?b" is not a path prefix/],
    [{ stripPrefix: '/a/../b' }, null, /^stripPrefix: .*dot segment/],
  ])('%j is refused', (config, matchedPrefix, message) => {
    expect(problemsOf(compileRewrite(config, [], { matchedPrefix }))).toEqual([expect.stringMatching(message)]);
  });
});

describe('path', () => {
  const rewrite = (path: string, facts = variables()): string =>
    working(
      compileRewrite(
        { path },
        facts.captures.filter((_, i) => i % 2 === 0),
        { matchedPrefix: null },
      ),
    )('/ignored', facts);

  test('captures keep their bytes, slashes included', () => {
    const facts = variables({ captures: ['id', 'a%2Fb', 'rest', 'c/d%20e'] });
    expect(rewrite('/v2/{id}/{rest}', facts)).toBe('/v2/a%2Fb/c/d%20e');
  });

  test('other text becomes one segment', () => {
    expect(rewrite('/u/{query.q}/x', variables({ query: asQuery('q', 'a/b?c#d é%') }))).toBe(
      '/u/a%2Fb%3Fc%23d%20%C3%A9%25/x',
    );
  });

  test.each([
    ['../../etc/passwd', '/files/etc%2Fpasswd'],
    ['..', '/files/'],
    ['..;x/y', '/files/y'],
    ['..\\..\\x', '/files/x'],
    ['a/./b', '/files/a%2Fb'],
    ['%2e%2e/x', '/files/%252e%252e%2Fx'],
    ['a\0b', '/files/ab'],
    ['...', '/files/...'],
  ])('a client that sends %j does not leave the directory', (value, path) => {
    expect(rewrite('/files/{query.q}', variables({ query: asQuery('q', value) }))).toBe(path);
  });

  test.each([
    ['/new?x=1', /no "\?" or "#"/],
    ['/a/../b', /dot|"\.\."/],
    ['/x{uri}', /\{uri\} has the query in it/],
    ['/a\tb', /control characters/],
    ['/{idd}', /did you mean \{id\}/],
  ])('%s is refused', (path, message) => {
    expect(problemsOf(compileRewrite({ path }, ['id'], { matchedPrefix: null }))).toEqual([
      expect.stringMatching(message),
    ]);
  });
});

describe('regex', () => {
  test.each([
    ['^/v(\\d+)/(.*)$', '/$2/version-$1', '/v2/users', '/users/version-2'],
    ['o', '0', '/foo/zoo', '/f00/z00'],
    ['^/nothing', '/x', '/foo', '/foo'],
    ['^/(a)', '/$10', '/a', '/a0'],
    ['^/a', '/$$', '/a', '/$'],
    ['^/a', '/b$', '/a', '/b$'],
    ['^/(x)?(a)', '/$1$2', '/a', '/a'],
    ['x*', '-', '/a', '/-/-a-'],
    ['^/a', '/{method}', '/a/b', '/GET/b'],
    ['^/a', '', '/a/b', '/b'],
    ['^/a/?', '', '/a', '/'],
    ['^/a', '/ü {{x}}', '/a', '/%C3%BC%20{x}'],
  ])('%s → %s: %s goes upstream as %s', (regex, replace, path, upstream) => {
    expect(rewritten({ regex, replace }, path)).toBe(upstream);
  });

  test.each([
    ['-', '', '/a/.-./admin', '/a/admin'],
    ['^/x', '', '/x//evil', '/evil'],
    ['25', '', '/%2500', '/'],
    ['2', '', '/%20', '/%250'],
  ])('what a regex %s leaves behind is made a path again: %s%s → %s', (regex, replace, path, upstream) => {
    expect(rewritten({ regex, replace }, path)).toBe(upstream);
  });

  test.each([
    [{ regex: '(', replace: '' }, /^regex: not a regular expression that RE2 knows: missing closing \)/],
    [{ regex: '(?=a)', replace: '' }, /^regex: /],
    [{ regex: '(a)', replace: '/$2' }, /^replace: there is no group \$2: the regex has 1/],
    [{ regex: 'a', replace: '/{hots}' }, /^replace: .*did you mean \{host\}/],
    [{ regex: 'a', replace: '/?x' }, /^replace: a path has no "\?"/],
  ])('%j is refused', (config, message) => {
    expect(problemsOf(compileRewrite(config, [], { matchedPrefix: null }))).toEqual([expect.stringMatching(message)]);
  });

  test('a catastrophic pattern of other engines ends in linear time', () => {
    expect(rewritten({ regex: '^/(a+)+$', replace: '/x' }, `/${'a'.repeat(8000)}!`)).toBe(`/${'a'.repeat(8000)}!`);
  });
});

describe('a path towards an endpoint', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '/',
      '//',
      '.',
      '..',
      '%2e',
      '%2F',
      '%5c',
      '\\',
      ';',
      '%3b',
      '%',
      '%00',
      '%0',
      '?',
      '#',
      ' ',
      '\r\n',
      'a',
    ),
    fc.string({ unit: 'binary', maxLength: 2 }),
  );
  const text = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join('').toWellFormed());

  test('is accepted by the front door with nothing to resolve, whatever it is made of', () => {
    fc.assert(
      fc.property(text, (raw) => {
        const path = upstreamPath(raw);
        expect(path).toMatch(/^\/(?!\/)[!-~]*$/);
        expect(path).not.toMatch(/[?#]|%(?![0-9A-Fa-f]{2})|%00/);
        expect(path.replaceAll(/%2f|%5c|\\/gi, '/').replaceAll(/%2e/gi, '.')).not.toMatch(/\/\.\.?(\/|;|%3B|$)/i);
      }),
      { numRuns: 500 },
    );
  });

  test('is itself when it is canonical already', () => {
    const policy = {
      dotSegments: 'resolve',
      duplicateSlashes: 'merge',
      encodedSlash: 'refuse',
      backslash: 'refuse',
    } as const;
    fc.assert(
      fc.property(text, (raw) => {
        const target = canonicalizeTarget(`/${raw}`, policy);
        if (target.ok) expect(upstreamPath(target.path)).toBe(target.path);
      }),
    );
  });

  test('never leaves the literal prefix of a template', () => {
    fc.assert(
      fc.property(text, (value) => {
        const rewrite = working(compileRewrite({ path: '/base/{query.q}{header.x}' }, [], { matchedPrefix: null }));
        const path = rewrite('/', variables({ query: asQuery('q', value), request: { headers: ['X', value] } }));
        expect(escapes(path, '/base/')).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

/** Would an endpoint that decodes escapes once, takes "\\" for "/" and drops path parameters end up outside `root`? */
function escapes(path: string, root: string): boolean {
  const octets = path.replaceAll(/%([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const segments: string[] = [];
  for (const segment of octets.replaceAll('\\', '/').split('/').slice(1)) {
    const name = segment.replace(/;.*$/s, '');
    if (name === '..') segments.pop();
    else if (name !== '.') segments.push(segment);
  }
  return !`/${segments.join('/')}`.startsWith(root);
}
