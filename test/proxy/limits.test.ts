import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { startTestGateway, type TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, HTTP2_ONLY, matrix, ONE_PROTOCOL, type Stage } from '../kit/matrix.ts';
import { deadPort, type Origin } from '../kit/origin.ts';
import { TcpEnd, TcpOrigin } from '../kit/stream.ts';

type Limits = NonNullable<NonNullable<TestConfig['pools']>[string]['limits']>;

matrix('a request over the limit of its pool waits until another one ends', async (stage) => {
  const { front, shop, release } = await limited(stage, { inFlight: 1 });
  const first = await front.begin({ path: '/first' });
  await shop.request();
  const second = await front.begin({ path: '/second' });
  await queued(front, 1);
  expect([shop.requests, limitsOf(front).inFlight]).toEqual([1, 1]);
  release();
  expect([(await first.reply()).status, (await second.reply()).status]).toEqual([200, 200]);
  expect(limitsOf(front)).toMatchObject({ queued: 0, served: 1 });
});

matrix('when the queue is full the answer is 503, and nothing was sent', async (stage) => {
  const { front, shop, release } = await limited(stage, { inFlight: 1, queue: { size: 0 } });
  const first = await front.begin({});
  await shop.request();
  const refused = await front.send({});
  expect([refused.status, refused.header('proxy-status')]).toEqual([503, 'headgate; error=connection_limit_reached']);
  // Nothing has ended yet, so nobody can tell when something will.
  expect(refused.header('retry-after')).toBeNull();
  release();
  await first.reply();
  await endedBy(front, 'queue-full');
  const record = front.gateway.records.find(({ status }) => status === 503);
  expect(record).toMatchObject({
    attempts: 0,
    endpoint: null,
    end: { side: 'gateway', reason: 'queue-full', error: 'connection_limit_reached' },
  });
  expect((await front.send({})).status).toBe(200);
  expect(shop.requests).toBe(2);
});

matrix('who has waited as long as the queue allows gets 503 with the time to come again', async (stage) => {
  const clock = new ManualClock(Date.now());
  let answered = 0;
  const shop = await stage.origin({
    script: [
      'read head',
      { wait: () => (answered++ === 0 ? Promise.resolve() : new Promise(() => {})) },
      'respond 200',
    ],
  });
  const limits = { inFlight: 1, queue: { timeout: '500ms' } };
  const front = await stage.gateway(forwardTo(shop, { pool: { limits }, route: { timeouts: { head: 0 } } }), { clock });
  await front.send({});
  const stuck = await front.begin({ path: '/stuck' });
  await shop.request(1);
  const late = await front.begin({});
  await queued(front, 1);
  clock.advance(600);
  const refused = await late.reply();
  expect([refused.status, refused.header('retry-after')]).toEqual([503, '1']);
  await endedBy(front, 'queue-timeout');
  stuck.leave();
});

matrix('a client that leaves while it waits leaves the queue', async (stage) => {
  const { front, shop, release } = await limited(stage, { inFlight: 1 });
  const first = await front.begin({});
  await shop.request();
  const leaver = await front.begin({});
  await queued(front, 1);
  leaver.leave();
  await queued(front, 0);
  release();
  await first.reply();
  expect([limitsOf(front).left, shop.requests]).toEqual([1, 1]);
  await endedBy(front, 'client-gone');
  expect(front.gateway.records.find(({ attempts }) => attempts === 0)).toMatchObject({ status: 499 });
});

matrix('the wait is a part of the total timeout', async (stage) => {
  const clock = new ManualClock(Date.now());
  const { front, shop } = await limited(stage, { inFlight: 1, queue: { timeout: '1m' } }, { clock, total: '3s' });
  const first = await front.begin({});
  await shop.request();
  clock.advance(2_000);
  const second = await front.begin({});
  await queued(front, 1);
  clock.advance(1_200);
  expect((await first.reply()).status).toBe(504);
  // The second has its turn now, with what is left of its own time.
  await shop.request(1);
  clock.advance(2_000);
  expect((await second.reply()).status).toBe(504);
});

