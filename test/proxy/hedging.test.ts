import { expect } from 'vitest';
import { until } from '../kit/deadline.ts';
import { type FickleOrigin, type FickleProtocol, fickleOrigin, type Mood } from '../kit/fickle-origin.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, matrix } from '../kit/matrix.ts';

type Pool = NonNullable<TestConfig['pools']>[string];
type Route = NonNullable<TestConfig['routes']>[number];

interface Race {
  readonly front: Front;
  readonly clock: ManualClock;
  readonly slow: FickleOrigin;
  readonly other: FickleOrigin;
}

/** Requests from which the gateway learns what is usual. */
const LEARNED = 100;

/**
 * Two endpoints behind a route that hedges, of which the gateway knows how long they usually take: no time at all, so a hedge
 * starts after the minimum. Requests that follow go to `slow` first.
 */
async function race(
  stage: Parameters<Parameters<typeof matrix>[1]>[0],
  protocol: FickleProtocol,
  after: {
    slow: readonly Mood[];
    other: readonly Mood[];
    retry?: Route['retry'];
    route?: Partial<Route>;
    pool?: Partial<Pool>;
  },
): Promise<Race> {
  const usual: Mood[] = Array(LEARNED / 2).fill('ok');
  const slow = await fickleOrigin(protocol, [...usual, ...after.slow]);
  const other = await fickleOrigin(protocol, [...usual, ...after.other]);
  const clock = new ManualClock();
  const front = await stage.gateway(
    {
      pools: { shop: { protocol, endpoints: [`127.0.0.1:${slow.port}`, `127.0.0.1:${other.port}`], ...after.pool } },
      routes: [{ name: 'all', pool: 'shop', retry: { hedge: { minimum: '50ms' }, ...after.retry }, ...after.route }],
    },
    { clock },
  );
  const connection = await front.connect();
  for (let i = 0; i < LEARNED; i += 1) expect((await connection.send({ path: `/learn/${i}` })).status).toBe(200);
  expect([slow.requests, other.requests]).toEqual([LEARNED / 2, LEARNED / 2]);
  for (let i = 0; i < LEARNED; i += 1) await front.gateway.nextRecord();
  return { front, clock, slow, other };
}

function everywhere(name: string, body: (open: (after: Parameters<typeof race>[2]) => Promise<Race>) => Promise<void>) {
  for (const protocol of ['http1', 'http2'] as const) {
    matrix(`${name} (${protocol} endpoints)`, (stage) => body((after) => race(stage, protocol, after)));
  }
}

const fast = { status: 200, body: 'fast' };

everywhere(
  'a GET that takes longer than most is sent to another endpoint too, and the first answer counts',
  async (open) => {
    const { front, clock, slow, other } = await open({ slow: ['silent'], other: [fast] });
    const exchange = await front.begin({ path: '/late' });
    const late = await slow.arrival(LEARNED / 2);
    clock.advance(49);
    await turns();
    expect(other.requests).toBe(LEARNED / 2);
    clock.advance(1);
    const reply = await exchange.reply();
    expect([reply.status, reply.text]).toEqual([200, 'fast']);
    await until(() => late.cancelled, 'the slow attempt to be cancelled');
    const [pool] = front.gateway.status().pools;
    expect(pool?.retries).toMatchObject({ made: { hedge: 1 }, hedgesWon: 1 });
    expect(await front.gateway.nextRecord()).toMatchObject({
      attempts: 2,
      retries: ['hedge'],
      endpoint: `http://127.0.0.1:${other.port}`,
    });
  },
);

everywhere('the first attempt can still win, and the hedge is cancelled', async (open) => {
  const { promise: when, resolve: answer } = Promise.withResolvers<void>();
  const { front, clock, slow, other } = await open({ slow: [{ after: when, mood: fast }], other: ['silent'] });
  const exchange = await front.begin({});
  await slow.arrival(LEARNED / 2);
  clock.advance(50);
  const hedge = await other.arrival(LEARNED / 2);
  answer();
  expect((await exchange.reply()).text).toBe('fast');
  await until(() => hedge.cancelled, 'the hedge to be cancelled');
  expect(front.gateway.status().pools[0]?.retries).toMatchObject({ made: { hedge: 1 }, hedgesWon: 0 });
  expect(await front.gateway.nextRecord()).toMatchObject({ attempts: 2, endpoint: `http://127.0.0.1:${slow.port}` });
});

everywhere('a hedge that fails leaves the first attempt alone', async (open) => {
  const { promise: when, resolve: answer } = Promise.withResolvers<void>();
  const { front, clock, slow, other } = await open({ slow: [{ after: when, mood: fast }], other: ['reset'] });
  const exchange = await front.begin({});
  await slow.arrival(LEARNED / 2);
  clock.advance(50);
  await other.arrival(LEARNED / 2);
  await until(() => front.gateway.status().pools[0]?.endpoints[1]?.inFlight === 0, 'the hedge to be lost');
  answer();
  expect((await exchange.reply()).text).toBe('fast');
  expect(await front.gateway.nextRecord()).toMatchObject({ attempts: 2, retries: ['hedge'], status: 200 });
});

