import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../src/errors.ts';
import { placeOf } from '../../../src/upstream/endpoint.ts';
import type { UpstreamEvent } from '../../../src/upstream/events.ts';
import { defineProbe, type ProbeOptions } from '../../../src/upstream/health/probe-definition.ts';
import type { ProbeRequest, ProbeResult } from '../../../src/upstream/health/probe-sender.ts';
import type { ProbeMemory, ProbeNews } from '../../../src/upstream/health/probe-state.ts';
import { Prober } from '../../../src/upstream/health/prober.ts';
import { Revision } from '../../../src/upstream/revision.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { limits, plainTls } from './endpoints.ts';

const options: ProbeOptions = {
  type: 'http' as const,
  method: 'GET',
  path: '/health?deep=1',
  headers: [],
  body: null,
  service: '',
  failingIntervalMs: 5_000,
  jitter: 0.2,
  expect: [200, '300-399'],
  host: null,
  intervalMs: 5_000,
  timeoutMs: 2_000,
  rise: 2,
  fall: 3,
  start: 'up',
};
const DEFAULTS = ['User-Agent', 'headgate', 'Accept', '*/*'];
const FAILED = { healthy: false, reason: 'timeout', status: null, elapsedMs: 2_000 };
const REFUSED = new GatewayError('connection_refused', { blame: 'upstream', status: 502, reason: 'connect-refused' });

function placeAt(port: number, pool = 'shop') {
  return placeOf(pool, { address: { secure: false, host: '10.0.0.1', port }, tls: plainTls, limits });
}

function defined(changes: Partial<ProbeOptions> = {}, port = 3000) {
  return defineProbe(placeAt(port), { ...options, ...changes });
}

interface Sent {
  readonly request: ProbeRequest;
  readonly atMs: number;
  cancelled: boolean;
  answer(status: number, body?: string): void;
  fail(error: GatewayError): void;
}

/** A prober whose checks wait until the test answers them; without jitter unless `random` says otherwise. */
function start(
  given: {
    random?: () => number;
    immediately?: number;
    told?: (news: ProbeNews) => void;
    remembered?: readonly ProbeMemory[];
  } = {},
) {
  const { random = () => 0.5, immediately = null, told = () => {}, remembered } = given;
  const clock = new ManualClock();
  const sent: Sent[] = [];
  const changes: UpstreamEvent[] = [];
  const sender = {
    probe(request: ProbeRequest, done: (result: ProbeResult) => void) {
      const record: Sent = {
        request,
        atMs: clock.monotonic(),
        cancelled: false,
        answer: (status, body) => done({ kind: 'answered', status, body: body ?? null }),
        fail: (error) => done({ kind: 'failed', error }),
      };
      sent.push(record);
      if (immediately !== null) record.answer(immediately);
      return {
        cancel() {
          record.cancelled = true;
        },
      };
    },
  };
  const observer = { event: (event: UpstreamEvent) => changes.push(event), checked: () => {} };
  const prober = new Prober({ sender, clock, random, observer, revision: new Revision(), told }, remembered);
  const last = () => sent.at(-1) as Sent;
  return { clock, sent, changes, prober, last };
}

describe('the prober', () => {
  test('sends the first check at once, and the next an interval after its result', () => {
    const { clock, sent, prober, last } = start();
    prober.adopt(defined());
    expect(sent).toHaveLength(0);
    prober.retain(new Set([defined().id]));
    expect(sent).toHaveLength(0);
    prober.start();
    expect(last().request).toMatchObject({
      target: '/health?deep=1',
      headers: ['Host', '10.0.0.1:3000', 'User-Agent', 'headgate', 'Accept', '*/*'],
    });
    clock.advance(100);
    last().answer(200);
    clock.advance(4_999);
    expect(sent).toHaveLength(1);
    clock.advance(1);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 5_100]);
  });

  test('checks over a connection of its own, so that a full pool does not look ill', () => {
    const { destination } = defined().request;
    expect(destination).toMatchObject({ host: '10.0.0.1', port: 3000, limits: { maxConnections: 1 } });
    expect(destination.connectionKey).not.toBe(placeAt(3000).destination.connectionKey);
  });

  test('sends the Host it was given', () => {
    expect(defined({ host: 'shop.test' }).request).toMatchObject({ headers: ['Host', 'shop.test', ...DEFAULTS] });
    expect(defineProbe(placeAt(80), options).request).toMatchObject({ headers: ['Host', '10.0.0.1', ...DEFAULTS] });
  });

  test.each([
    [0, 4_000],
    [0.5, 5_000],
    [1 - Number.EPSILON, 6_000],
  ])('waits 5 s ± 20 %: a random %d makes it %d ms', (random, waitMs) => {
    const { sent, clock, prober } = start({ random: () => random, immediately: 200 });
    prober.adopt(defined());
    prober.retain(new Set([defined().id]));
    prober.start();
    clock.advance(waitMs + 1);
    expect(sent).toHaveLength(2);
    expect(sent[1]?.atMs).toBeCloseTo(waitMs, 6);
  });

  test('never overlaps: a slow check delays the next', () => {
    const { sent, clock, prober, last } = start();
    prober.adopt(defined({ intervalMs: 1_000, timeoutMs: 60_000 }));
    prober.retain(new Set([defined({ intervalMs: 1_000, timeoutMs: 60_000 }).id]));
    prober.start();
    clock.advance(30_000);
    expect(sent).toHaveLength(1);
    last().answer(200);
    clock.advance(1_000);
    expect(sent).toHaveLength(2);
  });

  test('an interval of 0 does not become a busy loop', () => {
    const { sent, clock, prober } = start({ immediately: 200 });
    prober.adopt(defined({ intervalMs: 0 }));
    prober.retain(new Set([defined({ intervalMs: 0 }).id]));
    prober.start();
    clock.advance(100);
    expect(sent).toHaveLength(11);
  });
});

