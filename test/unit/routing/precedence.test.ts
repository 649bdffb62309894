import { describe, expect, test } from 'vitest';
import type { RouteMatch, RouteRequest } from '../../../src/routing/route.ts';
import { RouteTable } from '../../../src/routing/route-table.ts';
import { exact, oneOf, pattern, prefix, present, regex, request, rule, rules } from './rules.ts';

/** Name of the winner; rules are r0, r1, … in the order given. */
function winner(matches: readonly RouteMatch[], asked: Partial<RouteRequest>): string | null {
  return RouteTable.of(rules(...matches)).match(request(asked))?.rule.name ?? null;
}

describe('hosts (Gateway API, HTTPRouteSpec.hostnames)', () => {
  const everywhere: RouteMatch = {};

  test('an exact name beats a wildcard, a longer wildcard a shorter one, and both beat no host', () => {
    const matches = [everywhere, { host: ['*.test'] }, { host: ['*.shop.test'] }, { host: ['eu.shop.test'] }];
    expect(winner(matches, { host: 'eu.shop.test' })).toBe('r3');
    expect(winner(matches, { host: 'us.shop.test' })).toBe('r2');
    expect(winner(matches, { host: 'shop.test' })).toBe('r1');
    expect(winner(matches, { host: 'test' })).toBe('r0');
    expect(winner(matches, { host: '' })).toBe('r0');
  });

  test.each([
    ['a.shop.test', 'r0'],
    ['b.a.shop.test', 'r0'],
    ['shop.test', null],
    ['.shop.test', null],
    ['a.shop.test.evil', null],
    ['ashop.test', null],
    ['a.shop', null],
  ])('*.shop.test stands for one or more labels below it: %s', (host, expected) => {
    expect(winner([{ host: ['*.shop.test'] }], { host })).toBe(expected);
  });

  test('when no rule of the most specific host holds, the next less specific one is asked', () => {
    const path = prefix('/api');
    const matches = [{ host: ['shop.test'], path }, { host: ['*.test'], method: ['PUT'] }, everywhere];
    expect(winner(matches, { host: 'shop.test', path: '/api' })).toBe('r0');
    expect(winner(matches, { host: 'shop.test', path: '/', method: 'PUT' })).toBe('r1');
    expect(winner(matches, { host: 'shop.test', path: '/' })).toBe('r2');
  });

  test('the host decides before the path does', () => {
    expect(winner([{ path: exact('/a') }, { host: ['shop.test'] }], { path: '/a' })).toBe('r1');
  });

  test('a rule with several hosts ranks by the most specific one that the request has', () => {
    const matches = [{ host: ['*.test', 'a.test'] }, { host: ['a.test', '*.b.test'] }];
    expect(winner(matches, { host: 'a.test' })).toBe('r0');
    expect(winner(matches, { host: 'x.b.test' })).toBe('r1');
    expect(winner(matches, { host: 'x.test' })).toBe('r0');
  });
});

describe('paths (Gateway API, HTTPPathMatch)', () => {
  test.each([
    ['/api', 'r0'],
    ['/api/', 'r0'],
    ['/api/x', 'r0'],
    ['/api//x', 'r0'],
    ['/apix', null],
    ['/ap', null],
    ['/API', null],
  ])('a prefix ends on a segment border, with or without its own trailing slash: %s', (path, expected) => {
    expect(winner([{ path: prefix('/api') }], { path })).toBe(expected);
    expect(winner([{ path: prefix('/api/') }], { path })).toBe(expected);
  });

  test.each([
    ['/api', 'r0'],
    ['/api/', null],
    ['/api/x', null],
    ['/', null],
  ])('an exact path is that path: %s', (path, expected) => {
    expect(winner([{ path: exact('/api') }], { path })).toBe(expected);
  });

  test('read from the left, a literal segment beats a captured one, and that beats everything below', () => {
    const matches = [
      { path: prefix('/users') },
      { path: pattern('/users/{id}') },
      { path: exact('/users/me') },
      { path: pattern('/{tenant}/me') },
      { path: prefix('/') },
    ];
    expect(winner(matches, { path: '/users/me' })).toBe('r2');
    expect(winner(matches, { path: '/users/7' })).toBe('r1');
    expect(winner(matches, { path: '/users/7/orders' })).toBe('r0');
    expect(winner(matches, { path: '/acme/me' })).toBe('r3');
    expect(winner(matches, { path: '/acme' })).toBe('r4');
    // The first segment decides, however much the pattern says about the second.
    expect(winner([{ path: pattern('/{tenant}/me') }, { path: prefix('/users') }], { path: '/users/me' })).toBe('r1');
  });

  test('what a literal segment leads to may hold nothing: then the captured one is tried', () => {
    const matches = [{ path: exact('/a/b/c') }, { path: pattern('/{x}/b/d') }, { path: pattern('/{x}/{y}/{z...}') }];
    expect(winner(matches, { path: '/a/b/d' })).toBe('r1');
    expect(winner(matches, { path: '/a/b/e' })).toBe('r2');
  });

  test('longer prefixes beat shorter ones', () => {
    const matches = [{ path: prefix('/a') }, { path: prefix('/a/b') }, { path: prefix('/a/b/c') }];
    expect(winner(matches, { path: '/a/b/x' })).toBe('r1');
    expect(winner(matches, { path: '/a/b/c/x' })).toBe('r2');
  });

  test('a regex goes after every path with a segment of its own and before those that hold everything', () => {
    const matches = [{}, { path: prefix('/') }, { path: regex('^/v[0-9]+/') }, { path: prefix('/v1/users') }];
    expect(winner(matches, { path: '/v1/users' })).toBe('r3');
    expect(winner(matches, { path: '/v1/orders' })).toBe('r2');
    expect(winner(matches, { path: '/vx/orders' })).toBe('r0');
  });

  test('a regex is searched, not anchored', () => {
    expect(winner([{ path: regex('v[0-9]') }], { path: '/api/v1/x' })).toBe('r0');
    expect(winner([{ path: regex('^v[0-9]$') }], { path: '/api/v1/x' })).toBe(null);
  });

  test('OPTIONS * is met by rules without a path alone', () => {
    const matches = [{ path: prefix('/') }, { path: pattern('/{rest...}') }, {}];
    expect(winner(matches, { path: '*', method: 'OPTIONS' })).toBe('r2');
  });
});

