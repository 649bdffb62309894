import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configFromObject } from '../../../src/config/load.ts';
import { type Compiled, compile, inUseOf } from '../../../src/control/compile.ts';
import { sharedCache } from '../../../src/control/compile-cache.ts';
import type { KeptParts } from '../../../src/control/kept-parts.ts';
import { Ledger } from '../../../src/control/ledger.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { GatewayError } from '../../../src/errors.ts';
import type { EndpointLive } from '../../../src/upstream/endpoint-live.ts';
import { Prober } from '../../../src/upstream/health/prober.ts';
import { Revision } from '../../../src/upstream/revision.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { ScriptedClient } from '../../kit/scripted-client.ts';
import { scriptedEngine } from '../../kit/scripted-engine.ts';
import { type ScriptedAttempt, ScriptedTransport } from '../../kit/scripted-transport.ts';
import { runs } from '../../kit/whole.ts';

/** A configuration of a few pools and routes; small numbers, so that the next one often has the same parts. */
interface Site {
  /** Ports of the endpoints of each pool. */
  readonly pools: readonly (readonly number[])[];
  /** A route for each path: which pool, and whether it strips the path. */
  readonly routes: readonly { readonly path: number; readonly pool: number; readonly strip: boolean }[];
  readonly limits: boolean;
  readonly broken: boolean;
}

type Step =
  | { readonly kind: 'reload'; readonly site: Site }
  | { readonly kind: 'ask'; readonly path: number }
  | { readonly kind: 'answer' | 'fail' | 'leave'; readonly nth: number };

const small = (max: number) => fc.integer({ min: 0, max });
const site: fc.Arbitrary<Site> = fc.record({
  pools: fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 3,
  }),
  routes: fc.uniqueArray(fc.record({ path: small(4), pool: small(2), strip: fc.boolean() }), {
    selector: ({ path }) => path,
    maxLength: 4,
  }),
  limits: fc.boolean(),
  broken: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reload' as const), site }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('ask' as const), path: small(4) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('answer' as const, 'fail' as const, 'leave' as const),
      nth: small(5),
    }),
  },
);

test('each request is answered by the configuration that served when it came, whatever follows; nothing is left over', () => {
  fc.assert(
    fc.property(site, fc.array(step, { maxLength: 60 }), (first, steps) => {
      const scene = new Scene({ ...first, broken: false });
      for (const one of steps) scene.take(one);
      scene.finish();
    }),
    { seed: 20261121, numRuns: runs(400) },
  );
});

test('what is kept over reloads is kept: the same endpoint of the same pool has the same live state', () => {
  fc.assert(
    fc.property(fc.array(site, { minLength: 2, maxLength: 12 }), (sites) => {
      const [first, ...others] = sites;
      const scene = new Scene({ ...(first as Site), broken: false });
      let before = scene.live();
      for (const next of others) {
        scene.take({ kind: 'reload', site: next });
        const now = scene.live();
        for (const [id, live] of now) if (before.has(id)) expect(live).toBe(before.get(id));
        before = now;
      }
      scene.finish();
    }),
    { seed: 20261122, numRuns: runs(200) },
  );
});

/** A gateway without sockets that reloads as a real one does, and what a request must come to by its configuration. */
class Scene {
  readonly #clock = new ManualClock();
  readonly #transport = new ScriptedTransport();
  readonly #ledger: Ledger;
  readonly #engine: Engine;
  readonly #clients: { readonly client: ScriptedClient; readonly attempt: number }[] = [];
  readonly #cache = sharedCache(loaded({ routes: [] }).config.cache);
  /** Of all endpoints that ever were, those that no pool has any more among them. */
  readonly #seen = new Set<EndpointLive>();
  #site: Site;
  #parts: KeptParts | undefined;
  #editions = 0;
  #retired = 0;
  #asked = 0;
  #finished = 0;

