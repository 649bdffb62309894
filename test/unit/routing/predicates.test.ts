import { describe, expect, test } from 'vitest';
import type { RouteMatch, RouteRequest, ValueTest } from '../../../src/routing/route.ts';
import { RouteTable } from '../../../src/routing/route-table.ts';
import { certificateFacts } from '../../kit/client-certificate.ts';
import { absent, exact, oneOf, prefix, present, regex, request, rules } from './rules.ts';

function holds(match: RouteMatch, asked: Partial<RouteRequest>): boolean {
  return RouteTable.of(rules(match)).match(request(asked)) !== null;
}

describe('header conditions', () => {
  const table: readonly (readonly [string, ValueTest, readonly string[], boolean])[] = [
    ['exact: equal', exact('on'), ['X-Beta', 'on'], true],
    ['exact: other case of the value', exact('on'), ['X-Beta', 'On'], false],
    ['exact: another field', exact('on'), ['X-Bets', 'on'], false],
    ['exact: none', exact('on'), [], false],
    ['exact: one line of several', exact('on'), ['X-Beta', 'off', 'x-beta', 'on'], true],
    ['exact: lines are not joined', exact('a, b'), ['X-Beta', 'a', 'X-Beta', 'b'], false],
    ['oneOf', oneOf('a', 'b'), ['x-BETA', 'b'], true],
    ['oneOf: none of them', oneOf('a', 'b'), ['X-Beta', 'c'], false],
    ['prefix', prefix('v2'), ['X-Beta', 'v2.1'], true],
    ['prefix: elsewhere', prefix('v2'), ['X-Beta', ' v2'], false],
    ['regex is searched', regex('[0-9]{3}'), ['X-Beta', 'id-123-x'], true],
    ['regex: no match', regex('^[0-9]{3}$'), ['X-Beta', '1234'], false],
    ['present', present, ['X-Beta', ''], true],
    ['present: none', present, ['X-Alpha', ''], false],
    ['absent', absent, ['X-Alpha', '1'], true],
    ['absent: there, though empty', absent, ['x-beta', ''], false],
  ];

  test.each(table)('%s', (_, condition, headers, expected) => {
    expect(holds({ headers: { 'X-Beta': condition } }, { headers })).toBe(expected);
  });

  test('names are compared by letters alone: "^" is not "~"', () => {
    expect(holds({ headers: { 'x^y': present } }, { headers: ['x~y', '1'] })).toBe(false);
  });
});

describe('cookie conditions', () => {
  test.each([
    ['c=1', true],
    ['b=2; c=1', true],
    ['cc=1', false],
    ['c=2; c=1', false],
    ['', false],
  ])('the first cookie of the name counts: %s', (cookie, expected) => {
    expect(holds({ cookies: { c: exact('1') } }, { headers: ['Cookie', cookie] })).toBe(expected);
  });

  test('absent holds without any Cookie field', () => {
    expect(holds({ cookies: { c: absent } }, {})).toBe(true);
    expect(holds({ cookies: { c: absent } }, { headers: ['cookie', 'c='] })).toBe(false);
  });
});

describe('query conditions', () => {
  const table: readonly (readonly [string | null, ValueTest, boolean])[] = [
    [null, present, false],
    ['', present, false],
    ['a', present, true],
    ['a', exact(''), true],
    ['a=', exact(''), true],
    ['aa=1&b=a', present, false],
    ['b=2&a=1', exact('1'), true],
    ['a=1&a=2', exact('2'), true],
    ['a=1=2', exact('1=2'), true],
    ['a=%31', exact('1'), true],
    ['%61=1', exact('1'), true],
    ['a=x+y', exact('x y'), true],
    ['a=x%2By', exact('x+y'), true],
    ['a=%C3%A9', exact('é'), true],
    ['a=%zz', exact('%zz'), true],
    ['a=+%zz', exact('+%zz'), true],
    ['a=%E9', exact('%E9'), true],
    ['a=%3D%26', exact('=&'), true],
    ['A=1', present, false],
    [null, absent, true],
    ['b=a', absent, true],
    ['b&&a', absent, false],
    ['a=v2x', prefix('v2'), true],
    ['a=12', regex('^[0-9]+$'), true],
    ['a=2', oneOf('1', '2'), true],
  ];

  test.each(table)('%s, wanting %o: %s', (query, condition, expected) => {
    expect(holds({ query: { a: condition } }, { query })).toBe(expected);
  });

  test('pieces without a name: "&&" has none, "=x" has the empty one', () => {
    expect(holds({ query: { '': present } }, { query: 'a&&b' })).toBe(false);
    expect(holds({ query: { '': exact('x') } }, { query: 'a&=x' })).toBe(true);
  });

  test('names with reserved characters are compared decoded', () => {
    expect(holds({ query: { 'filter[name]': exact('x') } }, { query: 'filter%5Bname%5D=x' })).toBe(true);
    expect(holds({ query: { 'filter[name]': exact('x') } }, { query: 'filter[name]=x' })).toBe(true);
    expect(holds({ query: { 'a b': present } }, { query: 'a+b' })).toBe(true);
  });
});

