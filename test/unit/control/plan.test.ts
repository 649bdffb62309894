import { describe, expect, test } from 'vitest';
import { compileOnly } from '../../../src/cli/compile-only.ts';
import { planText } from '../../../src/cli/plan.ts';
import { configFromObject, type LoadResult, loadConfigText } from '../../../src/config/load.ts';
import { type PlanSide, planSteps } from '../../../src/control/plan/make-plan.ts';
import type { Plan } from '../../../src/control/plan/plan.ts';
import { atOnce } from '../../../src/control/slices.ts';
import { drainsListener } from '../../../src/gateway/listener-options.ts';
import { ONCE } from '../../../src/gateway/serving.ts';

const site = {
  listeners: { web: { port: 8080 }, extra: { port: 8081 } },
  pools: { shop: { endpoints: ['10.0.0.1:8080', '10.0.0.2:8080'] }, blog: { endpoints: ['10.0.0.3:80'] } },
  routes: [
    { name: 'beta', match: { host: 'shop.test', path: '/api/**', headers: { 'x-beta': 'on' } }, pool: 'blog' },
    { name: 'api', match: { host: 'shop.test', path: '/api/**' }, pool: 'shop' },
    { name: 'blog', match: { path: '/blog/**' }, pool: 'blog' },
    { match: { path: '/old' }, redirect: { to: '/new' } },
  ],
};
type Site = typeof site;

describe('the plan of', () => {
  test('the same configuration is that nothing would change', () => {
    expect(planned(site, structuredClone(site))).toMatchObject({ same: true, drained: [], needsRestart: [] });
    expect(planText(planned(site, site))).toBe('Nothing would change.\n');
  });

  test('an edit above it is not a change of a route without a name', () => {
    const next = { ...site, routes: [{ name: 'first', match: { path: '/x' }, pool: 'shop' }, ...site.routes] };
    const { routes } = planned(site, next);
    expect(routes.added.map(({ name }) => name)).toEqual(['first']);
    expect([routes.removed, routes.changed, routes.reordered]).toEqual([[], [], []]);
  });

  test('routes says which keys have changed, and which stand elsewhere', () => {
    const [beta, api, blog, old] = site.routes as Site['routes'];
    const next = { ...site, routes: [blog, { ...beta, timeouts: { head: '3s' } }, api, old] };
    const { routes } = planned(site, next);
    expect(routes.changed).toMatchObject([{ name: 'beta', keys: ['timeouts'] }]);
    expect(routes.reordered.map(({ name }) => name)).toEqual(['blog']);
  });

  test('a group says which routes have it, and by what of it they change', () => {
    const [beta, api, blog, old] = site.routes as Site['routes'];
    const routes = [{ ...beta, use: 'staff' }, { ...api, use: ['staff'], rateLimit: { rate: '1/s' } }, blog, old];
    const listeners = { ...site.listeners, extra: { port: 8081, use: 'far' } };
    const grouped = (rate: string, preset: string) => ({
      ...{ ...site, routes, listeners },
      policies: { staff: { csrf: {}, rateLimit: { rate } }, far: { securityHeaders: { preset } }, unused: {} },
    });
    const changes = (next: object) => planned(grouped('5/s', 'basic'), next).routes.changed.map(({ keys }) => keys);
    expect(changes(grouped('5/s', 'basic'))).toEqual([]);
    expect(changes(grouped('6/s', 'basic'))).toEqual([['policies.staff.rateLimit'], ['policies.staff.rateLimit']]);
    expect(changes(grouped('5/s', 'strict'))).toEqual(Array(4).fill(['policies.far.securityHeaders']));
  });

  test('a route that takes requests from another says which, with the request', () => {
    const next = {
      ...site,
      routes: [{ name: 'all', match: { host: 'shop.test', path: '/api/v2/**' }, pool: 'blog' }, ...site.routes],
    };
    expect(planned(site, next).routes.moved).toEqual([{ request: 'GET shop.test/api/v2/any', from: 'api', to: 'all' }]);
  });

  test('a request that other routes would take shows no value that they compare with', () => {
    const match = {
      path: '/api/**',
      query: { key: 'sesame' },
      headers: { 'x-key': 'sesame' },
      cookies: { c: 'sesame' },
    };
    const plan = planned(site, { ...site, routes: [...site.routes, { name: 'keyed', match, pool: 'shop' }] });
    expect(plan.routes.moved).toEqual([
      { request: 'GET any.example/api/any?key with x-key, cookie', from: null, to: 'keyed' },
    ]);
  });

  test('a request for a path that only some know does not show it', () => {
    const read = (name: string): PlanSide => {
      const yaml = `routes: [{ name: ${name}, match: { path: '/hook/\${KEY}' }, respond: {} }]\nlisteners: { web: { port: 80 } }`;
      const text = { path: 'g.yaml', files: new Map([['g.yaml', yaml]]), included: new Map() };
      return sideOf(loadConfigText(text, { KEY: 'sesame' }));
    };
    const context = { once: ONCE, live: null, drains: drainsListener, requests: true };
    const plan = atOnce(planSteps(read('a'), read('b'), context));
    expect(plan.routes.moved).toEqual([{ request: 'GET any.example/hook/${KEY}', from: 'a', to: 'b' }]);
  });

  test('a route that is gone says who takes its requests', () => {
    const next = { ...site, routes: site.routes.filter(({ name }) => name !== 'beta') };
    const { routes } = planned(site, next);
    expect(routes.removed.map(({ name }) => name)).toEqual(['beta']);
    expect(routes.moved).toEqual([{ request: 'GET shop.test/api/any with x-beta', from: 'beta', to: 'api' }]);
  });

  test('a route that would be hidden says by whom', () => {
    const next = { ...site, routes: [...site.routes, { name: 'late', match: { path: '/blog/**' }, pool: 'shop' }] };
    expect(planned(site, next).routes.quarantined).toMatchObject([
      { name: 'late', message: expect.stringContaining('"blog"') },
    ]);
  });

  test('a pool that would be out of service says why, once', () => {
    const late = { endpoints: ['https://10.0.0.5'], tls: { ca: '/nowhere/ca.pem' } };
    const next = { ...site, pools: { ...site.pools, late } };
    const plan = planned(site, next);
    const message = 'cannot read “/nowhere/ca.pem”: ENOENT';
    expect(plan.quarantined).toEqual([{ kind: 'pool', name: 'late', at: expect.stringMatching(/:\d+$/), message }]);
    expect(planText(plan)).toContain(`!  pool late  ${plan.quarantined[0]?.at}  ${message}\n`);
    expect(planned(next, structuredClone(next)).same).toBe(true);
  });

  test('a certificate that no listener has had, and that can’t be used, is told', () => {
    const tls = { certificates: [{ certificate: '/nowhere/a.pem', key: '/nowhere/a.key' }] };
    const next = { ...site, listeners: { ...site.listeners, web: { port: 8080, tls } } };
    expect(planned(site, next).quarantined[0]).toMatchObject({ kind: 'certificate', name: '/nowhere/a.pem' });
    const was = side(next);
    const once = { ...was, compiled: { ...was.compiled, quarantined: [] } };
    const context = { once: ONCE, live: null, drains: drainsListener, requests: true };
    expect(atOnce(planSteps(once, side(next), context)).same).toBe(true);
  });

  test('pools and listeners says what becomes of endpoints and connections', () => {
    const next = {
      ...site,
      listeners: { web: { port: 8080, limits: { headerCount: 50 } }, third: { port: 8082 } },
      pools: { shop: { endpoints: ['10.0.0.1:8080', '10.0.0.9:8080'] }, blog: site.pools.blog, new: site.pools.blog },
    };
    const plan = planned(site, next);
    expect(plan.pools).toEqual({
      added: ['new'],
      removed: [],
      changed: [
        {
          name: 'shop',
          keys: ['endpoints'],
          endpoints: { added: ['10.0.0.9:8080'], removed: ['10.0.0.2:8080'] },
        },
      ],
    });
    expect(plan.listeners).toEqual({
      opened: ['third'],
      closed: ['extra'],
      changed: [{ name: 'web', keys: ['limits'], drains: true }],
    });
    expect(plan.drained).toEqual([
      { kind: 'listener', name: 'web', underWay: 3 },
      { kind: 'listener', name: 'extra', underWay: 3 },
      { kind: 'endpoint', name: 'shop http://10.0.0.2:8080', underWay: 2 },
    ]);
  });

  test('what only answers differently drains nobody', () => {
    const web = { port: 8080, path: { duplicateSlashes: 'keep' as const } };
    const plan = planned(site, { ...site, listeners: { ...site.listeners, web } });
    expect(plan.listeners.changed).toEqual([{ name: 'web', keys: ['path'], drains: false }]);
    expect(plan.drained).toEqual([]);
  });

  test('other sections names their keys, never their values', () => {
    const next = { ...site, admin: { token: 'a-secret-of-sixteen-or-more' }, defaults: { timeouts: { head: '9s' } } };
    const plan = planned(site, next);
    expect(plan.sections.map(({ section }) => section)).toEqual(['defaults', 'admin']);
    expect(JSON.stringify(plan)).not.toContain('a-secret-of');
  });
});

