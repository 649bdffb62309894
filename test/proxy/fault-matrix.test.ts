import { expect } from 'vitest';
import type { ExchangeRecord } from '../../src/exchange/outcome.ts';
import type { Reply } from '../kit/client.ts';
import { until } from '../kit/deadline.ts';
import { FAULTS, type Fault } from '../kit/faults.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix, type Stage } from '../kit/matrix.ts';
import { deadPort, type Origin } from '../kit/origin.ts';

type Route = NonNullable<TestConfig['routes']>[number];
type Pool = NonNullable<TestConfig['pools']>[string];

/** Less than any timeout, so that the attempt after a stalled one has time enough. */
const STEP_MS = 200;

const TWO = { without: { 'h1-tls': 'the same as over h1', h2c: 'the same as over h2' } } as const;

interface Reaction {
  readonly method: 'GET' | 'POST';
  /** A healthy endpoint stands beside the faulty one, whose turn comes first. */
  readonly beside: boolean;
  readonly pool?: Partial<Pool>;
  readonly route?: Partial<Route>;
}

interface Met {
  readonly reply: Reply;
  readonly record: ExchangeRecord;
  /** Requests and connections that the faulty endpoint saw. */
  readonly faulty: Origin | null;
  readonly healthy: Origin;
}

/** Sends one request through a gateway to an endpoint with this fault, and sees that nothing is left of it afterwards. */
async function meet(stage: Stage, fault: Fault, reaction: Reaction): Promise<Met> {
  const clock = new ManualClock(Date.now());
  const { tls, script } = fault;
  const faulty = script === null ? null : await stage.origin({ script, ...(typeof tls === 'object' ? { tls } : {}) });
  const healthy = await stage.origin();
  const scheme = tls === undefined ? 'http' : 'https';
  const endpoints = [`${scheme}://127.0.0.1:${faulty?.port ?? (await deadPort())}`];
  if (reaction.beside) endpoints.push(`127.0.0.1:${healthy.port}`);
  const front = await stage.gateway(
    {
      pools: { shop: { endpoints, tls: { insecure: true }, ...reaction.pool } },
      routes: [{ name: 'all', pool: 'shop', ...reaction.route }],
    },
    { clock },
  );
  const { method } = reaction;
  const exchange = await front.begin(method === 'POST' ? { method, body: 'ten bytes.' } : { method });
  if (fault.stalls === true && faulty !== null) {
    if (fault.kind === 'broken') await exchange.head();
    else if (script?.[0] === 'read head') await faulty.request();
    else await faulty.connected();
    await until(() => passes(clock, faulty), 'a timeout to end what stalls');
  }
  const reply = await exchange.reply();
  const record = await front.gateway.nextRecord();
  expect(front.gateway.status().pools.flatMap((pool) => pool.endpoints.map(({ inFlight }) => inFlight))).toEqual(
    endpoints.map(() => 0),
  );
  if (fault.kind !== 'answered') await faulty?.idle();
  await front.gateway.stop();
  // The tick that all deadlines share ends by itself when nothing is armed.
  clock.advance(STEP_MS);
  expect(clock.pending).toBe(0);
  await Promise.all([faulty?.idle(), healthy.idle()]);
  return { reply, record, faulty, healthy };
}

/** Time goes on until the endpoint has been given up. */
function passes(clock: ManualClock, faulty: Origin): boolean {
  if (faulty.openConnections === 0) return true;
  clock.advance(STEP_MS);
  return false;
}

/** What the client and the log get when this endpoint's answer is all there is. */
function expectTheFault(fault: Fault, { reply, record }: Met): void {
  if (fault.overtakes === true && reply.status === 502) {
    expect(record.end).toMatchObject({ side: 'upstream', reason: expect.stringMatching(/cut-short|without-response/) });
    return;
  }
  expect([reply.status, record.status]).toEqual([fault.status, fault.status]);
  expect(record.end.reason).toBe(fault.reason);
  expect(reply.ended === 'clean').toBe(fault.kind !== 'broken');
  const own = fault.kind === 'unseen' || fault.kind === 'unanswered';
  expect(reply.header('proxy-status')).toBe(own ? `headgate; error=${record.end.error}` : null);
  if (fault.kind !== 'answered') expect(record.end.side).toBe('upstream');
}

for (const fault of FAULTS) {
  for (const method of ['GET', 'POST'] as const) {
    matrix(
      `an endpoint that ${fault.what}, alone: a ${method} is ${fault.status} (${fault.reason})`,
      async (stage) => {
        const met = await meet(stage, fault, { method, beside: false });
        expectTheFault(fault, met);
        expect(met.record.attempts).toBe(1);
        expect(met.faulty?.accepted ?? 1).toBe(1);
      },
      TWO,
    );

    const rescued = fault.kind === 'unseen';
    matrix(
      `an endpoint that ${fault.what}, beside a healthy one: a ${method} is ${rescued ? 'saved' : fault.status}`,
      async (stage) => {
        const met = await meet(stage, fault, { method, beside: true });
        if (!rescued) expectTheFault(fault, met);
        else expect([met.reply.status, met.reply.text, met.record.end.reason]).toEqual([200, 'ok\n', 'complete']);
        expect([met.record.attempts, met.healthy.requests]).toEqual(rescued ? [2, 1] : [1, 0]);
      },
      TWO,
    );
  }
}
