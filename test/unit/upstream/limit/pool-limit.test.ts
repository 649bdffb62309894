import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../../src/errors.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import type { UpstreamEvent } from '../../../../src/upstream/events.ts';
import type { Importance } from '../../../../src/upstream/limit/importance.ts';
import { type LimitOptions, PoolLimit } from '../../../../src/upstream/limit/pool-limit.ts';
import type { Choice, Place, Waiter } from '../../../../src/upstream/limit/waiter.ts';
import { Revision } from '../../../../src/upstream/revision.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';
import { endpointsOf, seededRandom } from '../endpoints.ts';

const QUEUE = { size: 100, timeoutMs: 10_000, targetMs: 100, intervalMs: 1_000 };
const OPTIONS: LimitOptions = { inFlight: 2, perEndpoint: Number.POSITIVE_INFINITY, queue: QUEUE, adaptive: null };

/** A limited pool of one endpoint, and a list of what happened in it. */
class Bench {
  readonly clock = new ManualClock();
  readonly events: UpstreamEvent[] = [];
  readonly told: string[] = [];
  readonly endpoint = endpointsOf([1])[0] as Endpoint;
  readonly limit: PoolLimit;
  inFlight = 0;
  mostInFlight = 0;

  constructor(options: Partial<LimitOptions> = {}) {
    const parts = {
      clock: this.clock,
      random: seededRandom(1),
      observer: { event: (event: UpstreamEvent) => void this.events.push(event) },
      revision: new Revision(),
    };
    this.limit = new PoolLimit('shop', { ...OPTIONS, ...options }, parts);
  }

  /** A request arrives: `name begins`, `name waits`, or why it was refused. */
  arrive(name: string, importance: Importance = 'normal', again = false): Place | null {
    if (this.limit.open) {
      this.begin(name);
      return null;
    }
    const place = this.limit.wait(this.waiter(name, importance, again));
    if (place instanceof GatewayError) {
      this.told.push(`${name} ${place.reason}`);
      return null;
    }
    return place;
  }

  waiter(name: string, importance: Importance, again: boolean): Waiter {
    return {
      importance,
      again,
      plain: true,
      bound: () => false,
      choose: (): Choice => this.endpoint,
      begin: () => this.begin(name),
      refused: (error) => this.told.push(`${name} ${error.reason}`),
      unavailable: () => this.told.push(`${name} nobody`),
    };
  }

  begin(name: string): void {
    this.told.push(`${name} begins`);
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    this.limit.began(this.endpoint);
  }

  end(): void {
    this.inFlight -= 1;
    this.limit.ended();
  }

  /** What happened since this was asked last. */
  news(): string[] {
    return this.told.splice(0);
  }
}

