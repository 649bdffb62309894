import { expect } from 'vitest';
import { until } from '../kit/deadline.ts';
import { type FickleOrigin, type FickleProtocol, fickleOrigin, type Mood } from '../kit/fickle-origin.ts';
import type { TestConfig, TestGatewayOptions } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, matrix, type Stage } from '../kit/matrix.ts';
import { deadPort } from '../kit/origin.ts';

type Route = NonNullable<TestConfig['routes']>[number];
type Pool = NonNullable<TestConfig['pools']>[string];

interface Shop {
  readonly front: Front;
  readonly endpoints: readonly FickleOrigin[];
}

interface ShopOptions extends TestGatewayOptions {
  readonly retry?: Route['retry'];
  readonly route?: Partial<Route>;
  readonly pool?: Partial<Pool>;
}

/** Runs `body` in front of endpoints of either protocol; `shop` makes a pool that asks its endpoints in this order. */
function everywhere(name: string, body: (shop: Open, protocol: FickleProtocol) => Promise<void>): void {
  for (const protocol of ['http1', 'http2'] as const) {
    matrix(`${name} (${protocol} endpoints)`, (stage) =>
      body((moods, options) => open(stage, protocol, moods, options), protocol),
    );
  }
}

type Open = (moods: readonly (readonly Mood[])[], options?: ShopOptions) => Promise<Shop>;

async function open(
  stage: Stage,
  protocol: FickleProtocol,
  moods: readonly (readonly Mood[])[],
  options: ShopOptions = {},
): Promise<Shop> {
  const endpoints = await Promise.all(moods.map((own) => fickleOrigin(protocol, own)));
  const { retry, route, pool, ...rest } = options;
  const front = await stage.gateway(
    {
      pools: { shop: { protocol, endpoints: endpoints.map(({ port }) => `127.0.0.1:${port}`), ...pool } },
      routes: [{ name: 'all', pool: 'shop', ...(retry === undefined ? {} : { retry }), ...route }],
    },
    rest,
  );
  return { front, endpoints };
}

function counts({ endpoints }: Shop): number[] {
  return endpoints.map(({ requests }) => requests);
}

const NO_PAUSE = { base: '0' } as const;

// ---- classes of failure

everywhere('a GET that was reset goes to another endpoint where the route asks for it', async (shop) => {
  const it = await shop([['reset'], ['ok']], { retry: { on: ['reset'] } });
  expect((await it.front.send({})).status).toBe(200);
  expect(counts(it)).toEqual([1, 1]);
  expect(await it.front.gateway.nextRecord()).toMatchObject({ attempts: 2, retries: ['reset'], noRetry: null });
});

everywhere('a GET that was reset is final where the route does not ask for it', async (shop) => {
  const it = await shop([['reset'], ['ok']]);
  expect((await it.front.send({})).status).toBe(502);
  expect(await it.front.gateway.nextRecord()).toMatchObject({ attempts: 1, retries: [] });
});

for (const chunked of [false, true]) {
  const how = chunked ? 'of unannounced length' : 'of known length';
  everywhere(`a PUT whose whole body (${how}) was taken before the reset is sent again, body and all`, async (shop) => {
    const it = await shop([['reset after body'], ['ok']], { retry: { on: ['reset'] } });
    const body = 'x'.repeat(40_000);
    const reply = await it.front.send({ method: 'PUT', body, chunked });
    expect([reply.status, reply.text === body]).toEqual([200, true]);
    expect(it.endpoints.map(({ arrivals }) => arrivals[0]?.body.length)).toEqual([40_000, 40_000]);
  });

  everywhere(`a PUT whose body (${how}) outgrew the buffer is final`, async (shop) => {
    const it = await shop([['reset after body'], ['ok']], { retry: { on: ['reset'], bodyBuffer: '8k' } });
    const reply = await it.front.send({ method: 'PUT', body: 'x'.repeat(10_000), chunked });
    expect(reply.status).toBe(502);
    expect(counts(it)).toEqual([1, 0]);
  });
}

