import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { configFromObject } from '../../../src/config/load.ts';
import { type Compiled, compile, compileSteps } from '../../../src/control/compile.ts';
import { sharedCache } from '../../../src/control/compile-cache.ts';
import { Ledger } from '../../../src/control/ledger.ts';
import { Prober } from '../../../src/upstream/health/prober.ts';
import { Revision } from '../../../src/upstream/revision.ts';

const upstream = {
  clock: systemClock,
  random: () => 0.5,
  observer: { event: () => {}, checked: () => {} },
  revision: new Revision(),
};

/** Compiles one configuration after the other, as a gateway does that reloads. */
function site(): (config: unknown) => Compiled {
  const ledger = new Ledger(new Prober({ sender: { probe: () => ({ cancel: () => {} }) }, ...upstream }), upstream);
  let before: Compiled | null = null;
  return (config) => {
    const loaded = configFromObject(config);
    if (!loaded.ok) throw new Error(loaded.diagnostics[0]?.message);
    const { config: plain, origins } = loaded;
    const cache = sharedCache(plain.cache);
    const parts = before === null ? {} : { before: before.parts };
    const compiled = compile({
      tolerance: 'start',
      config: plain,
      origins,
      ledger,
      cache,
      development: false,
      ...parts,
    });
    if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message);
    before = compiled;
    return compiled;
  };
}

const listeners = { web: { port: 0 } };
const shop = { endpoints: ['127.0.0.1:1', '127.0.0.1:2'], balance: 'least-connections' };
const blog = { endpoints: ['127.0.0.1:3'] };
const routes = [
  { name: 'shop', match: { path: '/shop/**' }, pool: 'shop' },
  { name: 'blog', match: { path: '/blog/**' }, pool: 'blog', fallback: [{ pool: 'shop' }] },
  { name: 'old', match: { path: '/old' }, redirect: { to: '/new' } },
];

describe('of the next configuration', () => {
  test('what has not changed is the same object: pools, plans, the table of a listener', () => {
    const next = site();
    const one = next({ listeners, pools: { shop, blog }, routes });
    const two = next({ listeners, pools: { shop, blog }, routes });
    expect([...two.snapshot.pools.values()].every((pool) => pool === one.snapshot.pools.get(pool.name))).toBe(true);
    expect(two.routes.every((rule, i) => rule === one.routes[i])).toBe(true);
    expect(two.snapshot.listeners.get('web')?.table).toBe(one.snapshot.listeners.get('web')?.table);
  });

  test('a route that has moved keeps its plan', () => {
    const next = site();
    const one = next({ listeners, pools: { shop, blog }, routes });
    const first = { name: 'first', match: { path: '/first' }, redirect: { to: '/' } };
    const two = next({ listeners, pools: { shop, blog }, routes: [first, ...routes] });
    expect(two.routes.map(({ name, order }) => [name, order])).toEqual([
      ['first', 0],
      ['shop', 1],
      ['blog', 2],
      ['old', 3],
    ]);
    expect(two.routes.slice(1).every(({ plan }, i) => plan === one.routes[i]?.plan)).toBe(true);
    expect(two.snapshot.listeners.get('web')?.table).not.toBe(one.snapshot.listeners.get('web')?.table);
  });

  test('tests beside a route change nothing of what it does', () => {
    const next = site();
    const one = next({ listeners, pools: { shop, blog }, routes });
    const tested = routes.map((route) => ({ ...route, tests: ['GET https://a.test/'] }));
    const two = next({ listeners, pools: { shop, blog }, routes: tested });
    expect(two.routes.map(({ plan }) => plan)).toEqual(one.routes.map(({ plan }) => plan));
    expect(two.routes.every(({ plan }, i) => plan === one.routes[i]?.plan)).toBe(true);
  });

  test('a changed pool is another one, and so is every route that leads there, by whatever way; no other is', () => {
    const next = site();
    const one = next({ listeners, pools: { shop, blog }, routes });
    const two = next({ listeners, pools: { shop: { ...shop, panic: 0.1 }, blog }, routes });
    expect(two.snapshot.pools.get('shop')).not.toBe(one.snapshot.pools.get('shop'));
    expect(two.snapshot.pools.get('blog')).toBe(one.snapshot.pools.get('blog'));
    expect(two.routes.map(({ plan }, i) => plan === one.routes[i]?.plan)).toEqual([false, false, true]);
    const fallback = two.routes[1]?.plan.fallback?.steps[0];
    expect(fallback?.kind === 'pool' && fallback.pool).toBe(two.snapshot.pools.get('shop'));
  });

  test('a changed default changes every plan', () => {
    const next = site();
    const one = next({ listeners, pools: { shop, blog }, routes });
    const two = next({ listeners, pools: { shop, blog }, routes, defaults: { timeouts: { head: '3s' } } });
    expect(two.routes.some(({ plan }, i) => plan === one.routes[i]?.plan)).toBe(false);
    expect(two.routes[0]?.plan.timeouts.headMs).toBe(3000);
  });

  test.each([
    ['a group that it includes', { policies: { tag: { requestHeaders: { set: { 'X-Tag': '2' } } } } }],
    ['the groups of a listener', { listeners: { web: { port: 0, use: 'tag' } } }],
    ['a store that it counts in', { stores: { counts: { redis: { url: 'redis://127.0.0.1:2' } } } }],
  ])('a route is made anew when %s changes', (_what, change) => {
    const next = site();
    const route = { match: { path: '/shop/**' }, use: 'tag', rateLimit: { rate: '5/s', store: 'counts' } };
    const config = {
      ...{ listeners, routes: [{ ...route, redirect: { to: '/' } }] },
      policies: { tag: { requestHeaders: { set: { 'X-Tag': '1' } } } },
      stores: { counts: { redis: { url: 'redis://127.0.0.1:1' } } },
    };
    const one = next(config);
    expect(next(config).routes[0]?.plan).toBe(one.routes[0]?.plan);
    expect(next({ ...config, ...change }).routes[0]?.plan).not.toBe(one.routes[0]?.plan);
  });
});

test('compiling in steps makes what compiling at once does, in at least a step for each route', () => {
  const loaded = configFromObject({ listeners, pools: { shop, blog }, routes });
  if (!loaded.ok) throw new Error(loaded.diagnostics[0]?.message);
  const ledger = new Ledger(new Prober({ sender: { probe: () => ({ cancel: () => {} }) }, ...upstream }), upstream);
  const input = { config: loaded.config, origins: loaded.origins, ledger, development: false };
  const steps = compileSteps({ ...input, tolerance: 'start', cache: sharedCache(loaded.config.cache) });
  let taken = 0;
  let step = steps.next();
  while (step.done !== true) {
    taken += 1;
    step = steps.next();
  }
  expect(taken).toBeGreaterThan(routes.length);
  const result = step.value;
  expect(result.ok && result.routes.map(({ name }) => name)).toEqual(['shop', 'blog', 'old']);
});