matrix(
  'a body that is to be asked for is asked for when the turn has come',
  async (stage) => {
    const { front, shop, release } = await limited(stage, { inFlight: 1 });
    const first = await front.begin({});
    await shop.request();
    const second = await front.begin({ method: 'POST', headers: ['Expect', '100-continue'], length: 4 });
    await queued(front, 1);
    release();
    await first.reply();
    expect((await second.interim(0)).status).toBe(100);
    await second.write('body');
    second.end();
    expect((await second.reply()).status).toBe(200);
  },
  { without: { h2: 'the kit sends no Expect over HTTP/2' } },
);

matrix('what matters more goes first, and takes the place of what matters less', async (stage) => {
  const { front, shop, release } = await limited(stage, { inFlight: 1, queue: { size: 2 } });
  const first = await front.begin({ path: '/first' });
  await shop.request();
  const low = await front.begin({ path: '/low' });
  await queued(front, 1);
  const normal = await front.begin({ path: '/normal' });
  await queued(front, 2);
  const high = await front.begin({ path: '/high' });
  const shed = await low.reply();
  expect(shed.status).toBe(503);
  await endedBy(front, 'shed');
  release();
  for (const exchange of [first, high, normal]) expect((await exchange.reply()).status).toBe(200);
  expect(shop.received.map(({ target }) => target)).toEqual(['/first', '/high', '/normal']);
});

matrix('a request that its endpoint refuses gets another turn, within the limit', async (stage) => {
  const shop = await countingOrigin(stage);
  const endpoints = [`127.0.0.1:${await deadPort()}`, `127.0.0.1:${shop.origin.port}`];
  const front = await stage.gateway(forwardTo([], { pool: { endpoints, limits: { inFlight: 1 } } }));
  const connections = await Promise.all(Array.from({ length: 8 }, () => front.connect()));
  const replies = await Promise.all(connections.map((connection) => connection.send({})));
  expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
  expect([shop.most(), limitsOf(front).inFlight]).toEqual([1, 0]);
});

matrix('an endpoint at its limit is passed over, and requests wait only when all are', async (stage) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const script = ['read head', { wait: promise }, 'respond 200'] as const;
  const shops = [await stage.origin({ script }), await stage.origin({ script })];
  const front = await stage.gateway(forwardTo(shops, { pool: { limits: { perEndpoint: 1 }, balance: 'source-ip' } }));
  const exchanges = [await front.begin({}), await front.begin({})];
  await Promise.all(shops.map((shop) => shop.request()));
  exchanges.push(await front.begin({}));
  await queued(front, 1);
  expect(front.gateway.status().pools[0]?.endpoints.map(({ inFlightLimit }) => inFlightLimit)).toEqual([1, 1]);
  resolve();
  for (const exchange of exchanges) expect((await exchange.reply()).status).toBe(200);
});

matrix('a session waits for its own endpoint, while others go past it', async (stage) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const scripts = [['respond 200', 'read head', { wait: promise }, 'respond 200', 'respond 200']] as const;
  const [held, other] = [await stage.origin({ scripts }), await stage.origin()];
  const pool = { limits: { perEndpoint: 1 }, affinity: { cookie: 'at' } };
  const front = await stage.gateway(forwardTo([held, other], { pool }));
  const first = await front.send({});
  const headers = ['Cookie', first.header('set-cookie')?.split(';')[0] ?? ''];
  const busy = await front.begin({ headers });
  await held.request(1);
  const waiting = await front.begin({ headers });
  await queued(front, 1);
  // Nobody else waits behind it.
  expect((await front.send({})).status).toBe(200);
  expect([held.requests, other.requests]).toEqual([2, 1]);
  resolve();
  expect([(await busy.reply()).status, (await waiting.reply()).status]).toEqual([200, 200]);
  expect([held.requests, other.requests]).toEqual([3, 1]);
});