everywhere('a PUT that is reset in the middle of its body goes on elsewhere from its beginning', async (shop) => {
  const it = await shop([['reset'], ['ok']], { retry: { on: ['reset'] } });
  const exchange = await it.front.begin({ method: 'PUT', chunked: true });
  await exchange.write('first ');
  await it.endpoints[1]?.arrival(0);
  await exchange.write('second');
  exchange.end();
  expect((await exchange.reply()).text).toBe('first second');
});

everywhere('a PUT that is sent again has its trailers', async (shop, protocol) => {
  const it = await shop([['reset after body'], ['ok']], { retry: { on: ['reset'] } });
  await it.front.send({ method: 'PUT', body: 'abc', chunked: true, trailers: ['X-Sum', '3'] });
  const sent = it.endpoints.map(({ arrivals }) => arrivals[0]?.trailers['x-sum']);
  // Towards HTTP/1.1 there are none, sent again or not.
  expect(sent).toEqual(protocol === 'http2' ? ['3', '3'] : [undefined, undefined]);
});

for (const mood of ['reset', 'reset after body'] as const) {
  everywhere(`a POST whose first byte may have been seen is never sent again: ${mood}`, async (shop) => {
    const it = await shop([[mood], ['ok']], { retry: { on: ['connect', 'reused', 'reset', 'timeout', 502, 503] } });
    expect((await it.front.send({ method: 'POST', body: 'abcd' })).status).toBe(502);
    expect(counts(it)).toEqual([1, 0]);
  });
}

everywhere('a POST with an Idempotency-Key is sent again where the route believes it', async (shop) => {
  const it = await shop([['reset after body'], ['ok']], { retry: { on: ['reset'], idempotencyKey: true } });
  const reply = await it.front.send({ method: 'POST', headers: ['Idempotency-Key', '"7"'], body: 'abcd' });
  expect([reply.status, reply.text]).toEqual([200, 'abcd']);
});

everywhere('a POST with an Idempotency-Key is not sent again where the route says nothing of it', async (shop) => {
  const it = await shop([['reset after body'], ['ok']], { retry: { on: ['reset'] } });
  const reply = await it.front.send({ method: 'POST', headers: ['Idempotency-Key', '"7"'], body: 'abcd' });
  expect(reply.status).toBe(502);
  expect(counts(it)).toEqual([1, 0]);
});

everywhere('an endpoint that does not answer in time loses the request to another one', async (shop) => {
  const clock = new ManualClock();
  const it = await shop([['silent'], ['ok']], { retry: { on: ['timeout'], attemptTimeout: '1s' }, clock });
  const exchange = await it.front.begin({});
  await it.endpoints[0]?.arrival(0);
  clock.advance(1_200);
  const waiting = clock.pending;
  clock.advance(25);
  expect(waiting).toBeGreaterThan(0);
  expect((await exchange.reply()).status).toBe(200);
  const late = await it.endpoints[0]?.arrival(0);
  await until(() => late?.cancelled === true, 'the late attempt to be given up');
  expect(await it.front.gateway.nextRecord()).toMatchObject({ attempts: 2, retries: ['timeout'] });
});

everywhere('an endpoint that does not answer in time is a 504 where late ones are not retried', async (shop) => {
  const clock = new ManualClock();
  const it = await shop([['silent'], ['ok']], { retry: { attemptTimeout: '1s' }, clock });
  const exchange = await it.front.begin({});
  await it.endpoints[0]?.arrival(0);
  clock.advance(1_200);
  expect((await exchange.reply()).status).toBe(504);
  expect(await it.front.gateway.nextRecord()).toMatchObject({ attempts: 1, end: { reason: 'attempt-timeout' } });
});

// ---- statuses

const busy = { status: 503, headers: { 'x-from': 'busy' }, body: 'busy' };

