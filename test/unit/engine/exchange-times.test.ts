import { expect, test } from 'vitest';
import { GatewayError } from '../../../src/errors.ts';
import type { ExchangeRecord } from '../../../src/exchange/outcome.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { ScriptedClient } from '../../kit/scripted-client.ts';
import { scriptedEngine, snapshotOf } from '../../kit/scripted-engine.ts';
import { type ScriptedAttempt, ScriptedTransport } from '../../kit/scripted-transport.ts';

/** An exchange under way: time passes only where the test says so. */
function begun(route: object = {}) {
  const clock = new ManualClock();
  clock.advance(1_000);
  const transport = new ScriptedTransport();
  const records: ExchangeRecord[] = [];
  const endpoints = ['127.0.0.1:1', '127.0.0.1:2'];
  const snapshot = snapshotOf({
    listeners: { web: { port: 0 } },
    pools: { shop: { endpoints } },
    routes: [{ pool: 'shop', ...route }],
  });
  const engine = scriptedEngine(snapshot, { transport, clock, finished: (record) => records.push(record) });
  const client = new ScriptedClient({ method: 'GET', target: '/', headers: ['Host', 'shop.test'] });
  /** What Headgate does takes 5 ms whenever it does something for the client. */
  client.onHead = () => clock.advance(5);
  transport.onSend = () => clock.advance(3);
  engine.handle(client.exchange);
  return {
    ...{ clock, client },
    attempt: (index = 0) => transport.attempts[index] as ScriptedAttempt,
    record: () => records[0] as ExchangeRecord,
  };
}

const head = { status: 200, headers: ['Content-Length', '3'] };
const refused = new GatewayError('connection_refused', {
  ...{ blame: 'upstream', status: 502, reason: 'connection-refused', retry: 'always' },
});

test('what is left of the total without the waits for endpoints is what Headgate itself took', () => {
  const { clock, attempt, record } = begun();
  clock.advance(200);
  attempt().head(head);
  clock.advance(40);
  attempt().data(new Uint8Array(3));
  attempt().end();
  expect(record()).toMatchObject({ totalMs: 248, upstreamMs: 240, overheadMs: 8, connectMs: 0, attempts: 1 });
});

test('a client that does not take the response is waited for, and so is the endpoint after it', () => {
  const { clock, client, attempt, record } = begun();
  clock.advance(100);
  client.stall();
  attempt().head(head);
  attempt().data(new Uint8Array(3));
  clock.advance(1_000);
  client.read();
  clock.advance(20);
  attempt().end();
  expect(record()).toMatchObject({ totalMs: 1_128, upstreamMs: 120, overheadMs: 8 });
});

test('waits for two attempts are added up, and the pause between them is neither theirs nor Headgate’s', () => {
  const { clock, attempt, record } = begun({ retry: { on: [503], backoff: { base: '30ms' } } });
  clock.advance(100);
  attempt().head({ status: 503, headers: [] });
  attempt().end();
  clock.advance(500);
  attempt(1).head(head);
  attempt(1).data(new Uint8Array(3));
  attempt(1).end();
  const { totalMs, upstreamMs, overheadMs, attempts } = record();
  expect({ totalMs, overheadMs, attempts }).toEqual({ totalMs: 608, overheadMs: 11, attempts: 2 });
  expect(upstreamMs).toBeGreaterThan(500);
  // The pause is missing.
  expect(upstreamMs).toBeLessThan(597);
});

test('an attempt that fails was waited for until then', () => {
  const { clock, attempt, record } = begun({ retry: { attempts: 1 } });
  clock.advance(70);
  attempt().fail(refused);
  expect(record()).toMatchObject({ status: 502, totalMs: 78, upstreamMs: 70, overheadMs: 8 });
});

test('a reply of Headgate’s own is all overhead', () => {
  const { record } = begun({ pool: undefined, respond: { status: 204 } });
  expect(record()).toMatchObject({ totalMs: 5, upstreamMs: null, connectMs: null, overheadMs: 5 });
});