describe('the further conditions, one after the other (Gateway API, HTTPRouteRule.matches)', () => {
  const asked = {
    method: 'GET',
    query: 'q=1&r=2',
    headers: ['x-a', '1', 'x-b', '2', 'cookie', 'c=1'],
    tls: true,
    serverName: 'shop.test',
  };
  const ranked: readonly (readonly [string, RouteMatch])[] = [
    ['a method', { method: ['GET'] }],
    ['two headers', { headers: { 'X-A': present, 'x-b': present } }],
    ['one header', { headers: { 'x-a': present } }],
    ['two query parameters', { query: { q: present, r: present } }],
    ['one query parameter', { query: { q: present } }],
    [
      'a cookie, a client network and a server name',
      { cookies: { c: present }, client: ['192.0.2.0/24'], sni: ['shop.test'] },
    ],
    ['two parts of "all"', { all: [{}, {}] }],
    ['"any"', { any: [{}] }],
    ['nothing', {}],
  ];

  test.each(ranked.slice(1).map((later, i) => [(ranked[i] as typeof later)[0], later[0], ranked[i], later] as const))(
    '%s beats %s',
    (_, __, earlier, later) => {
      expect(winner([later[1], (earlier as typeof later)[1]], asked)).toBe('r1');
    },
  );

  test('then the higher priority wins, then the earlier rule', () => {
    const table = RouteTable.of([
      rule({}, { order: 0 }),
      rule({}, { order: 1, priority: 5 }),
      rule({}, { order: 2, priority: 5 }),
    ]);
    expect(table.match(request())?.rule.name).toBe('r1');
    expect(winner([{}, {}], {})).toBe('r0');
  });

  test('priority does not lift a rule over a more specific one', () => {
    const table = RouteTable.of([
      rule({ path: prefix('/') }, { priority: 100 }),
      rule({ path: prefix('/a') }, { order: 1 }),
    ]);
    expect(table.match(request({ path: '/a' }))?.rule.name).toBe('r1');
  });

  test('the order given counts, not the place in the list', () => {
    const table = RouteTable.of([rule({}, { order: 7 }), rule({}, { order: 3 })]);
    expect(table.match(request())?.rule.name).toBe('r3');
  });
});

describe('methods (RFC 9110 §9.1)', () => {
  test('are case-sensitive, may be any token, and GET does not stand for HEAD', () => {
    const matches = [{ method: ['GET', 'PROPFIND'] }];
    expect(winner(matches, { method: 'GET' })).toBe('r0');
    expect(winner(matches, { method: 'PROPFIND' })).toBe('r0');
    expect(winner(matches, { method: 'get' })).toBe(null);
    expect(winner(matches, { method: 'HEAD' })).toBe(null);
  });
});

describe('many rules', () => {
  test('each of 1000 siblings is found, and what looks like one of them is not', () => {
    const matches = Array.from({ length: 1000 }, (_, i) => ({ path: prefix(`/s${i}`), host: [`h${i % 10}.test`] }));
    const table = RouteTable.of(rules(...matches));
    for (let i = 0; i < 1000; i += 1) {
      expect(table.match(request({ host: `h${i % 10}.test`, path: `/s${i}/x` }))?.rule.name).toBe(`r${i}`);
      expect(table.match(request({ host: `h${(i + 1) % 10}.test`, path: `/s${i}/x` }))).toBe(null);
    }
    expect(table.match(request({ host: 'h0.test', path: '/s' }))).toBe(null);
  });

  test('a rule that does not compile is a programming error by the time there is a table', () => {
    expect(() => RouteTable.of([rule({ client: ['nowhere'] })])).toThrow(
      'Cannot compile route "r0" (routes/test.yaml:1)',
    );
  });

  test('a value of one of several is enough', () => {
    expect(winner([{ headers: { x: oneOf('a', 'b') } }], { headers: ['X', 'b'] })).toBe('r0');
  });
});