everywhere('a listed status of one endpoint is asked for again at another, and its connection kept', async (shop) => {
  const it = await shop([[busy], ['ok']], { retry: { on: [503], backoff: NO_PAUSE } });
  for (let i = 0; i < 4; i += 1) expect((await it.front.send({})).status).toBe(200);
  expect(it.endpoints.map(({ connections }) => connections)).toEqual([1, 1]);
  expect(await it.front.gateway.nextRecord()).toMatchObject({ attempts: 2, retries: ['503'] });
});

everywhere('an answer that is too long to be read for nothing is broken off', async (shop) => {
  const long = { status: 503, body: 'x'.repeat(100_000) };
  const it = await shop([[long], ['ok']], { retry: { on: [503], backoff: NO_PAUSE } });
  const reply = await it.front.send({});
  expect([reply.status, reply.text]).toEqual([200, '']);
});

everywhere('a pool of one endpoint is asked again after a listed status', async (shop) => {
  const it = await shop([[busy, busy, 'ok']], { retry: { on: [503], backoff: NO_PAUSE } });
  expect((await it.front.send({})).status).toBe(200);
  expect(await it.front.gateway.nextRecord()).toMatchObject({ attempts: 3, retries: ['503', '503'] });
});

everywhere('the last allowed attempt’s answer goes to the client as it is', async (shop) => {
  const it = await shop([[busy]], { retry: { on: [503], attempts: 2, backoff: NO_PAUSE } });
  const reply = await it.front.send({});
  expect([reply.status, reply.header('x-from'), reply.text]).toEqual([503, 'busy', 'busy']);
  expect(counts(it)).toEqual([2]);
});

everywhere('a POST that got a listed status is not sent again: the endpoint has seen it', async (shop) => {
  const it = await shop([[busy], ['ok']], { retry: { on: [503] } });
  expect((await it.front.send({ method: 'POST', body: 'a' })).status).toBe(503);
  expect(counts(it)).toEqual([1, 0]);
});

everywhere('a PUT that got a listed status is sent again with its body', async (shop) => {
  const it = await shop([[busy], ['ok']], { retry: { on: [503], backoff: NO_PAUSE } });
  expect((await it.front.send({ method: 'PUT', body: 'abcd' })).text).toBe('abcd');
});

// ---- pauses, Retry-After, deadlines

for (const [form, value] of [
  ['in seconds', '2'],
  ['as a date', 'Thu, 01 Jan 2026 00:00:02 GMT'],
] as const) {
  everywhere(`Retry-After ${form} is waited for`, async (shop) => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1));
    const tired = { status: 503, headers: { 'retry-after': value } };
    const it = await shop([[tired, 'ok']], { retry: { on: [503] }, clock });
    const exchange = await it.front.begin({});
    await it.endpoints[0]?.arrival(0);
    await until(() => it.front.gateway.status().pools[0]?.retries.left === 29, 'the retry to be paid for');
    clock.advance(1_999);
    await turns();
    expect(counts(it)).toEqual([1]);
    clock.advance(1);
    expect((await exchange.reply()).status).toBe(200);
  });
}

everywhere('a Retry-After that is longer than the route waits goes to the client', async (shop) => {
  const tired = { status: 503, headers: { 'retry-after': '60' } };
  const it = await shop([[tired, 'ok']], { retry: { on: [503] } });
  const reply = await it.front.send({});
  expect([reply.status, reply.header('retry-after')]).toEqual([503, '60']);
  expect(await it.front.gateway.nextRecord()).toMatchObject({ attempts: 1, noRetry: 'retry-after' });
});

everywhere('a pause that would outlast the deadline is not begun', async (shop) => {
  const tired = { status: 503, headers: { 'retry-after': '3' } };
  const it = await shop([[tired, 'ok']], { retry: { on: [503] }, route: { timeouts: { total: '2s' } } });
  expect((await it.front.send({})).status).toBe(503);
  expect(await it.front.gateway.nextRecord()).toMatchObject({ attempts: 1, noRetry: 'deadline' });
});