  constructor(first: Site) {
    const upstream = {
      clock: this.#clock,
      random: () => 0.5,
      observer: { event: () => {}, checked: () => {} },
      revision: new Revision(),
    };
    this.#ledger = new Ledger(new Prober({ sender: { probe: () => ({ cancel: () => {} }) }, ...upstream }), upstream);
    this.#site = first;
    const compiled = this.#compile(first);
    if (compiled === null) throw new Error('The first configuration is sound');
    this.#engine = scriptedEngine(compiled.snapshot, {
      transport: this.#transport,
      clock: this.#clock,
      finished: () => {
        this.#finished += 1;
      },
    });
    this.#serve(first, compiled);
  }

  take(one: Step): void {
    switch (one.kind) {
      case 'reload':
        this.#reload(one.site);
        return;
      case 'ask':
        this.#ask(one.path);
        return;
      default:
        this.#settle(one.kind, one.nth);
    }
  }

  /** Everything ends, and nobody counts as busy; the ledger has what is served, and nothing else. */
  finish(): void {
    for (const attempt of this.#transport.attempts) if (!attempt.isOver) answer(attempt);
    for (const { client } of this.#clients) if (client.ended === null) client.leave();
    expect(this.#finished).toBe(this.#asked);
    for (const { inFlight } of this.#seen) expect(inFlight).toBe(0);
    this.#reload({ ...this.#site, routes: [], broken: false });
    expect(this.#retired).toBe(this.#editions);
  }

  /** Of the endpoints that are served, by pool and origin. */
  live(): ReadonlyMap<string, EndpointLive> {
    const { pools } = this.#engine.snapshot;
    return new Map(
      [...pools.values()].flatMap(({ endpoints }) => endpoints.map(({ id, live }) => [id, live] as const)),
    );
  }

  #reload(site: Site): void {
    const compiled = this.#compile(site);
    if (compiled === null) {
      // As if nobody had asked: what was compiled for it is forgotten.
      this.#ledger.disregard();
      this.#ledger.retain(inUseOf(this.#engine.snapshot, loaded(configOf(this.#site)).config));
      return;
    }
    this.#editions += 1;
    this.#engine.publish(compiled.snapshot, () => {
      this.#retired += 1;
    });
    this.#serve(site, compiled);
  }

  #serve(site: Site, compiled: Compiled): void {
    this.#site = site;
    this.#parts = compiled.parts;
    this.#ledger.serve();
    for (const pool of compiled.snapshot.pools.values()) pool.enforce();
    this.#ledger.retain(inUseOf(compiled.snapshot, loaded(configOf(site)).config));
    for (const live of this.live().values()) this.#seen.add(live);
  }

  #compile(site: Site): Compiled | null {
    const { config, origins } = loaded(configOf(site));
    const compiled = compile({
      ...{ config, origins, ledger: this.#ledger, cache: this.#cache, development: false, tolerance: 'reload' },
      ...(this.#parts === undefined ? {} : { before: this.#parts }),
    });
    return compiled.ok ? compiled : null;
  }

  #ask(path: number): void {
    const { routes, pools } = this.#site;
    const route = routes.find((one) => one.path === path);
    const sent = this.#transport.attempts.length;
    const client = new ScriptedClient({ method: 'POST', target: `/p${path}/x`, headers: ['Host', 'shop.test'] });
    this.#asked += 1;
    this.#engine.handle(client.exchange);
    const attempt = this.#transport.attempts[sent]?.attempt;
    if (route === undefined) {
      expect([client.head?.status, attempt]).toEqual([404, undefined]);
      return;
    }
    const ports = pools[route.pool % pools.length] ?? [];
    expect(attempt?.target).toBe(route.strip ? '/x' : `/p${path}/x`);
    expect(ports).toContain(attempt?.destination.port);
    this.#clients.push({ client, attempt: sent });
  }

  #settle(how: 'answer' | 'fail' | 'leave', nth: number): void {
    const open = this.#clients.filter(({ client }) => client.ended === null);
    const chosen = open[nth % Math.max(open.length, 1)];
    if (chosen === undefined) return;
    const attempt = this.#transport.attempts[chosen.attempt];
    if (how === 'leave') chosen.client.leave();
    else if (how === 'fail') {
      attempt?.fail(
        new GatewayError('connection_terminated', {
          blame: 'upstream',
          status: 502,
          reason: 'connection-lost',
          retry: 'never',
        }),
      );
      expect(chosen.client.head?.status).toBe(502);
    } else {
      attempt?.head({ status: 200, headers: ['x-of', `${chosen.attempt}`] });
      attempt?.end();
      expect([chosen.client.head?.status, chosen.client.header('x-of')]).toEqual([200, `${chosen.attempt}`]);
    }
  }
}

function answer(attempt: ScriptedAttempt): void {
  attempt.head({ status: 200, headers: [] });
  attempt.end();
}

function configOf({ pools, routes, limits, broken }: Site): object {
  const limited = limits ? { limits: { inFlight: 1000, queue: { size: 10 } } } : {};
  return {
    listeners: { web: { port: 80 } },
    pools: Object.fromEntries(
      pools.map((ports, i) => [`pool${i}`, { endpoints: ports.map((port) => `127.0.0.1:${port}`), ...limited }]),
    ),
    routes: routes.map(({ path, pool, strip }, i) => ({
      name: `route${path}`,
      match: { path: `/p${path}/**` },
      pool: `pool${pool % pools.length}`,
      ...(strip ? { rewrite: { stripPrefix: `/p${path}` } } : {}),
      // Compiles for a while, and then turns out to be wrong.
      ...(broken && i === routes.length - 1 ? { requestHeaders: { set: { 'x-a': '{nobody.knows}' } } } : {}),
    })),
  };
}

function loaded(config: object) {
  const result = configFromObject(config);
  if (!result.ok) throw new Error(result.diagnostics[0]?.message);
  return result;
}