describe('a check', () => {
  function begun(changes: Partial<ProbeOptions>) {
    const parts = start();
    const state = parts.prober.adopt(defined(changes));
    parts.prober.retain(new Set([state.id]));
    parts.prober.start();
    return { ...parts, state };
  }

  test.each([
    [200, true],
    [302, true],
    [399, true],
    [201, false],
    [404, false],
    [503, false],
  ])('with the answer %d is healthy: %s', (status, healthy) => {
    const { state, last } = begun({});
    last().answer(status);
    expect(state.last).toMatchObject({ healthy, status, reason: healthy ? 'expected-status' : 'unexpected-status' });
  });

  test('that takes too long fails, is cancelled, and its late answer is ignored', () => {
    const { state, clock, sent, last } = begun({ fall: 1 });
    clock.advance(1_999);
    expect(last().cancelled).toBe(false);
    clock.advance(1);
    expect(sent[0]?.cancelled).toBe(true);
    expect(state.last).toEqual({ healthy: false, reason: 'timeout', status: null, elapsedMs: 2_000 });
    sent[0]?.answer(200);
    expect([state.up, state.last?.reason]).toEqual([false, 'timeout']);
    clock.advance(5_000);
    expect(sent).toHaveLength(2);
  });

  test('may still be receiving its body when its status is known; what is left of it ends with the next check', () => {
    const { clock, sent, last } = begun({});
    last().answer(200);
    clock.advance(4_999);
    expect(sent[0]?.cancelled).toBe(false);
    clock.advance(1);
    expect(sent.map(({ cancelled }) => cancelled)).toEqual([true, false]);
  });

  test('without a timeout waits as long as it takes', () => {
    const { state, clock, last } = begun({ timeoutMs: 0 });
    clock.advance(3_600_000);
    last().answer(200);
    expect(state.last?.elapsedMs).toBe(3_600_000);
  });

  test('tells each change once, with its cause and how long the state before had lasted', () => {
    const { clock, changes, last } = begun({ fall: 2 });
    clock.advance(100);
    last().fail(REFUSED);
    expect(changes).toEqual([]);
    clock.advance(5_000);
    last().fail(REFUSED);
    clock.advance(5_000);
    last().fail(REFUSED);
    expect(changes).toEqual([
      {
        kind: 'health',
        endpoint: 'http://10.0.0.1:3000',
        up: false,
        outcome: { healthy: false, reason: 'connect-refused', status: null, elapsedMs: 0 },
        heldMs: 5_100,
      },
    ]);
  });

  test('comes after the interval while all is well, and sooner while it fails or comes back', () => {
    const { state, clock, sent, last } = begun({ fall: 2, rise: 2, failingIntervalMs: 500 });
    const results: (number | GatewayError)[] = [200, REFUSED, REFUSED, 500, 200, 200, 200];
    const states = results.map((result) => {
      if (typeof result === 'number') last().answer(result);
      else last().fail(result);
      const { up } = state;
      clock.advance(up && state.run === 0 ? 5_000 : 500);
      return up;
    });
    expect(states).toEqual([true, true, false, false, false, true, true]);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 5_000, 5_500, 6_000, 6_500, 7_000, 12_000, 17_000]);
  });

  test('says when the next one comes', () => {
    const { state, clock, last } = begun({});
    expect(state.nextMs).toBeNull();
    clock.advance(10);
    last().answer(200);
    expect([state.lastMs, state.nextMs]).toEqual([clock.now(), clock.now() + 5_000]);
  });
});