matrix(
  'an adaptive limit finds how many requests an endpoint works on at a time',
  async (stage) => {
    const clock = new ManualClock(Date.now());
    const waiting: (() => void)[] = [];
    const wait = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
    const shop = await stage.origin({ script: ['read head', { wait }, 'respond 200'] });
    const pool = { limits: { adaptive: { start: 60 } } };
    const front = await stage.gateway(forwardTo(shop, { pool }), { clock });
    const limit = (): number => front.gateway.status().pools[0]?.endpoints[0]?.inFlightLimit ?? 0;
    expect(limit()).toBe(60);
    const connection = await front.connect();
    let answered = 0;
    let running = true;
    const statuses = new Set<number>();
    const clients = Array.from({ length: 40 }, async () => {
      while (running) {
        statuses.add((await connection.send({})).status);
        answered += 1;
      }
    });
    // It works on 8 at a time, 5 ms on each; all others wait in it.
    for (let round = 0; round < 250; round += 1) {
      await until(() => waiting.length >= Math.min(limit(), 40), 'as many requests as may to be at the endpoint');
      clock.advance(5);
      const done = waiting.splice(0, 8);
      const expected = answered + done.length;
      for (const answer of done) answer();
      await until(() => answered >= expected, 'the answers');
    }
    const found = limit();
    running = false;
    const rest = setInterval(() => {
      for (const answer of waiting.splice(0)) answer();
    }, 1);
    await Promise.all(clients);
    clearInterval(rest);
    expect([...statuses]).toEqual([200]);
    expect(found).toBeGreaterThanOrEqual(8);
    expect(found).toBeLessThanOrEqual(20);
  },
  { without: { ...HTTP2_ONLY, h2c: 'behind one protocol as behind the other' } },
);