everywhere('the deadline goes over all attempts', async (shop) => {
  const clock = new ManualClock();
  const it = await shop([['silent'], ['silent']], {
    retry: { on: ['timeout'], attemptTimeout: '1s', attempts: 5 },
    route: { timeouts: { total: '1500ms' } },
    clock,
  });
  const exchange = await it.front.begin({});
  await it.endpoints[0]?.arrival(0);
  clock.advance(1_100);
  clock.advance(25);
  await it.endpoints[1]?.arrival(0);
  clock.advance(600);
  expect((await exchange.reply()).status).toBe(504);
  expect(await it.front.gateway.nextRecord()).toMatchObject({ attempts: 2, end: { reason: 'total-timeout' } });
});

everywhere('a client that leaves in the pause leaves nothing behind', async (shop) => {
  const clock = new ManualClock();
  const tired = { status: 503, headers: { 'retry-after': '2' } };
  const it = await shop([[tired, 'ok']], { retry: { on: [503] }, clock });
  const exchange = await it.front.begin({ method: 'PUT', body: 'abcd' });
  await it.endpoints[0]?.arrival(0);
  await until(() => it.front.gateway.status().pools[0]?.retries.left === 29, 'the retry to be paid for');
  exchange.leave();
  expect(await it.front.gateway.nextRecord()).toMatchObject({
    status: 499,
    attempts: 1,
    end: { reason: 'client-gone' },
  });
  clock.advance(10_000);
  await turns();
  expect(counts(it)).toEqual([1]);
  expect(it.front.gateway.status().pools[0]?.endpoints[0]?.inFlight).toBe(0);
});

// ---- the budget

everywhere('with every endpoint failing, upstream gets 1.2 times what clients send', async (shop) => {
  const it = await shop([['reset'], ['reset']], {
    retry: { on: ['reset'], backoff: NO_PAUSE },
    clock: new ManualClock(),
  });
  const connection = await it.front.connect();
  for (let i = 0; i < 300; i += 1) expect((await connection.send({})).status).toBe(502);
  const upstream = counts(it).reduce((sum, count) => sum + count, 0);
  expect(upstream).toBe(360);
  const [pool] = it.front.gateway.status().pools;
  expect(pool?.retries).toMatchObject({ made: { reset: 60 }, left: 0 });
  expect(pool?.retries.refused).toBeGreaterThan(200);
  expect(it.front.gateway.records.at(-1)).toMatchObject({ noRetry: 'budget' });
});

everywhere('endpoints that refuse connections draw from the budget too', async (_shop, protocol) => {
  // Counted by attempts: what is refused never arrives anywhere.
  const ports = [await deadPort(), await deadPort()];
  const it = await _shop([], {
    pool: { protocol, endpoints: ports.map((port) => `127.0.0.1:${port}`) },
    clock: new ManualClock(),
  });
  const connection = await it.front.connect();
  for (let i = 0; i < 300; i += 1) await connection.send({});
  const attempts = it.front.gateway.records.reduce((sum, record) => sum + record.attempts, 0);
  expect(attempts).toBeLessThanOrEqual(360);
  expect(attempts).toBeGreaterThan(330);
});

everywhere(
  'one dead endpoint of two costs no client anything, however many requests meet it',
  async (shop, protocol) => {
    const alive = await fickleOrigin(protocol, ['ok']);
    const endpoints = [`127.0.0.1:${await deadPort()}`, `127.0.0.1:${alive.port}`];
    const it = await shop([], { pool: { endpoints } });
    const connection = await it.front.connect();
    for (let i = 0; i < 150; i += 1) expect((await connection.send({})).status).toBe(200);
    expect(it.front.gateway.status().pools[0]?.retries.refused).toBe(0);
  },
);

/** Long enough for what is on its way between two sockets of this process to arrive. */
async function turns(): Promise<void> {
  for (let i = 0; i < 50; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