describe('client conditions', () => {
  const list = ['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '2001:db8::1'];
  test.each([
    ['10.255.0.1', true],
    ['11.0.0.1', false],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['fd12:3456::1', true],
    ['fe80::1', false],
    ['2001:db8:0:0::1', true],
    ['not an address', false],
    ['', false],
  ])('%s', (clientAddress, expected) => {
    expect(holds({ client: list }, { clientAddress })).toBe(expected);
  });

  test('every address of a family is not every address', () => {
    expect(holds({ client: ['::/0'] }, { clientAddress: '192.0.2.7' })).toBe(false);
    expect(holds({ client: ['0.0.0.0/0'] }, { clientAddress: '192.0.2.7' })).toBe(true);
    expect(holds({ client: ['0.0.0.0/0'] }, { clientAddress: '::1' })).toBe(false);
  });
});

describe('server name conditions', () => {
  test('exact and wildcard names as for hosts; no name meets none', () => {
    const match = { sni: ['shop.test', '*.api.test'] };
    expect(holds(match, { serverName: 'shop.test', tls: true })).toBe(true);
    expect(holds(match, { serverName: 'v1.api.test', tls: true })).toBe(true);
    expect(holds(match, { serverName: 'api.test', tls: true })).toBe(false);
    expect(holds(match, { serverName: null })).toBe(false);
  });
});

describe('client certificate conditions', () => {
  const alice = certificateFacts({ subject: 'CN=alice,O=Acme', names: ['DNS:a.test', 'URI:spiffe://x/a'] });

  test('one subject, one fingerprint, any number of names', () => {
    const of = (clientCertificate: RouteMatch['clientCertificate']): boolean =>
      holds({ clientCertificate }, { clientCertificate: alice });
    expect(of({ subject: exact('CN=alice,O=Acme') })).toBe(true);
    expect(of({ subject: exact('CN=alice') })).toBe(false);
    expect(of({ san: { kind: 'prefix', value: 'URI:spiffe://x/' } })).toBe(true);
    expect(of({ san: exact('a.test') })).toBe(false);
    expect(of({ fingerprint: exact('ab'.repeat(32)) })).toBe(true);
    expect(of({ subject: present, san: exact('DNS:b.test') })).toBe(false);
  });

  test('a client without a certificate has none of them', () => {
    expect(holds({ clientCertificate: { subject: present } }, {})).toBe(false);
    expect(holds({ clientCertificate: { subject: absent, san: absent } }, {})).toBe(true);
    expect(holds({ clientCertificate: { san: absent } }, { clientCertificate: alice })).toBe(false);
  });
});

describe('all, any, not', () => {
  const on: RouteMatch = { headers: { x: exact('on') } };
  const put: RouteMatch = { method: ['PUT'] };

  test.each([
    [{ all: [on, put] }, false, false, true],
    [{ any: [on, put] }, true, true, true],
    [{ not: on }, true, false, false],
    [{ not: { all: [on, put] } }, true, true, false],
    [{ any: [{ not: put }, on] }, false, true, true],
    [{ not: {} }, false, false, false],
    [{ not: { not: on } }, false, true, true],
  ] as const)('%o', (match, putHolds, onHolds, bothHold) => {
    const headers = ['X', 'on'];
    expect(holds(match as RouteMatch, { method: 'PUT' })).toBe(putHolds);
    expect(holds(match as RouteMatch, { headers })).toBe(onHolds);
    expect(holds(match as RouteMatch, { method: 'PUT', headers })).toBe(bothHold);
  });

  test('host and path are conditions there too', () => {
    const match = { any: [{ host: ['*.test'], path: prefix('/a') }, { path: exact('/b') }], not: { host: ['x.test'] } };
    expect(holds(match, { path: '/a/1' })).toBe(true);
    expect(holds(match, { path: '/a/1', host: 'a.example' })).toBe(false);
    expect(holds(match, { path: '/b', host: 'a.example' })).toBe(true);
    expect(holds(match, { path: '/b', host: 'x.test' })).toBe(false);
  });
});
