import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LocalReply } from '../../../src/exchange/local-reply.ts';
import { getHeader } from '../../../src/http/headers.ts';
import { compileRedirect, type RedirectConfig } from '../../../src/policy/redirect.ts';
import type { Variables } from '../../../src/policy/variables.ts';
import { asQuery, mistakeIn, problemsOf, rendered, variables, working } from './exchange-facts.ts';

function redirected(config: Partial<RedirectConfig> & { to: string }, facts: Variables = variables()): LocalReply {
  const captures = facts.captures.filter((_, index) => index % 2 === 0);
  return working(compileRedirect({ status: 302, keepQuery: true, ...config }, captures))(facts);
}

function locationOf(to: string, facts: Variables = variables()): string | null {
  return getHeader(redirected({ to, keepQuery: false }, facts).headers, 'location');
}

test('a redirect is a status, a Location and an empty body', () => {
  expect(redirected({ to: '/new', status: 308, keepQuery: false })).toEqual({
    status: 308,
    headers: ['Location', '/new', 'Content-Length', '0'],
    body: null,
    reason: 'redirect',
    error: null,
  });
});

describe('the target', () => {
  test.each([
    ['https://{host}/new{path}', 'https://shop.test/new/a/b'],
    ['https://{host}:9443{uri}', 'https://shop.test:9443/a/b?x=1&y=two'],
    ['{scheme}://{authority}{path}', 'https://shop.test:8443/a/b'],
    ['https://www.{host}/', 'https://www.shop.test/'],
    ['{path}', '/a/b'],
    ['{uri}', '/a/b?x=1&y=two'],
    ['/search?q={query.y}&all', '/search?q=two&all'],
    ['/login?next={uri}', '/login?next=%2Fa%2Fb%3Fx%3D1%26y%3Dtwo'],
    ['/p?{query}#top', '/p?x=1&y=two#top'],
    ['/p?q={query}', '/p?q=x%3D1%26y%3Dtwo'],
    ['HTTPS://Example.com', 'https://Example.com'],
    ['https://[::1]:8443/ü ö', 'https://[::1]:8443/%C3%BC%20%C3%B6'],
    ['https://example.com?a#b', 'https://example.com?a#b'],
  ])('%s leads to %s', (to, location) => {
    expect(locationOf(to)).toBe(location);
  });

  test('a capture may name a subdomain of a literal domain, or of the host', () => {
    const facts = variables({ captures: ['tenant', 'acme'] });
    expect(locationOf('https://{tenant}.example.com/', facts)).toBe('https://acme.example.com/');
    expect(locationOf('https://{tenant}.{host}/', facts)).toBe('https://acme.shop.test/');
  });

  test('the target * of OPTIONS does not become a part of the host', () => {
    expect(locationOf('https://example.com{path}', variables({ path: '*' }))).toBe('https://example.com/*');
  });

  test.each([
    ['new', /starts with "\/"/],
    ['//cdn.example.com/x', /starts with "\/"/],
    ['ftp://example.com/', /starts with "\/"/],
    ['javascript:alert(1)', /starts with "\/"/],
    ['{scheme}{path}', /starts with "\/"/],
    ['{rest}', /would let a client choose/],
    ['{query.next}', /would let a client choose/],
    ['{header.referer}', /would let a client choose/],
    ['https://{rest}/', /needs a literal domain/],
    ['https://{rest}', /needs a literal domain/],
    ['https://example.com{rest}', /needs a literal domain/],
    ['https://{rest}{host}/', /needs a literal domain/],
    ['https://{host}{rest}', /needs a literal domain/],
    ['https:///x', /no host/],
    ['https://{host}@evil.test/', /can't be in a host/],
    ['/a\\b', /backslashes/],
    ['/a\nb', /control characters/],
    ['{hots}', /did you mean \{host\}/],
  ])('%j is refused', (to, message) => {
    expect(mistakeIn(to, 'url', ['rest'])).toMatch(message);
  });

  test('what is wrong with it is found at "to"', () => {
    expect(problemsOf(compileRedirect({ to: 'x', status: 302, keepQuery: true }, []))).toEqual([
      expect.stringMatching(/^to: /),
    ]);
  });
});

describe('a client can not choose the site', () => {
  test.each([
    ['{path}', '//evil.test/x', '/evil.test/x'],
    ['{uri}', '///evil.test', '/evil.test?x=1&y=two'],
    ['/{rest}', '/evil.test', '/evil.test'],
    ['/{rest}', '\\evil.test', '/%5Cevil.test'],
    ['/{rest}', '\t/evil.test', '/%09/evil.test'],
    ['/{query.next}', '/evil.test', '/%2Fevil.test'],
  ])('%s with %j is %s', (to, value, location) => {
    const facts = variables({
      path: value,
      captures: ['rest', value],
      query: to === '{uri}' ? 'x=1&y=two' : asQuery('next', value),
    });
    expect(locationOf(to, facts)).toBe(location);
  });

  const hostile = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '/',
          '\\',
          '//',
          'evil.test',
          '@',
          ':',
          '.',
          '..',
          '%2F',
          '%5C',
          '%',
          '\t',
          '\r\n',
          '?',
          '#',
          '[',
          ']',
        ),
        fc.string({ unit: 'binary', maxLength: 3 }),
      ),
      { maxLength: 10 },
    )
    .map((pieces) => pieces.join('').toWellFormed());

  test.each(['{path}', '{uri}', '/{rest}', '/{query.q}', '/x{path}?a={rest}&{query}#{query.q}'])(
    'whatever is sent, a browser stays on the site with %s',
    (to) => {
      fc.assert(
        fc.property(hostile, hostile, (path, value) => {
          const facts = variables({ path, captures: ['rest', path], query: asQuery('q', value) });
          const location = locationOf(to, facts) ?? '';
          expect(location).toMatch(/^\/(?!\/)[!-~]*$/);
          expect(new URL(location, 'https://site.test/').origin).toBe('https://site.test');
        }),
      );
    },
  );

  test.each(['https://{rest}.example.com/', 'https://{query.q}.example.com{path}'])(
    'whatever is sent, a browser stays in the domain of %s',
    (to) => {
      fc.assert(
        fc.property(hostile, (value) => {
          const facts = variables({ path: value, captures: ['rest', value], query: asQuery('q', value) });
          const location = locationOf(to, facts) ?? '';
          // A label may come out empty or malformed: then there is no such URL at all.
          if (!URL.canParse(location)) return;
          expect(new URL(location).hostname).toMatch(/\.example\.com$/);
        }),
      );
    },
  );
});

describe('keepQuery', () => {
  test.each([
    ['/new', 'a=%20b', '/new?a=%20b'],
    ['/new?c=1', 'a', '/new?c=1&a'],
    ['/new?', 'a', '/new?a'],
    ['/new#top', 'a', '/new?a#top'],
    ['/new#top?', 'a', '/new?a#top?'],
    ['/new', '', '/new?'],
    ['https://example.com{uri}', 'a', 'https://example.com/a/b?a'],
    ['/new?{query}', 'a', '/new?a'],
  ])('%s with ?%s leads to %s', (to, query, location) => {
    expect(redirected({ to }, variables({ query })).headers[1]).toBe(location);
  });

  test('nothing is added to a request without a query', () => {
    expect(redirected({ to: '/new' }, variables({ query: null })).headers[1]).toBe('/new');
  });

  test('the bytes of the query stay, but can not end the URL', () => {
    expect(rendered('/x?{query}', 'url', variables({ query: "a=%7e&b='\\{}|%zz" }))).toBe("/x?a=%7e&b='\\{}|%zz");
    expect(redirected({ to: '/x' }, variables({ query: 'a="<>#' })).headers[1]).toBe('/x?a=%22%3C%3E%23');
  });
});
