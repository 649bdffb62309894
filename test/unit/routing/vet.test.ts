import { describe, expect, test } from 'vitest';
import type { BodyMatch } from '../../../src/routing/body/body-match.ts';
import type { RouteMatch, RouteRule } from '../../../src/routing/route.ts';
import { vet } from '../../../src/routing/vet.ts';
import { absent, exact, oneOf, pattern, prefix, present, regex, rule, rules } from './rules.ts';

const saying = (json: BodyMatch['json'], whenTooLarge: BodyMatch['whenTooLarge'] = 'no-match'): BodyMatch => ({
  json,
  whenTooLarge,
  whenMalformed: 'no-match',
});

describe('routes that can never match', () => {
  const dead: readonly (readonly [string, RouteMatch, string])[] = [
    ['two methods', { method: ['GET'], all: [{ method: ['PUT'] }] }, 'method conditions exclude'],
    ['two hosts', { host: ['a.test'], all: [{ host: ['*.b.test'] }] }, 'host conditions exclude'],
    ['two server names', { sni: ['a.test'], all: [{ sni: ['b.test'] }] }, 'sni conditions exclude'],
    [
      'two paths',
      { path: prefix('/a'), all: [{ path: pattern('/{x}/b') }, { path: exact('/c') }] },
      'path conditions exclude',
    ],
    ['a path its regex refuses', { path: exact('/a'), all: [{ path: regex('b$') }] }, 'path conditions exclude'],
    [
      'two networks',
      { client: ['10.0.0.0/8'], all: [{ client: ['192.0.2.0/24', '::/0'] }] },
      'client conditions exclude',
    ],
    [
      'a header absent and there',
      { headers: { 'X-A': absent }, all: [{ headers: { 'x-a': exact('1') } }] },
      'header "x-a"',
    ],
    ['a parameter absent and there', { query: { q: present }, all: [{ query: { q: absent } }] }, 'query parameter "q"'],
    [
      'two values at one place of a body',
      { body: saying({ '/a': exact('1') }), all: [{ body: saying({ '/a': oneOf('2', '3') }) }] },
      'JSON value "/a"',
    ],
    [
      'two values of a cookie',
      { cookies: { c: oneOf('a', 'b') }, all: [{ cookies: { c: prefix('x') } }] },
      'cookie "c"',
    ],
    [
      'two subjects of a client certificate',
      { clientCertificate: { subject: exact('CN=a') }, all: [{ clientCertificate: { subject: exact('CN=b') } }] },
      'client certificate "subject"',
    ],
    [
      'a client certificate absent and there',
      { clientCertificate: { san: absent }, all: [{ clientCertificate: { san: exact('DNS:a') } }] },
      'client certificate "san"',
    ],
    ['no value to choose from', { headers: { x: oneOf() } }, 'no value to choose from'],
    ['no network', { client: [] }, 'client conditions'],
    ['not anything', { not: {} }, '"not" excludes everything'],
    ['not what it wants', { method: ['GET'], not: { method: ['GET', 'HEAD'] } }, '"not" excludes everything'],
    ['not its own host', { host: ['a.test'], not: { host: ['*.test'] } }, '"not" excludes everything'],
    ['no alternative', { any: [] }, 'no alternative of "any"'],
    [
      'only bad alternatives',
      { method: ['GET'], any: [{ method: ['PUT'] }, { client: [] }] },
      'no alternative of "any"',
    ],
  ];

  test.each(dead)('%s', (_, match, reason) => {
    const one = rule(match);
    expect(vet([one])).toEqual([
      { rule: one, kind: 'never-matches', by: null, message: expect.stringContaining(reason) },
    ]);
    expect(vet([one])[0]?.message).toMatch(/^Route "r0" \(routes\/test\.yaml:1\) can never match: /);
  });

  const alive: readonly (readonly [string, RouteMatch])[] = [
    // A repeated field passes if one line does, so two lines can meet both.
    ['two values of a header', { headers: { x: exact('a') }, all: [{ headers: { X: exact('b') } }] }],
    ['two values of a parameter', { query: { q: exact('a') }, all: [{ query: { q: exact('b') } }] }],
    ['networks within each other', { client: ['10.0.0.0/8'], all: [{ client: ['10.1.0.0/16'] }] }],
    ['two regexes', { path: regex('^/a'), all: [{ path: regex('^/b') }] }],
    ['not a part of what it wants', { method: ['GET', 'PUT'], not: { method: ['GET'] } }],
    ['one good alternative', { method: ['GET'], any: [{ method: ['PUT'] }, { method: ['GET'] }] }],
    ['prefix and pattern that share paths', { path: prefix('/a/b'), all: [{ path: pattern('/{x}/{y}/{z...}') }] }],
  ];

  test.each(alive)('may match after all: %s', (_, match) => {
    expect(vet([rule(match)])).toEqual([]);
  });
});

