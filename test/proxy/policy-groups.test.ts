import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compileOnly } from '../../src/cli/compile-only.ts';
import { configFromObject } from '../../src/config/load.ts';
import { readQuestion } from '../../src/control/explain/question.ts';
import { ADMIT_PHASES } from '../../src/policy/admit.ts';
import { forwardTo } from '../kit/config.ts';
import { startTestGateway } from '../kit/gateway.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';

matrix(
  'groups of the listener and of the route apply, the nearer the later; the route has the last word',
  async (stage) => {
    const shop = await stage.origin();
    const front = await stage.gateway(
      forwardTo(shop, {
        listener: { use: ['far'] },
        route: {
          match: { path: '/t/{tenant}/**' },
          use: ['near', 'nearer'],
          requestHeaders: { set: { 'X-Who': 'route' } },
          responseHeaders: { set: { 'X-By': 'route' } },
        },
        rest: {
          policies: {
            far: {
              requestHeaders: { set: { 'X-Far': 'far', 'X-Who': 'far' } },
              responseHeaders: { set: { 'X-Far': 'far' } },
            },
            near: { requestHeaders: { set: { 'X-Tenant': '{path.tenant}', 'X-Near': 'near' } } },
            nearer: { requestHeaders: { set: { 'X-Near': 'nearer' } }, responseHeaders: { set: { 'X-By': 'nearer' } } },
          },
        },
      }),
    );
    const reply = await front.send({ path: '/t/acme/cart' });
    const received = await shop.request();
    expect(['x-far', 'x-who', 'x-tenant', 'x-near'].map((name) => received.all(name))).toEqual([
      ['far'],
      ['route'],
      ['acme'],
      ['nearer'],
    ]);
    expect(['x-far', 'x-by'].map((name) => reply.header(name))).toEqual(['far', 'route']);
  },
);

matrix(
  'a group that no route includes has no part in anything, and one that is included twice counts once',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(
      forwardTo(shop, {
        listener: { use: ['tag'] },
        route: { use: ['tag', 'tag'] },
        rest: {
          policies: {
            tag: { requestHeaders: { add: { 'X-Tag': '1' } } },
            other: { requestHeaders: { add: { 'X-Tag': '2' } } },
          },
        },
      }),
    );
    await front.send({ path: '/' });
    expect((await shop.request()).all('x-tag')).toEqual(['1']);
  },
  { without: ONE_PROTOCOL },
);

test('a reload of a group reaches every route that includes it, and those that do not are kept as they are', async () => {
  const routes = [
    { name: 'in', match: { path: '/in' }, respond: { body: 'in' }, use: 'tag' },
    { name: 'out', match: { path: '/out' }, respond: { body: 'out' } },
  ];
  const tagged = (value: string) => ({ routes, policies: { tag: { responseHeaders: { set: { 'X-Tag': value } } } } });
  const gateway = await startTestGateway(tagged('one'));
  const tags = async (): Promise<(string | null)[]> =>
    Promise.all(['/in', '/out'].map(async (path) => (await fetch(gateway.url() + path)).headers.get('x-tag')));
  expect(await tags()).toEqual(['one', null]);
  await gateway.reload(tagged('two'));
  expect(await tags()).toEqual(['two', null]);
});

test('a mistake in a group refuses the configuration, with its place', () => {
  const loaded = configFromObject({ routes: [{ respond: {}, use: 'webb' }], policies: { web: {} } });
  expect(loaded.ok ? [] : loaded.diagnostics).toMatchObject([
    { code: 'HG0103', message: 'group of policies “webb” does not exist', suggestion: expect.stringContaining('web') },
  ]);
});

test.each(['start', 'reload', 'strict'] as const)(
  'what a group can’t do refuses the configuration (%s)',
  (tolerance) => {
    const loaded = configFromObject({
      listeners: { web: { port: 0 } },
      routes: [{ respond: {} }],
      policies: { web: { requestHeaders: { set: { 'X-A': '{no.such.variable}' } } } },
    });
    const compiled = loaded.ok ? compileOnly(loaded, { tolerance }) : null;
    expect(compiled).toMatchObject({
      ok: false,
      diagnostics: [{ message: expect.stringContaining('no.such.variable') }],
    });
  },
);

test('explain tells policies of groups where they stand, and in the order in which a request meets them', async () => {
  const gateway = await startTestGateway({
    pools: { shop: { endpoints: ['127.0.0.1:1'] } },
    listeners: { web: { port: 0, use: 'far' } },
    policies: {
      far: { responseHeaders: { set: { 'X-Far': 'far' } } },
      near: { requestHeaders: { set: { 'X-Near': 'near' } } },
    },
    routes: [{ pool: 'shop', use: 'near', rewrite: { path: '/new' }, requestHeaders: { remove: ['Cookie'] } }],
  });
  const asked = readQuestion({ url: gateway.url() });
  if (!asked.ok) throw new Error(asked.message);
  const { policies } = gateway.gateway.explain(asked.question);
  expect(policies.map(({ policy, words }) => `${policy}: ${words}`)).toEqual([
    'requestHeaders: set X-Near: near (group near)',
    'rewrite: path becomes /new: / → /new',
    'requestHeaders: remove Cookie',
    'rewriteLocation: undo the rewrite in Location and Content-Location',
    'responseHeaders: set X-Far: far (group far)',
  ]);
});

test('a list of a group that can’t be read takes the routes that include it out of service, and no other', async () => {
  const config = {
    listeners: { web: { port: 0 } },
    policies: { office: { access: { allow: { file: '/nowhere/office.txt' } } } },
    routes: [
      { name: 'in', match: { path: '/in' }, respond: { body: 'in' }, use: 'office' },
      { name: 'out', match: { path: '/out' }, respond: { body: 'out' } },
    ],
  };
  const gateway = await startTestGateway(config);
  const statuses = await Promise.all(['/in', '/out'].map(async (path) => (await fetch(gateway.url() + path)).status));
  expect(statuses).toEqual([503, 200]);
  expect(gateway.status().quarantined).toMatchObject([
    {
      kind: 'route',
      name: 'in',
      effect: 'refused',
      code: 'HG0101',
      message: expect.stringContaining('/nowhere/office.txt'),
    },
  ]);
});

test('a list of a listener’s group that can’t be read takes all its routes out of service', async () => {
  const gateway = await startTestGateway({
    listeners: { web: { port: 0, use: 'office' }, other: { port: 0 } },
    policies: { office: { access: { allow: { file: '/nowhere/office.txt' } } } },
    routes: [
      { name: 'here', listeners: 'web', respond: { body: 'here' } },
      { name: 'there', listeners: 'other', respond: { body: 'there' } },
    ],
  });
  const statuses = await Promise.all(['web', 'other'].map(async (name) => (await fetch(gateway.url(name))).status));
  expect(statuses).toEqual([503, 200]);
});

test('docs/policies.md tells the phases of a request in their order', () => {
  const page = readFileSync(new URL('../../docs/policies.md', import.meta.url), 'utf8');
  const table = page.slice(page.indexOf('| phase |'), page.indexOf('`redirect`, `respond` answer'));
  expect([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, phase]) => phase)).toEqual(ADMIT_PHASES);
});
