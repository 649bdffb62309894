import { lookup } from '../../src/cache/lookup.ts';
import type { CachePolicy } from '../../src/cache/policy.ts';
import { serveEntry } from '../../src/cache/serve.ts';
import type { ConfigInput } from '../../src/config/schema/config.ts';
import { cacheRequestOf } from '../../src/engine/cache-request.ts';
import { type Decision, decideOn, routeRequestOf } from '../../src/engine/decide.ts';
import { Edition } from '../../src/engine/edition.ts';
import { buildOutbound } from '../../src/engine/outbound.ts';
import { Progress } from '../../src/engine/progress.ts';
import type { RoutePlan, Snapshot } from '../../src/engine/snapshot.ts';
import { engineRig, exchangeFor, snapshotOf } from '../engine-rig.ts';
import { freshRequest } from './requests.ts';
import { CALLS, type Stage } from './stage.ts';

type RouteInput = NonNullable<ConfigInput['routes']>[number];

/** As many as a gateway for a company has. */
const ROUTES = 100;

/** What many put on a route. All are decided at once: none waits for anybody. */
const typicalPolicies: Partial<RouteInput> = {
  access: { deny: ['203.0.113.0/24', '198.51.100.7'] },
  limits: { headerBytes: '8k', headerCount: 50 },
  rateLimit: { rate: '1000000/s' },
  cors: { origins: ['https://shop.test'] },
  requestHeaders: { set: { 'X-Tenant': 'shop' } },
  securityHeaders: { preset: 'strict' },
};

function configWith(route: Partial<RouteInput>): ConfigInput {
  const others = Array.from({ length: ROUTES - 1 }, (_, index): RouteInput => {
    const host = index % 2 === 0 ? 'shop.test' : `app-${index % 10}.test`;
    return { name: `r${index}`, match: { host, path: `/section-${index}/**` }, pool: 'shop' };
  });
  return {
    listeners: { web: { port: 0 } },
    pools: { shop: { endpoints: ['10.0.0.1:3000', '10.0.0.2:3000', '10.0.0.3:3000'], health: {} } },
    routes: [...others, { name: 'items', match: { host: 'shop.test', path: '/items/**' }, pool: 'shop', ...route }],
  };
}

export function engineStages(): Stage[] {
  const plain = snapshotOf(configWith({}));
  const typical = snapshotOf(configWith(typicalPolicies));
  return [
    matching(plain),
    deciding('decide, no policies', plain),
    deciding('decide, six policies', typical),
    balancing(plain),
    outbound(plain),
    ...cacheStages(),
    wholeEngine('whole engine, proxied', configWith({})),
    wholeEngine('whole engine, six policies', configWith(typicalPolicies)),
    wholeEngine('whole engine, cache hit', configWith({ cache: true })),
  ];
}

/** Requests that nobody has looked at. */
function newProgress(edition: Edition): Progress[] {
  return Array.from({ length: CALLS }, (_, index) => {
    const stamp = { id: '01999999-9999-7999-8999-999999999999', epoch: Date.now(), at: performance.now() };
    return new Progress(exchangeFor(freshRequest(index)), edition, stamp);
  });
}

/** The same, decided on. */
function decided(edition: Edition): { readonly progress: Progress; readonly plan: RoutePlan }[] {
  return newProgress(edition).map((progress) => ({ progress, plan: planOf(decideOn(progress)) }));
}

function planOf(decision: Decision): RoutePlan {
  if (decision.kind !== 'forward' && decision.kind !== 'serve') throw new Error(`Decided to ${decision.kind}`);
  return decision.plan;
}

function matching(snapshot: Snapshot): Stage {
  const table = snapshot.listeners.get('web')?.table;
  if (table === undefined) throw new Error('No listener');
  const edition = new Edition(snapshot);
  let requests = decided(edition).map(({ progress }) => routeRequestOf(progress));
  return {
    name: 'match, 100 routes',
    prepare: () => {
      requests = decided(edition).map(({ progress }) => {
        const { host, path } = progress;
        return { ...routeRequestOf(progress), host: copied(host), path: copied(path) };
      });
    },
    run: () => {
      for (const request of requests) if (table.match(request)?.rule.name !== 'items') throw new Error('No match');
    },
  };
}

function deciding(name: string, snapshot: Snapshot): Stage {
  const edition = new Edition(snapshot);
  let waiting: Progress[] = [];
  return {
    name,
    prepare: () => {
      waiting = newProgress(edition);
    },
    run: () => {
      for (const progress of waiting) if (decideOn(progress).kind !== 'forward') throw new Error('Not forwarded');
    },
  };
}

function balancing(snapshot: Snapshot): Stage {
  const pool = snapshot.pools.get('shop');
  if (pool === undefined) throw new Error('No pool');
  const [facts] = newProgress(new Edition(snapshot));
  const request = { clientAddress: '192.0.2.1', facts: facts ?? null, session: null, tried: null };
  return {
    name: 'balance, 3 endpoints',
    run: () => {
      for (let i = 0; i < CALLS; i += 1) if (pool.pick(request) === null) throw new Error('Nobody');
    },
  };
}

function outbound(snapshot: Snapshot): Stage {
  const edition = new Edition(snapshot);
  let waiting: ReturnType<typeof decided> = [];
  return {
    name: 'outbound head',
    prepare: () => {
      waiting = decided(edition);
    },
    run: () => {
      for (const { progress, plan } of waiting) {
        if (buildOutbound(progress, plan, null).headers.length < 12) throw new Error('Fields are missing');
      }
    },
  };
}

/** Looks for one of as many responses as there are targets (`freshRequest`). */
function cacheStages(): Stage[] {
  const rig = engineRig(configWith({ cache: true }));
  const edition = new Edition(rig.snapshot);
  for (let i = 0; i < CALLS; i += 1) rig.engine.handle(exchangeFor(freshRequest(i)));
  const { store } = rig.snapshot.cache;
  const waiting = () =>
    decided(edition).map(({ progress, plan }) => {
      const request = cacheRequestOf(progress, plan);
      return { request: { ...request, path: copied(request.path) }, policy: plan.cache as CachePolicy };
    });
  let asked: ReturnType<typeof waiting> = [];
  const prepare = (): void => {
    asked = waiting();
  };
  return [
    {
      name: 'cache lookup',
      prepare,
      run: () => {
        const now = Date.now();
        for (const { request, policy } of asked) {
          if (lookup(store, request, policy, now).kind !== 'hit') throw new Error('No hit');
        }
      },
    },
    {
      name: 'cache lookup and head of the hit',
      prepare,
      run: () => {
        const now = Date.now();
        for (const { request, policy } of asked) {
          const found = lookup(store, request, policy, now);
          if (found.kind !== 'hit' || serveEntry(found.entry, request, now).body === null) throw new Error('No hit');
        }
      },
    },
  ];
}

function wholeEngine(name: string, config: ConfigInput): Stage {
  const rig = engineRig(config);
  let exchanges: ReturnType<typeof exchangeFor>[] = [];
  return {
    name,
    prepare: () => {
      exchanges = Array.from({ length: CALLS }, (_, index) => exchangeFor(freshRequest(index)));
    },
    run: () => {
      const before = rig.finished;
      for (const exchange of exchanges) rig.engine.handle(exchange);
      if (rig.finished !== before + CALLS || rig.record?.status !== 200) throw new Error('Not all were answered');
    },
  };
}

/** A string of its own, as a parser makes it. */
function copied(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