describe('routes that are hidden', () => {
  function hidden(...matches: readonly RouteMatch[]): readonly (readonly [string, string | undefined])[] {
    return vet(rules(...matches)).map((finding) => [finding.rule.name, finding.by?.name] as const);
  }

  test('the second of two alike, and the message names both', () => {
    const [finding] = vet(rules({ path: prefix('/a') }, { path: prefix('/a/') }));
    expect(finding?.kind).toBe('hidden');
    expect(finding?.message).toBe(
      'Route "r1" (routes/test.yaml:2) is never chosen: every request it matches goes to "r0" (routes/test.yaml:1), ' +
        'which holds for all of them and comes earlier',
    );
  });

  test('the one with the lower priority, wherever it stands', () => {
    const [finding] = vet([rule({}, { order: 0 }), rule({}, { order: 1, priority: 1 })]);
    expect([finding?.rule.name, finding?.by?.name]).toEqual(['r0', 'r1']);
    expect(finding?.message).toContain('higher priority');
  });

  const path = prefix('/a');
  test.each<readonly [string, RouteMatch, RouteMatch]>([
    ['names of captures do not matter', { path: pattern('/{a}/x') }, { path: pattern('/{b}/x') }],
    ['{rest...} is **', { path: pattern('/a/{rest...}') }, { path }],
    ['no path holds for everything below "/"', {}, { path: prefix('/') }],
    ['a wider value', { path, headers: { 'X-A': present } }, { path, headers: { 'x-a': exact('1') } }],
    ['one more value', { path, query: { q: oneOf('1', '2') } }, { path, query: { q: exact('2') } }],
    ['a shorter prefix of a value', { cookies: { c: prefix('v') } }, { cookies: { c: prefix('v2') } }],
    ['a regex that the value matches', { headers: { x: regex('^v[0-9]$') } }, { headers: { x: oneOf('v1', 'v2') } }],
    ['the same regex', { path: regex('^/a') }, { path: regex('^/a') }],
    ['a wider network', { client: ['10.0.0.0/8'] }, { client: ['10.1.0.0/16', '10.2.3.4'] }],
    ['more methods', { method: ['GET', 'PUT'] }, { method: ['PUT'] }],
    ['a wildcard server name', { sni: ['*.test'] }, { sni: ['a.test'] }],
    [
      'any subject',
      { path, clientCertificate: { subject: present } },
      { path, clientCertificate: { subject: exact('CN=a') } },
    ],
    ['more hosts', { host: ['a.test', 'b.test'] }, { host: ['b.test'] }],
    ['an alternative that is met', { any: [{ method: ['GET'] }, { client: ['::1'] }] }, { all: [{ method: ['GET'] }] }],
    ['each alternative meets one', { any: [{ method: ['GET'] }, { method: ['PUT'] }] }, { any: [{ method: ['PUT'] }] }],
    ['what it excludes is excluded', { not: { method: ['GET'] } }, { not: { method: ['GET', 'PUT'] } }],
    ['what it excludes can not be', { not: { method: ['GET'] } }, { all: [{ method: ['PUT'] }] }],
  ])('%s', (_, first, second) => {
    expect(hidden(first, second)).toEqual([['r1', 'r0']]);
  });

  test.each<readonly [string, RouteMatch, RouteMatch]>([
    ['a more specific host', { host: ['*.test'] }, { host: ['a.test'] }],
    ['one host more', { host: ['a.test'] }, { host: ['a.test', 'b.test'] }],
    ['a longer path', { path }, { path: prefix('/a/b') }],
    ['one condition more', { path }, { path, method: ['GET'] }],
    ['another value', { headers: { x: exact('1') } }, { headers: { x: exact('2') } }],
    ['a wider value', { headers: { x: exact('1') } }, { headers: { x: present } }],
    ['absence', { headers: { x: present } }, { headers: { x: absent } }],
    ['OPTIONS *', { path: prefix('/') }, {}],
    ['a wider network', { client: ['10.1.0.0/16'] }, { client: ['10.0.0.0/8'] }],
    ['an empty segment', { all: [{ path: pattern('/{x}/{y}/**') }] }, { all: [{ path: prefix('/a//') }] }],
    ['another name', { query: { q: present } }, { query: { r: present } }],
  ])('not hidden: %s', (_, first, second) => {
    expect(hidden(first, second)).toEqual([]);
  });

  test('each host by another route', () => {
    const [finding] = vet(rules({ host: ['a.test'] }, { host: ['b.test'] }, { host: ['a.test', 'b.test'] }));
    expect(finding?.rule.name).toBe('r2');
    expect(finding?.message).toContain('goes to "r0"');
    expect(finding?.message).toContain('or to "r1"');
  });

  test('on each of its listeners', () => {
    const on = (order: number, listeners: readonly string[] | null): RouteRule<string> =>
      rule({}, { order, listeners });
    const names = (...list: readonly RouteRule<string>[]) => vet(list).map((finding) => finding.rule.name);
    expect(names(on(0, ['web']), on(1, ['admin']))).toEqual([]);
    expect(names(on(0, ['web']), on(1, null))).toEqual([]);
    expect(names(on(0, null), on(1, ['web']))).toEqual(['r1']);
    expect(names(on(0, ['web']), on(1, ['admin']), on(2, ['web', 'admin']))).toEqual(['r2']);
    expect(names(on(0, ['web']), on(1, ['web', 'admin']))).toEqual([]);
  });

  test('a route is found among thousands for the same path', () => {
    const many = Array.from({ length: 5000 }, (_, i) => ({ path, headers: { tenant: exact(`t${i}`) } }));
    expect(hidden(...many, { path, headers: { Tenant: exact('t4711') } })).toEqual([['r5000', 'r4711']]);
  });
});