test('as text, each change is a line', () => {
  const [beta, ...rest] = site.routes;
  const next = {
    ...site,
    pools: { ...site.pools, shop: { endpoints: ['10.0.0.1:8080'] } },
    routes: [...rest, { ...beta, name: 'gamma' }],
  };
  expect(planText(planned(site, next))).toBe(
    `  +  route gamma  <inline>:27
  -  route beta   <inline>:15
  ~  pool shop                 endpoints  -10.0.0.2:8080
  → GET shop.test/api/any with x-beta  goes to gamma instead of beta
  endpoint shop http://10.0.0.2:8080 drains: 2 requests under way
Nothing was changed.
`,
  );
});

function planned(before: object, next: object): Plan {
  const was = side(before);
  const live = {
    listeners: Object.keys(was.config.listeners).map((name) => ({
      name,
      kind: 'http' as const,
      url: '',
      connections: 3,
    })),
    pools: [...was.compiled.snapshot.pools.values()].map(({ name, endpoints }) => ({
      name,
      endpoints: endpoints.map(({ origin }) => ({ origin, inFlight: 2 })),
    })),
  } as unknown as Parameters<typeof planSteps>[2]['live'];
  return atOnce(planSteps(was, side(next), { once: ONCE, live, drains: drainsListener, requests: true }));
}

function side(config: object): PlanSide {
  return sideOf(configFromObject(config));
}

function sideOf(loaded: LoadResult): PlanSide {
  if (!loaded.ok) throw new Error(loaded.diagnostics[0]?.message);
  const compiled = compileOnly(loaded, { tolerance: 'start' });
  if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message);
  return { ...loaded, compiled };
}