matrix(
  'an upgraded connection is in flight for as long as it lasts',
  async (stage) => {
    const shop = await stage.origin({ scripts: [['read head', { upgrade: 'echo' }, 'echo'], ['respond 200']] });
    const front = await stage.gateway(forwardTo(shop, { pool: { limits: { inFlight: 1 } } }));
    const client = await front.connectHttp1();
    client.write('GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
    await until(() => front.gateway.status().pools[0]?.endpoints[0]?.inFlight === 1, 'the tunnel to be made');
    const second = await front.begin({});
    await queued(front, 1);
    client.close();
    expect((await second.reply()).status).toBe(200);
  },
  { without: { h2: 'a tunnel by Upgrade is HTTP/1.1 syntax' } },
);

matrix(
  'limits, queue and refusals are in the metrics',
  async (stage) => {
    const { front, shop, release } = await limited(stage, { inFlight: 1, queue: { size: 1 } });
    const first = await front.begin({});
    await shop.request();
    const second = await front.begin({});
    await queued(front, 1);
    await front.send({});
    const metrics = async (): Promise<string> => (await fetch(`${front.gateway.gateway.adminUrl}/metrics`)).text();
    const during = await metrics();
    expect(during).toContain('headgate_pool_in_flight{pool="shop"} 1');
    expect(during).toContain('headgate_pool_queue_length{pool="shop"} 1');
    expect(during).toContain('headgate_pool_refused_total{pool="shop",reason="queue-full"} 1');
    release();
    await first.reply();
    await second.reply();
    const after = await metrics();
    expect(after).toContain('headgate_pool_queued_total{pool="shop"} 1');
    expect(after).toMatch(/headgate_pool_queue_wait_seconds_sum\{pool="shop"\} 0\.\d+/);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'never more requests than the limit are at an endpoint, and each of a crowd gets an answer',
  async (stage) => {
    const shop = await countingOrigin(stage);
    const front = await stage.gateway(
      forwardTo(shop.origin, { pool: { limits: { inFlight: 3, queue: { size: 20 } } } }),
    );
    const connection = await front.connect();
    const replies = await Promise.all(Array.from({ length: 60 }, () => connection.send({})));
    const statuses = replies.map(({ status }) => status);
    const served = statuses.filter((status) => status === 200).length;
    expect(served + statuses.filter((status) => status === 503).length).toBe(60);
    expect(served).toBeGreaterThanOrEqual(23);
    expect(shop.most()).toBeLessThanOrEqual(3);
  },
  { without: { ...HTTP2_ONLY } },
);

test('a connection that is forwarded as it is waits for its turn too', async () => {
  const origin = await TcpOrigin.start();
  const gateway = await startTestGateway({
    listeners: { db: { port: 0, kind: 'tcp', pool: 'db' } },
    pools: { db: { endpoints: [origin.address], limits: { inFlight: 1 } } },
  });
  const first = await TcpEnd.connect(gateway.port('db'));
  const upstream = await origin.accepted();
  const second = await TcpEnd.connect(gateway.port('db'));
  second.send('hello');
  await until(() => gateway.status().pools[0]?.limits?.queued === 1, 'the second connection to wait');
  // One that leaves while it waits is not connected when its turn comes.
  const third = connect(gateway.port('db'), '127.0.0.1');
  await until(() => gateway.status().pools[0]?.limits?.queued === 2, 'the third connection to wait');
  third.resetAndDestroy();
  await until(() => gateway.status().pools[0]?.limits?.queued === 1, 'the third connection to be forgotten');
  first.socket.end();
  upstream.socket.end();
  const next = await origin.accepted(1);
  expect(await next.text(5)).toBe('hello');
  next.socket.end();
  second.socket.end();
  await until(() => gateway.streams.length === 3, 'all connections to be over');
});

interface Limited {
  readonly front: Front;
  readonly shop: Origin;
  /** Lets the origin answer everything. */
  readonly release: () => void;
}

/** A pool of one endpoint that answers when it is told to; `/low` and `/high` are routes of that importance. */
async function limited(
  stage: Stage,
  limits: Limits,
  { clock, total }: { clock?: ManualClock; total?: string } = {},
): Promise<Limited> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const shop = await stage.origin({ script: ['read head', 'read body', { wait: promise }, 'respond 200'] });
  const config = forwardTo(shop, { pool: { limits } });
  const timeouts = { head: 0, ...(total === undefined ? {} : { total }) } as const;
  const routes = [
    { name: 'low', match: { path: '/low' }, pool: 'shop', importance: 'low', timeouts },
    { name: 'high', match: { path: '/high' }, pool: 'shop', importance: 'high', timeouts },
    { name: 'all', pool: 'shop', timeouts },
  ] as const;
  const front = await stage.gateway({ ...config, routes: [...routes] }, clock === undefined ? {} : { clock });
  return { front, shop, release: () => resolve() };
}

/** Answers at once, and knows how many it had at a time. */
async function countingOrigin(stage: Stage): Promise<{ origin: Origin; most: () => number }> {
  let now = 0;
  let most = 0;
  const enter = async (): Promise<void> => {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setImmediate(resolve));
    now -= 1;
  };
  const origin = await stage.origin({ script: ['read head', { wait: enter }, 'respond 200'] });
  return { origin, most: () => most };
}

function limitsOf(front: Front) {
  const limits = front.gateway.status().pools[0]?.limits;
  if (limits === null || limits === undefined) throw new Error('The pool has no limits');
  return limits;
}

function endedBy(front: Front, reason: string): Promise<void> {
  return until(() => front.gateway.records.some(({ end }) => end.reason === reason), `a record with reason ${reason}`);
}

function queued(front: Front, count: number): Promise<void> {
  return until(() => limitsOf(front).queued === count, `${count} requests to wait`);
}
