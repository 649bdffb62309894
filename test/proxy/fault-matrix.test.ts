import { expect } from 'vitest';
import type { ExchangeRecord } from '../../src/exchange/outcome.ts';
import type { Reply } from '../kit/client.ts';
import { until } from '../kit/deadline.ts';
import { FAULTS, type Fault } from '../kit/faults.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, matrix, type Stage } from '../kit/matrix.ts';
import { deadPort, type Origin } from '../kit/origin.ts';

type Route = NonNullable<TestConfig['routes']>[number];
type Pool = NonNullable<TestConfig['pools']>[string];

/** Time goes on in steps that are nothing to any timeout: the attempt after one that stalled has turns enough to be answered. */
const STEP_MS = 20;
/** What a route can list to have it retried. */
const EVERYTHING = ['connect', 'reused', 'reset', 'timeout', 404, 429, 500, 502, 503, 504] as const;

const TWO = { without: { 'h1-tls': 'the same as over h1', h2c: 'the same as over h2' } } as const;

interface Reaction {
  readonly method: 'GET' | 'POST';
  /** A healthy endpoint stands beside the faulty one, whose turn comes first. */
  readonly beside: boolean;
  readonly pool?: Partial<Pool>;
  readonly route?: Partial<Route>;
  /** The same request is sent so often, one after the other; what the last one met counts. Default 1. */
  readonly requests?: number;
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
  for (let number = 1; number < (reaction.requests ?? 1); number += 1) {
    await ask(front, clock, { fault, faulty, method: reaction.method });
    await front.gateway.nextRecord();
  }
  const reply = await ask(front, clock, { fault, faulty, method: reaction.method });
  const record = await front.gateway.nextRecord();
  expect(front.gateway.status().pools.flatMap((pool) => pool.endpoints.map(({ inFlight }) => inFlight))).toEqual(
    endpoints.map(() => 0),
  );
  if (fault.kind !== 'answered') await faulty?.idle();
  await front.gateway.stop();
  expect(front.gateway.records.length).toBe(reaction.requests ?? 1);
  // The tick that all deadlines share ends by itself when nothing is armed.
  clock.advance(1_000);
  expect(clock.pending).toBe(0);
  await Promise.all([faulty?.idle(), healthy.idle()]);
  // Who else has come here was sent to a port that was somebody else's before, and says nothing about this gateway.
  const ours = front.gateway.records.map(({ id }) => id);
  const strangers = [faulty, healthy]
    .flatMap((each) => each?.received ?? [])
    .filter((one) => !ours.includes(one.header('x-request-id') ?? ''));
  expect(strangers.map(({ head }) => head)).toEqual([]);
  return { reply, record, faulty, healthy };
}

/** Sends one request, and lets time pass from when the endpoint has begun to stall. */
async function ask(
  front: Front,
  clock: ManualClock,
  { fault, faulty, method }: { fault: Fault; faulty: Origin | null; method: string },
): Promise<Reply> {
  const ended = front.gateway.records.length + 1;
  const exchange = await front.begin(method === 'POST' ? { method, body: 'ten bytes.' } : { method });
  if (fault.stalls === true && faulty !== null && faulty.accepted === ended - 1) {
    if (fault.kind === 'broken') await exchange.head();
    else if (fault.script?.[0] === 'read head') await faulty.request();
    else await faulty.connected();
  }
  await until(() => hasEnded(front, ended, clock), 'the exchange to end');
  return exchange.reply();
}

function hasEnded(front: Front, count: number, clock: ManualClock): boolean {
  if (front.gateway.records.length >= count) return true;
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

/** Statuses that a breaker takes for failures unless it is told others. */
const TRIPPING: readonly number[] = [502, 503, 504];

const SAVED = [200, 'ok\n', 'complete'];

function outcome({ reply, record }: Met): unknown[] {
  return [reply.status, reply.text, record.end.reason];
}

for (const fault of FAULTS) {
  const seen = fault.kind !== 'unseen';
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

    matrix(
      `an endpoint that ${fault.what}, beside a healthy one: a ${method} is ${seen ? fault.status : 'saved'}`,
      async (stage) => {
        const met = await meet(stage, fault, { method, beside: true });
        if (seen) expectTheFault(fault, met);
        else expect(outcome(met)).toEqual(SAVED);
        expect([met.record.attempts, met.healthy.requests]).toEqual(seen ? [1, 0] : [2, 1]);
      },
      TWO,
    );

    const saved = !seen || (method === 'GET' && fault.retriedOn !== undefined);
    matrix(
      `an endpoint that ${fault.what}, where everything is retried: a ${method} is ${saved ? 'saved' : fault.status}`,
      async (stage) => {
        const retry = { on: [...EVERYTHING] };
        const met = await meet(stage, fault, { method, beside: true, route: { retry } });
        // A reset that overtook the first bytes of the response is one that came before them.
        if (fault.overtakes === true && met.record.attempts === 2) expect(met.record.retries).toEqual(['reset']);
        else {
          if (saved) expect(outcome(met)).toEqual(SAVED);
          else expectTheFault(fault, met);
          expect([met.record.attempts, met.healthy.requests]).toEqual(saved ? [2, 1] : [1, 0]);
        }
      },
      TWO,
    );
  }

  const trips = fault.kind !== 'answered' || TRIPPING.includes(fault.status);
  matrix(
    `an endpoint that ${fault.what} ${trips ? 'trips' : 'does not trip'} a breaker of one failure`,
    async (stage) => {
      const breaker = { consecutive: 1 };
      const met = await meet(stage, fault, { method: 'GET', beside: false, pool: { breaker }, requests: 2 });
      if (!trips) expectTheFault(fault, met);
      else expect([met.reply.status, met.record.end.reason, met.record.attempts]).toEqual([503, 'breaker-open', 0]);
      expect(met.faulty?.accepted ?? 1).toBeLessThanOrEqual(trips ? 1 : 2);
    },
    TWO,
  );
  matrix(
    `an endpoint that ${fault.what} is ${trips ? '' : 'not '}put aside where one failure is enough`,
    async (stage) => {
      const outliers = { consecutive: 1, maxEjected: '50%' };
      // Its turn, the healthy one's, and what would be its turn again.
      const met = await meet(stage, fault, { method: 'GET', beside: true, pool: { outliers }, requests: 3 });
      if (trips) expect(outcome(met)).toEqual(SAVED);
      else expectTheFault(fault, met);
      expect(trips ? (met.faulty?.accepted ?? 1) : met.faulty?.requests).toBe(trips ? 1 : 2);
    },
    TWO,
  );

  matrix(
    `an endpoint that ${fault.what} is ${fault.kind === 'unseen' || fault.kind === 'unanswered' ? '' : 'not '}stood in for`,
    async (stage) => {
      const fallback = [{ respond: { status: 203, body: 'in its place' } }];
      const met = await meet(stage, fault, { method: 'GET', beside: false, route: { fallback } });
      const stoodIn = fault.kind === 'unseen' || fault.kind === 'unanswered';
      if (met.reply.status === 203 || stoodIn)
        expect([met.reply.status, met.reply.text]).toEqual([203, 'in its place']);
      else expectTheFault(fault, met);
      expect(met.record.attempts).toBe(1);
    },
    TWO,
  );
}