describe('a limited pool', () => {
  test('lets wait what is over its limit, and gives the turn in the order of arrival', () => {
    const bench = new Bench();
    for (const name of ['a', 'b', 'c', 'd']) bench.arrive(name);
    expect(bench.news()).toEqual(['a begins', 'b begins']);
    expect(bench.limit.figures()).toMatchObject({ inFlight: 2, queued: 2 });
    bench.end();
    bench.end();
    expect(bench.news()).toEqual(['c begins', 'd begins']);
  });

  test('serves those who matter more first, and before all those who are to be tried again', () => {
    const bench = new Bench();
    bench.arrive('a');
    bench.arrive('b');
    bench.arrive('low', 'low');
    bench.arrive('normal');
    bench.arrive('high', 'high');
    bench.arrive('again', 'low', true);
    bench.news();
    for (let i = 0; i < 4; i += 1) bench.end();
    expect(bench.news()).toEqual(['again begins', 'high begins', 'normal begins', 'low begins']);
  });

  test('refuses the newcomer when its queue is full', () => {
    const bench = new Bench({ inFlight: 1, queue: { ...QUEUE, size: 1 } });
    for (const name of ['a', 'b', 'c']) bench.arrive(name);
    expect(bench.news()).toEqual(['a begins', 'c queue-full']);
  });

  test('gives up the newest of the least important for a newcomer who matters more', () => {
    const bench = new Bench({ inFlight: 1, queue: { ...QUEUE, size: 3 } });
    bench.arrive('a');
    bench.arrive('low 1', 'low');
    bench.arrive('low 2', 'low');
    bench.arrive('normal');
    bench.arrive('high', 'high');
    bench.arrive('another low', 'low');
    expect(bench.news()).toEqual(['a begins', 'low 2 shed', 'another low queue-full']);
  });

  test('without a queue refuses at once', () => {
    const bench = new Bench({ inFlight: 1, queue: { ...QUEUE, size: 0 } });
    bench.arrive('a');
    bench.arrive('b');
    expect(bench.news()).toEqual(['a begins', 'b queue-full']);
    expect(bench.clock.pending).toBe(0);
  });

  test('refuses who has waited as long as the queue allows', () => {
    const bench = new Bench({ inFlight: 1, queue: { ...QUEUE, timeoutMs: 500 } });
    bench.arrive('a');
    bench.arrive('b');
    bench.clock.advance(400);
    bench.arrive('c');
    bench.clock.advance(130);
    expect(bench.news()).toEqual(['a begins', 'b queue-timeout']);
    bench.end();
    expect(bench.news()).toEqual(['c begins']);
    // Nobody waits any more, and nothing looks after them.
    bench.clock.advance(10_000);
    expect(bench.clock.pending).toBe(0);
  });

  test('forgets who left while waiting', () => {
    const bench = new Bench({ inFlight: 1 });
    bench.arrive('a');
    const place = bench.arrive('b') as Place;
    bench.arrive('c');
    bench.limit.leave(place);
    bench.limit.leave(place);
    bench.end();
    expect(bench.news()).toEqual(['a begins', 'c begins']);
    expect(bench.limit.figures()).toMatchObject({ queued: 0, left: 1, served: 1 });
  });

  test('takes a burst as it comes: shorter than the interval, nobody is shed', () => {
    const bench = new Bench({ inFlight: 1 });
    for (let i = 0; i < 9; i += 1) bench.arrive(String(i));
    for (let i = 0; i < 9; i += 1) {
      bench.clock.advance(100);
      bench.end();
    }
    expect(bench.news()).toEqual(Array.from({ length: 9 }, (_, i) => `${i} begins`));
    expect(bench.events).toEqual([]);
  });

  test('under standing delay serves the newest, and refuses who has waited for longer than the target', () => {
    const bench = new Bench({ inFlight: 1 });
    overload(bench, 2_000);
    expect(bench.limit.figures().shedding).toBe(true);
    bench.news();
    bench.arrive('older');
    bench.clock.advance(10);
    bench.arrive('newer');
    bench.end();
    expect(bench.news()).toEqual(['newer begins']);
    bench.clock.advance(150);
    expect(bench.news()).toContain('older shed');
    expect(bench.events).toMatchObject([{ kind: 'queue', pool: 'shop', standing: true }]);
  });

  test('serves in turn again once nobody had to be shed for an interval', () => {
    const bench = new Bench({ inFlight: 1 });
    overload(bench, 2_000);
    bench.clock.advance(200);
    while (bench.inFlight > 0) bench.end();
    bench.clock.advance(1_100);
    expect(bench.events).toMatchObject([{ standing: true }, { standing: false }]);
    bench.news();
    for (const name of ['a', 'b', 'c']) bench.arrive(name);
    bench.end();
    expect(bench.news()).toEqual(['a begins', 'b begins']);
    expect(bench.events).toHaveLength(2);
  });

  test('a delay of the unimportant sheds nobody else', () => {
    const bench = new Bench({ inFlight: 1 });
    bench.arrive('first');
    for (let now = 0; now < 3_000; now += 20) {
      bench.arrive(`high ${now}`, 'high');
      bench.arrive(`low ${now}`, 'low');
      bench.clock.advance(20);
      bench.end();
    }
    const refused = bench.news().filter((line) => line.endsWith('shed'));
    expect(refused.length).toBeGreaterThan(50);
    expect(refused.filter((line) => line.startsWith('high'))).toEqual([]);
  });

  test('says when to come again: as long as the queue takes at the rate at which it drains', () => {
    const bench = new Bench({ inFlight: 1, queue: { ...QUEUE, size: 12, timeoutMs: 60_000 } });
    const wanted = (): number | null => {
      const place = bench.limit.wait(bench.waiter('x', 'normal', false));
      return place instanceof GatewayError ? place.retryAfterSeconds : 0;
    };
    for (let i = 0; i < 13; i += 1) bench.arrive(String(i));
    // Nothing has ever drained: nobody can tell.
    expect(wanted()).toBeNull();
    // One in 250 ms.
    for (let i = 0; i < 3; i += 1) {
      bench.clock.advance(250);
      bench.end();
      bench.arrive('next');
    }
    expect(wanted()).toBe(4);
  });

  test('is never told to come back later than in half a minute, nor sooner than in a second', () => {
    const bench = new Bench({ inFlight: 1, queue: { ...QUEUE, size: 100, timeoutMs: 60_000 } });
    for (let i = 0; i < 100; i += 1) bench.arrive(String(i));
    bench.clock.advance(900);
    bench.end();
    bench.arrive('one more');
    bench.arrive('another');
    const refused = bench.limit.wait(bench.waiter('x', 'normal', false));
    expect(refused).toMatchObject({ status: 503, retryAfterSeconds: 30 });
  });

  test('serves those who wait when a new configuration allows more', () => {
    const bench = new Bench({ inFlight: 1 });
    for (const name of ['a', 'b', 'c']) bench.arrive(name);
    bench.limit.adopt({ ...OPTIONS, inFlight: 3 });
    expect(bench.news()).toEqual(['a begins', 'b begins', 'c begins']);
  });

  test('never has more in flight than its limit, forgets nobody, and lets nobody wait for ever', () => {
    const importance = fc.constantFrom<Importance>('high', 'normal', 'low');
    const action = fc.oneof(
      fc.record({ kind: fc.constant('arrive' as const), importance, again: fc.boolean() }),
      fc.record({ kind: fc.constant('end' as const) }),
      fc.record({ kind: fc.constant('leave' as const), which: fc.nat() }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 400 }) }),
    );
    const limits = fc.record({ inFlight: fc.integer({ min: 1, max: 4 }), size: fc.integer({ min: 0, max: 6 }) });
    fc.assert(
      fc.property(limits, fc.array(action, { maxLength: 200 }), ({ inFlight, size }, actions) => {
        const bench = new Bench({ inFlight, queue: { ...QUEUE, size, timeoutMs: 800, intervalMs: 200 } });
        const places: Place[] = [];
        let arrived = 0;
        for (const [index, step] of actions.entries()) {
          if (step.kind === 'arrive') {
            arrived += 1;
            const place = bench.arrive(String(index), step.importance, step.again && bench.inFlight > 0);
            if (place !== null) places.push(place);
          } else if (step.kind === 'end' && bench.inFlight > 0) bench.end();
          else if (step.kind === 'leave' && places.length > 0) {
            bench.limit.leave(places[step.which % places.length] as Place);
          } else if (step.kind === 'pass') bench.clock.advance(step.ms);
        }
        expect(bench.mostInFlight).toBeLessThanOrEqual(inFlight);
        // Whoever is in flight stays there for ever: whoever waits is refused all the same.
        bench.clock.advance(1_000);
        const { queued, left, refused, inFlight: counted } = bench.limit.figures();
        expect([queued, counted]).toEqual([0, bench.inFlight]);
        const begun = bench.told.filter((line) => line.endsWith('begins')).length;
        const turnedAway = refused['queue-full'] + refused['queue-timeout'] + refused.shed;
        expect(begun + turnedAway + left).toBe(arrived);
        expect(new Set(bench.told.map((line) => line.split(' ')[0])).size).toBe(bench.told.length);
        while (bench.inFlight > 0) bench.end();
        bench.clock.advance(10_000);
        expect(bench.clock.pending).toBe(0);
      }),
      { seed: 4, numRuns: 500 },
    );
  });
});

/** Twice as much as can be done, one in 20 ms, for so long. */
function overload(bench: Bench, forMs: number): void {
  bench.arrive('first');
  for (let now = 0; now < forMs; now += 20) {
    bench.arrive(`${now}a`);
    bench.arrive(`${now}b`);
    bench.clock.advance(20);
    bench.end();
  }
}
