import { expect, test } from 'vitest';
import { compileOnly } from '../../../src/cli/compile-only.ts';
import { CoarseClock } from '../../../src/clock.ts';
import { configFromObject } from '../../../src/config/load.ts';
import { Engine } from '../../../src/engine/engine.ts';
import { ReplayMemory } from '../../../src/engine/kept-chunks.ts';
import { OpenTunnels } from '../../../src/engine/open-tunnels.ts';
import type { Snapshot } from '../../../src/engine/snapshot.ts';
import { GatewayError } from '../../../src/errors.ts';
import type { ExchangeRecord, RefreshRecord } from '../../../src/exchange/outcome.ts';
import { formatHttpDate } from '../../../src/http/date.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { ScriptedClient } from '../../kit/scripted-client.ts';
import { type ScriptedAttempt, ScriptedTransport } from '../../kit/scripted-transport.ts';

/** An engine that has stored `/a` and let it become stale, with every step of its endpoint under the test's hand. */
class Scene {
  readonly clock = new ManualClock();
  readonly transport = new ScriptedTransport();
  readonly records: ExchangeRecord[] = [];
  readonly refreshes: RefreshRecord[] = [];
  readonly snapshot: Snapshot;
  readonly engine: Engine;

  constructor() {
    const loaded = configFromObject({
      listeners: { web: { port: 0 } },
      pools: { shop: { endpoints: ['127.0.0.1:3000'] } },
      routes: [{ name: 'all', pool: 'shop', retry: { attempts: 1 }, cache: { staleWhileRevalidate: '1h' } }],
    });
    const compiled = loaded.ok ? compileOnly(loaded) : null;
    if (compiled?.ok !== true) throw new Error('Cannot compile');
    this.snapshot = compiled.snapshot;
    this.engine = new Engine(
      {
        transport: this.transport,
        clock: this.clock,
        deadlines: new CoarseClock(this.clock),
        observer: {
          finished: (record) => void this.records.push(record),
          refreshed: (record) => void this.refreshes.push(record),
        },
        streams: { open: () => ({ cancel: () => {} }), connections: () => 0, drain: () => Promise.resolve() },
        streamObserver: { streamFinished: () => {} },
        newRequestId: () => String(this.records.length),
        replay: new ReplayMemory(0),
        random: () => 0.5,
        overload: null,
        tunnels: new OpenTunnels(this.clock),
      },
      this.snapshot,
    );
    this.ask();
    this.answer(this.attempt(0), 'old');
    this.clock.advance(61_000);
  }

  ask(): ScriptedClient {
    const client = new ScriptedClient({ method: 'GET', target: '/a', headers: ['Host', 'shop.test'] });
    this.engine.handle(client.exchange);
    return client;
  }

  attempt(nth: number): ScriptedAttempt {
    const attempt = this.transport.attempts[nth];
    if (attempt === undefined) throw new Error(`There was no attempt ${nth}`);
    return attempt;
  }

  answer(attempt: ScriptedAttempt, body: string): void {
    const date = formatHttpDate(this.clock.now());
    attempt.head({ status: 200, headers: ['Date', date, 'Cache-Control', 'max-age=60', 'ETag', `"${body}"`] });
    attempt.data(Buffer.from(body));
    attempt.end();
  }

  /** The stale response, to a client that has it when this returns. */
  served(): void {
    const client = this.ask();
    expect([client.ended, Buffer.concat(client.body).toString()]).toEqual(['complete', 'old']);
  }
}

const failure = new GatewayError('connection_refused', {
  blame: 'upstream',
  status: 502,
  reason: 'connection-refused',
});

test('the client has everything before the endpoint is asked', () => {
  const scene = new Scene();
  let askedAfter = -1;
  scene.transport.onSend = () => {
    askedAfter = scene.records.length;
  };
  scene.served();
  expect([askedAfter, scene.transport.attempts.length]).toEqual([2, 2]);
});

test('an edition is retired when its last refresh is over, not when the client that led to it is', () => {
  const scene = new Scene();
  let retired = 0;
  scene.transport.onSend = () => {
    // A reload between the two.
    scene.engine.publish(scene.snapshot, () => {
      retired += 1;
    });
    scene.transport.onSend = null;
  };
  scene.served();
  expect(retired).toBe(0);
  scene.answer(scene.attempt(1), 'new');
  expect([retired, scene.refreshes.length]).toEqual([1, 1]);
});

test('an edition that is gone when the refresh would begin is not retired twice', () => {
  const scene = new Scene();
  let retired = 0;
  const client = new ScriptedClient({ method: 'GET', target: '/a', headers: ['Host', 'shop.test'] });
  client.onHead = () => {
    scene.engine.publish(scene.snapshot, () => {
      retired += 1;
    });
  };
  scene.engine.handle(client.exchange);
  expect([client.ended, retired]).toEqual(['complete', 0]);
  scene.attempt(1).fail(failure);
  expect(retired).toBe(1);
});

test('a refresh that fails at once is over at once', () => {
  const scene = new Scene();
  scene.transport.onSend = (attempt) => {
    queueMicrotask(() => attempt.fail(failure));
  };
  scene.served();
  return Promise.resolve().then(() => {
    expect(scene.refreshes).toMatchObject([{ refresh: { result: 'failed', servedTo: '1' }, status: 502 }]);
    expect(scene.snapshot.cache.refreshes.underWay).toBe(0);
  });
});

test('a transport that breaks in a refresh is a bug of that, and the client notices nothing', () => {
  const scene = new Scene();
  const bug = new Error('broken');
  scene.transport.onSend = () => {
    throw bug;
  };
  scene.served();
  expect(scene.records.map(({ end }) => end.bug)).toEqual([null, null]);
  expect(scene.refreshes.map(({ end, refresh }) => [end.bug, refresh.result])).toEqual([[bug, 'failed']]);
  expect(scene.snapshot.cache.refreshes.underWay).toBe(0);
});

test('a refresh that is cut short leaves what is stored, and the next one waits', () => {
  const scene = new Scene();
  scene.served();
  scene.attempt(1).head({ status: 200, headers: ['Cache-Control', 'max-age=60', 'Content-Length', '9'] });
  scene.attempt(1).data(Buffer.from('new'));
  scene.attempt(1).fail(failure);
  expect(scene.refreshes).toMatchObject([{ refresh: { result: 'failed' } }]);
  scene.served();
  expect(scene.transport.attempts.length).toBe(2);
  scene.clock.advance(1_000);
  scene.served();
  expect(scene.transport.attempts.length).toBe(3);
});

test('an answer that is not stored takes away what was, unless it is an error', () => {
  const scene = new Scene();
  scene.served();
  scene.attempt(1).head({ status: 404, headers: ['Cache-Control', 'no-store'] });
  scene.attempt(1).end();
  expect(scene.refreshes).toMatchObject([{ refresh: { result: 'replaced' } }]);
  const client = scene.ask();
  expect([client.ended, scene.transport.attempts.length]).toEqual([null, 3]);
});

test('a refresh leaves no timer behind', () => {
  const scene = new Scene();
  scene.served();
  scene.answer(scene.attempt(1), 'new');
  scene.clock.advance(1_000);
  expect(scene.clock.pending).toBe(0);
});
