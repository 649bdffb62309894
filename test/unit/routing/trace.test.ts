import { describe, expect, test } from 'vitest';
import type { RouteMatch, RouteRequest } from '../../../src/routing/route.ts';
import { RouteTable } from '../../../src/routing/route-table.ts';
import { trace } from '../../../src/routing/trace.ts';
import { absent, exact, oneOf, pattern, prefix, regex, request, rules } from './rules.ts';

function lines(matches: readonly RouteMatch[], asked: Partial<RouteRequest>) {
  return trace(RouteTable.of(rules(...matches)), request(asked));
}

function miss(match: RouteMatch, asked: Partial<RouteRequest>): string {
  const [first] = lines([match], asked)[0]?.misses ?? [];
  return first === undefined ? 'holds' : `${first.subject} is ${first.actual}, wants ${first.wanted}`;
}

describe('an explanation', () => {
  test('lists near misses above the winner, then what it outranked, then other paths, then other hosts', () => {
    const told = lines(
      [
        { host: ['x.test'] },
        { path: prefix('/b') },
        {},
        { path: prefix('/a') },
        { path: prefix('/a'), headers: { 'X-Beta': exact('on') } },
      ],
      { path: '/a/1', headers: ['x-beta', '1'] },
    );
    expect(told.map((line) => `${line.rule.name} ${line.outcome} ${line.by}`)).toEqual([
      'r4 missed null',
      'r3 won path',
      'r2 outranked path',
      'r1 missed null',
      'r0 missed null',
    ]);
  });

  test.each<readonly [string, RouteMatch, RouteMatch]>([
    ['host', { host: ['shop.test'] }, { host: ['*.test'] }],
    ['path', { path: exact('/') }, { path: prefix('/') }],
    ['method', { method: ['GET'] }, {}],
    ['headers', { headers: { x: absent } }, {}],
    ['query', { query: { x: absent } }, {}],
    ['further', { cookies: { x: absent } }, {}],
    ['order', {}, {}],
  ])('says that the %s decided', (by, first, second) => {
    const told = lines([first, second], {});
    expect(told.map((line) => [line.rule.name, line.outcome, line.by])).toEqual([
      ['r0', 'won', by],
      ['r1', 'outranked', by],
    ]);
  });

  test('a winner without rivals was decided by nothing, and without a winner all lines are misses', () => {
    expect(lines([{}], {})[0]).toMatchObject({ outcome: 'won', by: null, misses: [] });
    expect(lines([{ method: ['PUT'] }, { path: exact('/x') }], {}).map((line) => line.outcome)).toEqual([
      'missed',
      'missed',
    ]);
  });

  test('a rule lists everything that failed', () => {
    const match = { host: ['x.test'], path: exact('/x'), method: ['PUT'], headers: { a: exact('1') } };
    expect(lines([match], {})[0]?.misses.map((one) => one.subject)).toEqual(['host', 'path', 'method', 'header a']);
  });

  test.each<readonly [RouteMatch, string]>([
    [{ host: ['a.test', '*.b.test'] }, 'host is shop.test, wants one of a.test, *.b.test'],
    [{ path: prefix('/api/') }, 'path is /users, wants /api/**'],
    [{ path: pattern('/users/{id}') }, 'path is /users, wants /users/{id}'],
    [{ path: regex('^/v1') }, 'path is /users, wants a match of /^/v1/'],
    [{ method: ['PUT', 'POST'] }, 'method is GET, wants one of PUT, POST'],
    [{ headers: { 'X-A': exact('2') } }, 'header x-a is "1", "3", wants "2"'],
    [{ headers: { 'X-A': absent } }, 'header x-a is "1", "3", wants none'],
    [{ headers: { 'X-B': oneOf('1', '2') } }, 'header x-b is absent, wants one of "1", "2"'],
    [{ query: { q: prefix('v') } }, 'query q is "a b", wants a value starting with "v"'],
    [{ cookies: { c: regex('^[0-9]$') } }, 'cookie c is "x", wants a match of /^[0-9]$/'],
    [{ client: ['10.0.0.0/8'] }, 'client is 192.0.2.7, wants 10.0.0.0/8'],
    [{ sni: ['shop.test'] }, 'sni is absent, wants shop.test'],
    [
      { any: [{ method: ['PUT'] }, { client: ['::1'] }] },
      'any is method GET and client 192.0.2.7, wants (method PUT) or (client ::1)',
    ],
    [{ not: { method: ['GET'] } }, 'not is method GET, wants anything but (method GET)'],
    [{ all: [{ all: [{ method: ['PUT'] }] }] }, 'method is GET, wants PUT'],
    [{ all: [{ path: exact('/x') }] }, 'path is /users, wants /x'],
  ])('%o', (match, words) => {
    expect(miss(match, { path: '/users', query: 'q=a+b', headers: ['X-A', '1', 'x-a', '3', 'Cookie', 'c=x'] })).toBe(
      words,
    );
  });

  test('control characters of a request do not reach the terminal', () => {
    expect(miss({ headers: { x: exact('a') } }, { headers: ['x', '\u001b[2J'] })).toBe(
      'header x is "\\u001b[2J", wants "a"',
    );
  });
});