describe('routes that ask what bodies say', () => {
  const found = (...matches: readonly RouteMatch[]): readonly string[] =>
    vet(rules(...matches)).map(({ rule: { name }, kind }) => `${name} ${kind}`);
  const graphql = (field: string, batch: 'all' | 'any'): BodyMatch => ({
    graphql: { operation: ['query'], field: exact(field), batch },
    whenTooLarge: 'no-match',
    whenMalformed: 'no-match',
  });

  test.each<readonly [string, RouteMatch, RouteMatch, boolean]>([
    ['the same', { body: saying({ '/a': exact('1') }) }, { body: saying({ '/a': exact('1') }) }, true],
    ['one value of several', { body: saying({ '/a': oneOf('1', '2') }) }, { body: saying({ '/a': exact('1') }) }, true],
    ['another value', { body: saying({ '/a': exact('1') }) }, { body: saying({ '/a': exact('2') }) }, false],
    ['another place', { body: saying({ '/a': exact('1') }) }, { body: saying({ '/b': exact('1') }) }, false],
    [
      'any beginning, which an object has none of',
      { body: saying({ '/a': prefix('') }) },
      { body: saying({ '/a': present }) },
      false,
    ],
    ['what is too large', { body: saying({ '/a': present }) }, { body: saying({ '/a': present }, 'match') }, false],
    [
      'what is too large, of both',
      { body: saying({ '/a': present }, 'refuse') },
      { body: saying({ '/a': present }, 'match') },
      true,
    ],
    ['a batch', { body: graphql('a', 'any') }, { body: graphql('a', 'all') }, true],
    ['a batch of others', { body: graphql('a', 'all') }, { body: graphql('a', 'any') }, false],
  ])('%s', (_, first, second, isHidden) => {
    expect(found(first, second)).toEqual(isHidden ? ['r1 hidden'] : []);
  });
});