describe('a reload', () => {
  test('checks an origin once, however many pools want the same check', () => {
    const { sent, prober } = start();
    const [shop, cart] = [defineProbe(placeAt(3000, 'shop'), options), defineProbe(placeAt(3000, 'cart'), options)];
    expect(prober.adopt(shop)).toBe(prober.adopt(cart));
    prober.retain(new Set([shop.id, cart.id]));
    prober.start();
    expect(sent).toHaveLength(1);
  });

  test('leaves kept checks undisturbed, starts new ones at once, ends the others', () => {
    const { clock, sent, prober } = start();
    const [kept, gone, added] = [defined({}, 1), defined({}, 2), defined({}, 3)];
    const state = prober.adopt(kept);
    prober.adopt(gone);
    prober.retain(new Set([kept.id, gone.id]));
    prober.start();
    sent[0]?.answer(500);
    expect(prober.adopt(kept)).toBe(state);
    prober.adopt(added);
    expect(sent).toHaveLength(2);
    prober.retain(new Set([kept.id, added.id]));
    expect(sent.map(({ request }) => request.destination.port)).toEqual([1, 2, 3]);
    expect(sent.map(({ cancelled }) => cancelled)).toEqual([false, true, false]);
    expect(state.run).toBe(1);
    clock.advance(5_000);
    expect(sent.slice(3).map(({ request }) => request.destination.port)).toEqual([1]);
  });

  test('that fails after it adopted new checks sends nothing and changes nothing', () => {
    const { sent, prober } = start({ immediately: 200 });
    const running = prober.adopt(defined({}, 1));
    prober.retain(new Set([running.id]));
    prober.start();
    prober.adopt(defined({}, 2));
    expect(sent).toHaveLength(1);
    prober.retain(new Set([running.id]));
    expect(sent).toHaveLength(1);
  });

  test('that drops a check forgets it: the same one starts anew later', () => {
    const { prober } = start({ immediately: 500 });
    const first = prober.adopt(defined({ fall: 1 }));
    prober.retain(new Set([first.id]));
    prober.start();
    expect(first.up).toBe(false);
    prober.retain(new Set());
    expect(prober.adopt(defined({ fall: 1 })).up).toBe(true);
  });
});

describe('stopping', () => {
  test('cancels everything, leaves no timer, and ignores what still comes', () => {
    const { clock, sent, changes, prober, last } = start();
    const state = prober.adopt(defined({ fall: 1 }));
    prober.retain(new Set([state.id]));
    prober.start();
    prober.stop();
    expect([last().cancelled, clock.pending]).toEqual([true, 0]);
    last().answer(500);
    clock.advance(60_000);
    expect([sent.length, changes.length, state.last]).toEqual([1, 0, null]);
  });

  test('and starting again goes on from the same states', () => {
    const { sent, prober } = start({ immediately: 500 });
    const state = prober.adopt(defined({ fall: 2 }));
    prober.retain(new Set([state.id]));
    prober.start();
    prober.stop();
    prober.start();
    expect([sent.length, state.up]).toEqual([2, false]);
  });
});

describe('a prober among several processes', () => {
  test('tells every result that it gets, with when the next comes', () => {
    const told: ProbeNews[] = [];
    const { clock, prober, last } = start({ told: (news) => told.push(news) });
    prober.adopt(defined());
    prober.retain(new Set([defined().id]));
    prober.start();
    clock.advance(100);
    last().answer(200);
    expect(told).toEqual([
      {
        id: defined().id,
        outcome: { healthy: true, reason: 'expected-status', status: 200, elapsedMs: 100 },
        atMs: clock.now(),
        nextMs: clock.now() + 5_000,
      },
    ]);
  });

  test('comes to the same verdict from what it hears, without a check and without saying so again', () => {
    const { clock, prober, sent, changes } = start();
    const state = prober.adopt(defined());
    prober.retain(new Set([defined().id]));
    const heard = [1, 2, 3].map((atMs) =>
      prober.hear({ id: defined().id, outcome: FAILED, atMs, nextMs: clock.now() + 1 }),
    );
    expect(heard).toEqual([false, false, true]);
    expect([state.up, state.last, state.sinceMs]).toEqual([false, FAILED, 3]);
    expect([sent, changes]).toEqual([[], []]);
    expect(prober.hear({ id: defined({}, 3001).id, outcome: FAILED, atMs: 4, nextMs: 5 })).toBe(false);
  });

  test('that takes over goes on from what it has heard, and hears no more', () => {
    const { prober, sent } = start();
    const state = prober.adopt(defined());
    prober.retain(new Set([defined().id]));
    const news = { id: defined().id, outcome: FAILED, atMs: 1, nextMs: 2 };
    prober.hear(news);
    prober.start();
    expect([sent.length, state.run]).toEqual([1, 1]);
    prober.hear(news);
    expect(state.run).toBe(1);
  });

  test('begins with what the others know already', () => {
    const before = start().prober;
    before.adopt(defined());
    for (const atMs of [1, 2, 3, 4]) before.hear({ id: defined().id, outcome: FAILED, atMs, nextMs: 0 });
    const { prober } = start({ remembered: before.memories() });
    expect(prober.adopt(defined()).up).toBe(false);
    expect(prober.memories()).toEqual(before.memories());
  });
});
