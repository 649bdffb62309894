import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AttemptMark, nextSerial } from '../../../../src/upstream/attempt-watcher.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import { Admission, mustWait } from '../../../../src/upstream/limit/admission.ts';
import type { Importance } from '../../../../src/upstream/limit/importance.ts';
import { type LimitOptions, PoolLimit } from '../../../../src/upstream/limit/pool-limit.ts';
import type { Pool } from '../../../../src/upstream/pool.ts';
import { Revision } from '../../../../src/upstream/revision.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';
import { endpointsOf, poolOf, seededRandom, setHealth } from '../endpoints.ts';

const QUEUE = { size: 100, timeoutMs: 1_000, targetMs: 100, intervalMs: 500 };

interface Held {
  readonly endpoint: Endpoint;
  readonly mark: AttemptMark;
}

/** A pool whose limits are kept, and requests that come and go. A session is the index of its endpoint. */
class Shop {
  readonly clock = new ManualClock();
  readonly endpoints: readonly Endpoint[];
  readonly pool: Pool;
  readonly keeper: PoolLimit;
  readonly inFlight: Held[] = [];
  readonly told: string[] = [];
  readonly waiting: Admission[] = [];

  constructor(count: number, limits: Partial<LimitOptions>) {
    const unlimited = Number.POSITIVE_INFINITY;
    const options = { inFlight: unlimited, perEndpoint: unlimited, queue: QUEUE, adaptive: null, ...limits };
    this.endpoints = endpointsOf(Array.from({ length: count }, () => 1));
    const parts = {
      clock: this.clock,
      random: seededRandom(1),
      observer: { event: () => {} },
      revision: new Revision(),
    };
    this.keeper = new PoolLimit('shop', options, parts);
    const affinity = {
      sessionOf: () => null,
      pick: (session: string) => {
        const endpoint = this.endpoints[Number(session)] as Endpoint;
        return endpoint.probe?.up === true && this.pool.endpoints.includes(endpoint) ? endpoint : null;
      },
      answered: () => null,
    };
    this.pool = poolOf(this.endpoints, { limits: { keeper: this.keeper, options }, affinity: () => affinity as never });
    this.pool.enforce();
  }

  arrive(name: string, session: string | null = null, importance: Importance = 'normal'): void {
    const request = { clientAddress: '192.0.2.1', facts: null, session, tried: null };
    const picked = this.keeper.open ? this.pool.pick(request) : null;
    if (mustWait(this.pool, picked, null)) {
      const admission = new Admission(this.pool, this.keeper, {
        ...{ importance, again: false, plain: session === null, tried: null },
        pick: () => this.pool.pick(request),
        begin: (endpoint) => this.begin(name, endpoint),
        refused: ({ reason }) => this.told.push(`${name} ${reason}`),
        unavailable: () => this.told.push(`${name} nobody`),
      });
      this.waiting.push(admission);
      admission.wait();
    } else if (picked === null) this.told.push(`${name} nobody`);
    else this.begin(name, picked);
  }

  begin(name: string, endpoint: Endpoint): void {
    this.told.push(`${name} at ${this.endpoints.indexOf(endpoint)}`);
    const mark = { serial: nextSerial(), status: 0 };
    this.inFlight.push({ endpoint, mark });
    this.pool.began(endpoint, mark);
  }

  end(index: number): void {
    const [{ endpoint, mark }] = this.inFlight.splice(index, 1) as [Held];
    this.pool.ended(endpoint, mark);
  }
}

