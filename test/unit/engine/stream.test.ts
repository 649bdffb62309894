import { expect, test } from 'vitest';
import { CoarseClock } from '../../../src/clock.ts';
import { Edition } from '../../../src/engine/edition.ts';
import { OpenTunnels } from '../../../src/engine/open-tunnels.ts';
import type { EngineParts } from '../../../src/engine/parts.ts';
import { Stream } from '../../../src/engine/stream.ts';
import { clientGone, GatewayError, type RetryVerdict } from '../../../src/errors.ts';
import { noBody } from '../../../src/exchange/body.ts';
import type { StreamAttempt, StreamExchange, StreamReceiver, StreamRecord } from '../../../src/exchange/stream.ts';
import type { Endpoint } from '../../../src/upstream/endpoint.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { endpointsOf, poolOf } from '../upstream/endpoints.ts';

/** One connection that the engine asked for. */
interface Asked {
  readonly attempt: StreamAttempt;
  readonly into: StreamReceiver;
  cancelled: boolean;
}

interface Stage {
  readonly exchange: StreamExchange;
  readonly endpoints: readonly Endpoint[];
  readonly asked: Asked[];
  readonly records: StreamRecord[];
  readonly edition: Edition;
  /** What the client's sink was told. */
  readonly failures: string[];
}

/** A stream that has begun, on a transport that does nothing until the test says so. */
function begin(count: number): Stage {
  const endpoints = endpointsOf(Array.from({ length: count }, () => 1));
  const asked: Asked[] = [];
  const records: StreamRecord[] = [];
  const failures: string[] = [];
  const clock = new ManualClock();
  const sink = { onDrain: null, data: () => true, end: () => {}, fail: (e: GatewayError) => failures.push(e.reason) };
  const exchange: StreamExchange = {
    client: {
      address: '192.0.2.7',
      peer: '192.0.2.7',
      peerPort: 4711,
      trusted: false,
      forwardedBy: 'x-forwarded-for',
      localAddress: '192.0.2.1',
      localPort: 443,
      tls: null,
    },
    listener: 'db',
    serverName: null,
    channel: { source: noBody, sink },
    onClientGone: null,
    bytesIn: 0,
    bytesOut: 0,
  };
  const parts = {
    clock,
    deadlines: new CoarseClock(clock),
    newRequestId: () => 'id',
    tunnels: new OpenTunnels(clock),
    streamObserver: { streamFinished: (record) => records.push(record) },
    streams: {
      open: (attempt, into) => {
        const one = { attempt, into, cancelled: false };
        asked.push(one);
        return {
          cancel: () => {
            one.cancelled = true;
          },
        };
      },
      connections: () => 0,
      drain: () => Promise.resolve(),
    },
  } satisfies Partial<EngineParts>;
  const pool = poolOf(endpoints, { name: 'db' });
  const edition = new Edition({} as ConstructorParameters<typeof Edition>[0]);
  new Stream(parts as unknown as EngineParts, exchange, { edition, pool, idleMs: 1_000 }).start();
  return { exchange, endpoints, asked, records, edition, failures };
}

function refused(retry: RetryVerdict): GatewayError {
  return new GatewayError('connection_refused', {
    blame: 'upstream',
    status: 502,
    reason: 'connection-refused',
    retry,
  });
}

const inFlight = (stage: Stage): number[] => stage.endpoints.map(({ live }) => live.inFlight);

test('an endpoint counts as busy while it is being connected to', () => {
  const stage = begin(2);
  expect([inFlight(stage), stage.edition.exchanges]).toEqual([[1, 0], 1]);
  expect(stage.asked[0]?.attempt.client?.address).toBe('192.0.2.7');
});

test('a client that leaves meanwhile takes the connecting with it, and blames nobody', () => {
  const stage = begin(2);
  stage.exchange.onClientGone?.(clientGone());
  expect(stage.asked.map(({ cancelled }) => cancelled)).toEqual([true]);
  expect(stage.records).toMatchObject([
    { attempts: 1, connectMs: null, end: { side: 'client', reason: 'client-gone' } },
  ]);
  expect([inFlight(stage), stage.edition.exchanges]).toEqual([[0, 0], 0]);
});

test('each endpoint is tried once, then the last reason is that of the stream', () => {
  const stage = begin(3);
  for (let i = 0; i < 3; i += 1) stage.asked[i]?.into.failed(refused('always'));
  expect(new Set(stage.asked.map(({ attempt }) => attempt.destination.host)).size).toBe(3);
  expect(stage.records).toMatchObject([{ attempts: 3, end: { side: 'upstream', reason: 'connection-refused' } }]);
  expect([inFlight(stage), stage.failures]).toEqual([[0, 0, 0], ['connection-refused']]);
});

test('what would fail elsewhere too is not tried elsewhere', () => {
  const stage = begin(3);
  stage.asked[0]?.into.failed(refused('never'));
  expect([stage.asked.length, stage.records.length]).toEqual([1, 1]);
});

test('ten endpoints that fail are enough', () => {
  const stage = begin(50);
  for (let i = 0; i < stage.asked.length; i += 1) stage.asked[i]?.into.failed(refused('always'));
  expect([stage.asked.length, stage.records.length]).toEqual([10, 1]);
  expect(inFlight(stage).every((count) => count === 0)).toBe(true);
});

test('a bug ends the stream, and is in its record', () => {
  const stage = begin(2);
  Reflect.set(stage.endpoints[1] ?? {}, 'live', null);
  stage.asked[0]?.into.failed(refused('always'));
  expect(stage.records).toMatchObject([{ end: { side: 'gateway', reason: 'bug', bug: expect.any(TypeError) } }]);
  expect([stage.failures, stage.edition.exchanges]).toEqual([['bug'], 0]);
});

test('without any available endpoint nothing is tried', () => {
  const stage = begin(0);
  expect(stage.records).toMatchObject([{ attempts: 0, endpoint: null, end: { reason: 'no-endpoint-available' } }]);
  expect([stage.failures, stage.edition.exchanges]).toEqual([['no-endpoint-available'], 0]);
});