everywhere('when the first attempt fails, the hedge goes on', async (open) => {
  const { promise: when, resolve: answer } = Promise.withResolvers<void>();
  const { front, clock, slow, other } = await open({
    slow: [{ after: when, mood: 'reset' }],
    other: [{ after: when, mood: fast }],
  });
  const exchange = await front.begin({});
  await slow.arrival(LEARNED / 2);
  clock.advance(50);
  await other.arrival(LEARNED / 2);
  answer();
  expect((await exchange.reply()).text).toBe('fast');
});

everywhere('a listed status does not win a race', async (open) => {
  const { promise: when, resolve: answer } = Promise.withResolvers<void>();
  const { front, clock, slow, other } = await open({
    slow: [{ after: when, mood: fast }],
    other: [{ status: 503, body: 'busy' }],
    retry: { on: [503], hedge: { minimum: '50ms' } },
  });
  const exchange = await front.begin({});
  await slow.arrival(LEARNED / 2);
  clock.advance(50);
  await other.arrival(LEARNED / 2);
  await until(() => front.gateway.status().pools[0]?.endpoints[1]?.inFlight === 0, 'the 503 to be dropped');
  answer();
  expect((await exchange.reply()).text).toBe('fast');
});

everywhere('interim responses of a race are not passed on, those before it are', async (open) => {
  const { promise: when, resolve: answer } = Promise.withResolvers<void>();
  const hint = { link: '</a.css>; rel=preload' };
  const { front, clock, slow } = await open({
    slow: [{ interim: hint, mood: 'silent' }],
    other: [{ interim: { link: '</b.css>; rel=preload' }, mood: { after: when, mood: fast } }],
  });
  const exchange = await front.begin({});
  await slow.arrival(LEARNED / 2);
  expect((await exchange.interim(0)).header('link')).toBe(hint.link);
  clock.advance(50);
  await until(() => front.gateway.status().pools[0]?.retries.made['hedge'] === 1, 'the hedge');
  answer();
  const reply = await exchange.reply();
  expect([reply.text, reply.informational.length]).toEqual(['fast', 1]);
});

everywhere('a client that leaves a race leaves nothing behind', async (open) => {
  const { front, clock, slow, other } = await open({ slow: ['silent'], other: ['silent'] });
  const exchange = await front.begin({});
  const first = await slow.arrival(LEARNED / 2);
  clock.advance(50);
  const hedge = await other.arrival(LEARNED / 2);
  exchange.leave();
  await until(() => first.cancelled && hedge.cancelled, 'both attempts to be cancelled');
  expect(await front.gateway.nextRecord()).toMatchObject({ status: 499, attempts: 2 });
  expect(front.gateway.status().pools[0]?.endpoints.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
});

everywhere('what is stored is the response that won', async (open) => {
  const stored = { status: 200, headers: { 'cache-control': 'max-age=60' }, body: 'fast' };
  const { front, clock, slow, other } = await open({ slow: ['silent'], other: [stored], route: { cache: true } });
  const exchange = await front.begin({ path: '/stored' });
  await slow.arrival(LEARNED / 2);
  clock.advance(50);
  expect((await exchange.reply()).text).toBe('fast');
  const again = await front.send({ path: '/stored' });
  expect([again.text, again.header('cache-status')]).toEqual(['fast', expect.stringContaining('hit')]);
  expect(other.requests).toBe(LEARNED / 2 + 1);
});

for (const method of ['POST', 'GET']) {
  everywhere(`a ${method} with a body is not hedged`, async (open) => {
    const { front, clock, slow, other } = await open({ slow: ['silent'], other: [fast] });
    const exchange = await front.begin({ method, body: 'a' });
    await slow.arrival(LEARNED / 2);
    clock.advance(1_000);
    await turns();
    expect(other.requests).toBe(LEARNED / 2);
    exchange.leave();
  });
}

everywhere('a hedge that the budget does not pay for is not made', async (open) => {
  const none = { retryBudget: { share: 0, minimum: 0 } };
  const { front, clock, slow, other } = await open({ slow: ['silent'], other: [fast], pool: none });
  const exchange = await front.begin({});
  await slow.arrival(LEARNED / 2);
  clock.advance(1_000);
  await turns();
  expect(other.requests).toBe(LEARNED / 2);
  expect(front.gateway.status().pools[0]?.retries).toMatchObject({ made: {}, refused: 1 });
  exchange.leave();
});

/** Long enough for what is on its way between two sockets of this process to arrive. */
async function turns(): Promise<void> {
  for (let i = 0; i < 50; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
