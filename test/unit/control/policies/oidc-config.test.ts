import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { mistakesIn } from '../../../../src/cli/compile-only.ts';
import { effective } from '../../../../src/config/effective.ts';
import { effectiveYaml } from '../../../../src/config/effective-yaml.ts';
import { configFromObject } from '../../../../src/config/load.ts';
import type { ConfigInput } from '../../../../src/config/schema/config.ts';
import { withoutSecrets } from '../../../../src/config/secret-values.ts';

type Route = NonNullable<ConfigInput['routes']>[number];

const LOGIN = { issuer: 'https://login.test', clientId: 'gateway' };
const CALLBACK = '/.headgate/oidc/callback';

/** What `headgate check` says. */
function mistakes(input: ConfigInput): readonly string[] {
  const loaded = configFromObject({
    listeners: { web: { port: 0 } },
    pools: { app: { endpoints: ['h:1'] } },
    ...input,
  });
  return (loaded.ok ? mistakesIn(loaded) : loaded.diagnostics).map(({ message }) => message);
}

function mistakesOf(oidc: Record<string, unknown>, match: Route['match'] = {}): readonly string[] {
  return mistakes({ routes: [{ pool: 'app', match, auth: { oidc: { ...LOGIN, ...oidc } } }] });
}

describe('a login', () => {
  for (const [what, oidc, match] of [
    ['with nothing but issuer and client', {}, {}],
    ['below a prefix', {}, { path: '/app/**' }],
    [
      'below a prefix, with a path below it',
      { redirectPath: '/app/back', logoutPath: '/app/out' },
      { path: '/app/**' },
    ],
    ['with a secret to seal with, and the one before', { sessionSecret: ['a'.repeat(32), 'b'.repeat(32)] }, {}],
    ['at an issuer of this machine, without TLS', { issuer: 'http://localhost:8080/realms/shop' }, {}],
    [
      'at an issuer of another machine, without TLS, on purpose',
      { issuer: 'http://keycloak:8080', insecure: true },
      {},
    ],
  ] as const) {
    test(`is fine ${what}`, () => {
      expect(mistakesOf(oidc, match as Route['match'])).toEqual([]);
    });
  }

  for (const [what, oidc, match, mistake] of [
    ['whose callback no route takes', {}, { path: '/app' }, `no route with this login takes ${CALLBACK}`],
    ['whose callback is elsewhere', { redirectPath: '/back' }, { path: '/app/**' }, 'takes /back'],
    ['whose logout is elsewhere', { logoutPath: '/out' }, { path: '/app/**' }, 'takes /out'],
    ['of a route that takes no GET', {}, { method: 'POST' }, `takes ${CALLBACK}`],
    ['whose callback is spelt otherwise than requests are', { redirectPath: '/a/../b' }, {}, 'write "/b"'],
    ['with one path for both', { redirectPath: '/a', logoutPath: '/a' }, {}, 'need a path each'],
    ['at an issuer that is asked without TLS', { issuer: 'http://login.test' }, {}, 'insecure: true'],
    ['at an issuer with a query', { issuer: 'https://login.test?a=b' }, {}, 'is not an issuer'],
    ['with an origin that has a path', { origin: 'https://shop.test/a' }, {}, 'is not an origin'],
    ['with a state of its own', { parameters: { state: 'x' } }, {}, 'state is not for choosing'],
    ['with a short secret', { sessionSecret: 'hunter2' }, {}, 'at least 32 characters'],
    [
      'with a cookie that browsers drop',
      { cookie: { name: '__Host-sid', domain: 'shop.test' } },
      {},
      'no __Host- cookie with a domain',
    ],
    ['with authorities that are not there', { ca: '/nowhere.pem' }, {}, 'cannot read “/nowhere.pem”: ENOENT'],
    ['with a typo', { clientID: 'x' }, {}, 'unknown key “clientID”'],
  ] as const) {
    test(`is refused ${what}`, () => {
      expect(mistakesOf(oidc, match as Route['match']).join()).toContain(mistake);
    });
  }

  test('keeps the claims that rules ask for', () => {
    const required = (claims: readonly string[], name: string): readonly string[] => {
      const auth = { oidc: { ...LOGIN, claims: [...claims] }, require: { claims: { [name]: 'admin' } } };
      return mistakes({ routes: [{ pool: 'app', auth }] });
    };
    expect(required(['realm_access.roles'], 'realm_access.roles')).toEqual([]);
    expect(required(['realm_access'], 'realm_access.roles')).toEqual([]);
    expect(required(['realm'], 'realm_access.roles').join()).toContain('“realm_access.roles” is required, and not');
  });

  test('shows no secret, and everything else', () => {
    const secrets = { clientSecret: 'hush, client', sessionSecret: ['hush'.repeat(8), 'quiet'.repeat(8)] };
    const routes = [{ pool: 'app', auth: { oidc: { ...LOGIN, ...secrets, forwardToken: 'id' as const } } }];
    const loaded = configFromObject({
      listeners: { web: { port: 0 } },
      pools: { app: { endpoints: ['h:1'] } },
      routes,
    });
    const shown = loaded.ok ? effectiveYaml(withoutSecrets(effective(loaded.origins.root)), { origins: true }) : '';
    expect(shown).not.toMatch(/hush|quiet/);
    expect(shown.match(/\(secret\)/g)).toHaveLength(3);
    expect(shown).toMatch(/forwardToken: id/);
  });

  test('tells no secret where it is wrong', () => {
    expect(mistakesOf({ sessionSecret: 'hunter2', clientSecret: 7 }).join()).not.toContain('hunter2');
  });
});

describe('a login of a group', () => {
  const policies = { staff: { auth: { oidc: LOGIN } } };
  const wiki: Route = { pool: 'app', match: { path: '/wiki/**' }, use: ['staff'] };

  test('needs one route that takes its callback', () => {
    expect(mistakes({ policies, routes: [wiki] }).join()).toContain(`takes ${CALLBACK}`);
    const own: Route = { match: { path: '/.headgate/oidc/**' }, use: ['staff'], respond: { status: 404 } };
    expect(mistakes({ policies, routes: [own, wiki] })).toEqual([]);
  });

  test('of a listener takes it there, whatever the routes are', () => {
    const listeners = { web: { port: 0, use: ['staff'] } };
    expect(mistakes({ listeners, policies, routes: [{ pool: 'app', match: { path: '/wiki/**' } }] })).toEqual([]);
  });

  test('that a route has replaced does not count there', () => {
    const other: Route = { pool: 'app', use: ['staff'], auth: false };
    expect(mistakes({ policies, routes: [wiki, other] }).join()).toContain(`takes ${CALLBACK}`);
  });
});

describe('the examples of docs/oidc.md', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../../../docs/oidc.md'), 'utf8');
  const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text as string);
  const pools = Object.fromEntries(['app', 'wiki', 'admin'].map((name) => [name, { endpoints: ['h:1'] }]));

  test.each(blocks)('are accepted: %#', (text) => {
    expect(mistakes({ pools, ...(parse(text) as ConfigInput) })).toEqual([]);
  });

  test('are of four providers', () => {
    for (const issuer of ['keycloak.', 'accounts.google.com', 'login.microsoftonline.com', '.auth0.com']) {
      expect(blocks.join()).toContain(issuer);
    }
  });
});