describe('a pool whose endpoints are limited', () => {
  test('goes on to others while one is full, and makes requests wait when all are', () => {
    const shop = new Shop(2, { perEndpoint: 1 });
    for (const name of ['a', 'b', 'c']) shop.arrive(name);
    expect(shop.told).toEqual(['a at 0', 'b at 1']);
    shop.end(1);
    expect(shop.told.at(-1)).toBe('c at 1');
  });

  test.each([null, '0'])(
    'gives who waits for one that leaves the pool to one that joins it (session %s)',
    (session) => {
      const shop = new Shop(2, { perEndpoint: 1 });
      const [leaves, joins] = shop.endpoints as readonly [Endpoint, Endpoint];
      shop.pool.replace([leaves]);
      shop.arrive('a');
      shop.arrive('b', session);
      shop.pool.replace([joins]);
      expect(shop.told).toEqual(['a at 0', 'b at 1']);
    },
  );

  test('lets a session wait for its endpoint without keeping others from theirs', () => {
    const shop = new Shop(2, { perEndpoint: 1 });
    shop.arrive('a', '0');
    shop.arrive('session', '0');
    shop.arrive('b');
    shop.arrive('other');
    expect(shop.told).toEqual(['a at 0', 'b at 1']);
    shop.end(1);
    expect(shop.told.at(-1)).toBe('other at 1');
    shop.end(0);
    expect(shop.told.at(-1)).toBe('session at 0');
  });

  test('sends a session elsewhere when its endpoint goes away while it waits', () => {
    const shop = new Shop(2, { perEndpoint: 1 });
    shop.arrive('a', '0');
    shop.arrive('session', '0');
    setHealth(shop.endpoints[0], false);
    shop.clock.advance(30);
    expect(shop.told.at(-1)).toBe('session at 1');
  });

  test('lets nobody wait for endpoints that have gone', () => {
    const shop = new Shop(1, { perEndpoint: 1 });
    shop.arrive('a');
    shop.arrive('b');
    setHealth(shop.endpoints[0], false);
    shop.clock.advance(30);
    shop.arrive('c');
    expect(shop.told).toEqual(['a at 0', 'b nobody', 'c nobody']);
  });

  test('serves those who wait as soon as an endpoint is back', () => {
    const shop = new Shop(2, { perEndpoint: 1 });
    setHealth(shop.endpoints[1], false);
    shop.arrive('a');
    shop.arrive('b');
    setHealth(shop.endpoints[1], true);
    shop.clock.advance(30);
    expect(shop.told).toEqual(['a at 0', 'b at 1']);
  });

  test('forgets its limits when a configuration without any takes over', () => {
    const shop = new Shop(2, { perEndpoint: 1 });
    poolOf(shop.endpoints).enforce();
    expect(shop.endpoints.map(({ live }) => live.limit)).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  test('never has more in flight than its limits, forgets nobody, and lets nobody wait for ever', () => {
    const action = fc.oneof(
      fc.record({
        kind: fc.constant('arrive' as const),
        session: fc.option(fc.constantFrom('0', '1', '2')),
        importance: fc.constantFrom<Importance>('high', 'normal', 'low'),
      }),
      fc.record({ kind: fc.constant('end' as const), which: fc.nat() }),
      fc.record({ kind: fc.constant('leave' as const), which: fc.nat() }),
      fc.record({ kind: fc.constant('health' as const), which: fc.nat({ max: 2 }), up: fc.boolean() }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 300 }) }),
    );
    const limits = fc.record({ inFlight: fc.integer({ min: 1, max: 5 }), perEndpoint: fc.integer({ min: 1, max: 3 }) });
    fc.assert(
      fc.property(limits, fc.array(action, { maxLength: 150 }), (most, actions) => {
        const shop = new Shop(3, { ...most, queue: { ...QUEUE, size: 8 } });
        let arrived = 0;
        for (const [index, step] of actions.entries()) {
          if (step.kind === 'arrive') {
            shop.arrive(String(index), step.session, step.importance);
            arrived += 1;
          } else if (step.kind === 'end' && shop.inFlight.length > 0) shop.end(step.which % shop.inFlight.length);
          else if (step.kind === 'leave' && shop.waiting.length > 0) {
            shop.waiting[step.which % shop.waiting.length]?.leave();
          } else if (step.kind === 'health') setHealth(shop.endpoints[step.which], step.up);
          else if (step.kind === 'pass') shop.clock.advance(step.ms);
          expect(shop.inFlight.length).toBeLessThanOrEqual(most.inFlight);
          for (const { live } of shop.endpoints) expect(live.inFlight).toBeLessThanOrEqual(most.perEndpoint);
        }
        shop.clock.advance(1_100);
        const { queued, left, inFlight } = shop.keeper.figures();
        expect([queued, inFlight]).toEqual([0, shop.inFlight.length]);
        expect(shop.told.length + left).toBe(arrived);
        while (shop.inFlight.length > 0) shop.end(0);
        expect(shop.endpoints.map(({ live }) => live.inFlight)).toEqual([0, 0, 0]);
        shop.clock.advance(10_000);
        expect(shop.clock.pending).toBe(0);
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});
