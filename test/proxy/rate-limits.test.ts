import { expect, test } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { startTestGateway, type TestConfig } from '../kit/gateway.ts';
import { HTTP1_ONLY, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { handshake } from '../kit/upgrade.ts';

type Route = NonNullable<TestConfig['routes']>[number];
type RateLimit = Exclude<Route['rateLimit'], false | undefined>;

/** So slow that nothing comes back during a test. */
const SLOW = '1/h';

function limited(rateLimit: RateLimit, more: Partial<Route> = {}): TestConfig {
  return { routes: [{ name: 'shop', respond: { body: 'here' }, ...more, rateLimit }] };
}

matrix(
  'who comes too often is refused without an endpoint, and told when to come again',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop, { route: { rateLimit: { name: 'api', rate: SLOW, burst: 2 } } }));
    const first = await front.send({});
    expect([first.status, first.header('ratelimit-policy'), first.header('ratelimit')]).toEqual([
      200,
      '"api";q=2;w=7200',
      '"api";r=1;t=3600',
    ]);
    await front.send({});
    const refused = await front.send({ method: 'POST', body: 'an upload' });
    expect(refused.status).toBe(429);
    expect(Number(refused.header('retry-after'))).toBeGreaterThan(3_590);
    expect(refused.header('proxy-status')).toBe('headgate; error=http_request_denied');
    expect(refused.header('ratelimit')).toMatch(/^"api";r=0;t=\d+$/);
    await front.gateway.nextRecord();
    await front.gateway.nextRecord();
    const record = await front.gateway.nextRecord();
    expect(record).toMatchObject({ status: 429, end: { reason: 'rate-limit-exceeded', side: 'client' } });
    expect(record.notes).toEqual(['rate-limit-exceeded:api']);
    expect(shop.requests).toBe(2);
  },
);

matrix(
  'a refused upload is not asked for',
  async ({ gateway, origin }) => {
    const front = await gateway(forwardTo(await origin(), { route: { rateLimit: { rate: SLOW } } }));
    await front.send({});
    const head = 'POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n';
    const exchange = await front.raw(head);
    expect((await exchange.head()).status).toBe(429);
  },
  { without: { ...ONE_PROTOCOL, h2c: 'HTTP/1.1 syntax' } },
);

test('keys are what clients say, whatever they put into it', async () => {
  const gateway = await startTestGateway(limited({ rate: SLOW, key: ['{header.x-a}', '{header.x-b}'] }));
  const ask = async (a: string, b: string): Promise<number> =>
    (await fetch(gateway.url(), { headers: { 'X-A': a, 'X-B': b } })).status;
  expect(await ask('a|b', 'c')).toBe(200);
  expect(await ask('a', 'b|c')).toBe(200);
  expect(await ask('1:a', '1:b')).toBe(200);
  expect(await ask('x'.repeat(7_000), 'ä')).toBe(200);
  expect(await ask('x'.repeat(7_000), 'ö')).toBe(200);
  expect(await ask('x'.repeat(7_000), 'ä')).toBe(429);
  expect(await ask('a|b', 'c')).toBe(429);
});

test('a request without the key is not counted, and one that shares is', async () => {
  const keyed = { rate: SLOW, key: '{header.x-key}' };
  const gateway = await startTestGateway({
    routes: [
      { match: { path: '/skip' }, respond: {}, rateLimit: keyed },
      { match: { path: '/share' }, respond: {}, rateLimit: { ...keyed, withoutKey: 'share' } },
    ],
  });
  const statuses = async (path: string): Promise<number[]> => {
    const [one, two] = [await fetch(gateway.url() + path), await fetch(gateway.url() + path)];
    return [one.status, two.status];
  };
  expect([await statuses('/skip'), await statuses('/share')]).toEqual([
    [200, 200],
    [200, 429],
  ]);
});

test('a limit in a group is one for all routes that include it, and the route’s own holds besides', async () => {
  const gateway = await startTestGateway({
    policies: { all: { rateLimit: { name: 'all', rate: SLOW, burst: 3 } } },
    routes: [
      { match: { path: '/a' }, respond: {}, use: 'all', rateLimit: { name: 'own', rate: SLOW, burst: 1 } },
      { match: { path: '/b' }, respond: {}, use: 'all' },
      { match: { path: '/c' }, respond: {} },
    ],
  });
  const ask = async (path: string): Promise<string> => {
    const { status, headers } = await fetch(gateway.url() + path);
    return `${status} ${headers.get('ratelimit-policy') ?? 'untold'}`;
  };
  expect([await ask('/a'), await ask('/a'), await ask('/c')]).toEqual([
    '200 "all";q=3;w=10800, "own";q=1;w=3600',
    '429 "all";q=3;w=10800, "own";q=1;w=3600',
    '200 untold',
  ]);
  // What the route's own has refused, the group's has counted before.
  expect(await ask('/b')).toBe('200 "all";q=3;w=10800');
  expect(await ask('/b')).toBe('429 "all";q=3;w=10800');
});

test('a dry run refuses nobody, tells clients nothing, and is noted', async () => {
  const gateway = await startTestGateway(limited({ name: 'new', rate: SLOW, dryRun: true }));
  await fetch(gateway.url());
  const second = await fetch(gateway.url());
  expect([second.status, second.headers.get('ratelimit')]).toEqual([200, null]);
  await gateway.nextRecord();
  expect((await gateway.nextRecord()).notes).toEqual(['rate-limit-dry-run:new']);
});

test('a reload with another rate forgives nothing, and another burst holds at once', async () => {
  const gateway = await startTestGateway(limited({ rate: SLOW, burst: 1 }));
  const ask = async (): Promise<number> => (await fetch(gateway.url())).status;
  expect([await ask(), await ask()]).toEqual([200, 429]);
  await gateway.reload(limited({ rate: '1/h', burst: 1, status: 503 }));
  expect(await ask()).toBe(503);
  await gateway.reload(limited({ rate: '2/h', burst: 3 }));
  expect([await ask(), await ask()]).toEqual([200, 429]);
});

matrix(
  'responses from the cache are counted and told of as well, and what is stored has no such field',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: [{ respond: 200, headers: ['Cache-Control', 'max-age=60'], body: 'stored' }] });
    const front = await gateway(forwardTo(shop, { route: { cache: true, rateLimit: { rate: SLOW, burst: 2 } } }));
    const replies = [await front.send({}), await front.send({}), await front.send({})];
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(replies.map((reply) => reply.all('ratelimit').join())).toEqual([
      '"default";r=1;t=3600',
      expect.stringMatching(/^"default";r=0;t=\d+$/),
      expect.stringMatching(/^"default";r=0;t=\d+$/),
    ]);
    expect(shop.requests).toBe(1);
  },
  { without: ONE_PROTOCOL },
);

matrix('what is under way of a key is bounded, and a client that leaves makes room', async ({ gateway, origin }) => {
  const shop = await origin({ script: ['read head'] });
  const front = await gateway(forwardTo(shop, { route: { concurrency: { name: 'few', max: 1, retryAfter: '7s' } } }));
  const waiting = await front.connect();
  waiting.begin({});
  await shop.request();
  const refused = await front.send({});
  expect([refused.status, refused.header('retry-after')]).toEqual([429, '7']);
  expect(await front.gateway.nextRecord()).toMatchObject({
    end: { reason: 'concurrency-exceeded' },
    notes: ['concurrency-exceeded:few'],
  });
  waiting.close();
  expect(await front.gateway.nextRecord()).toMatchObject({ end: { reason: 'client-gone' } });
  const next = await front.connect();
  next.begin({});
  await shop.request(1);
  next.close();
  expect(await front.gateway.nextRecord()).toMatchObject({ end: { reason: 'client-gone' } });
});

matrix(
  'a tunnel is under way until it ends',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', 'upgrade', 'echo'] });
    const front = await gateway(forwardTo(shop, { route: { concurrency: { max: 1 } } }));
    const client = await front.connectHttp1();
    client.write(handshake());
    expect((await client.expect().head()).status).toBe(101);
    const second = await front.connectHttp1();
    second.write(handshake());
    expect((await second.expect().head()).status).toBe(429);
    await front.gateway.nextRecord();
    client.close();
    await front.gateway.nextRecord();
    const third = await front.connectHttp1();
    third.write(handshake());
    expect((await third.expect().head()).status).toBe(101);
  },
  { without: HTTP1_ONLY },
);

matrix('nothing is left of many that were broken off, refused or failed', async ({ gateway, origin }) => {
  const silent = ['read head', 'silent'] as const;
  const shop = await origin({ scripts: [...new Array<typeof silent>(20).fill(silent), ['read head', 'reset']] });
  const front = await gateway(
    forwardTo(shop, { route: { concurrency: { max: 2, key: '{header.x-who}' }, retry: { attempts: 1 } } }),
  );
  const by = (who: number) => ({ headers: ['X-Who', `who ${who}`] });
  const begun = await Promise.all(Array.from({ length: 20 }, (_, index) => front.begin(by(index % 10))));
  await shop.request(19);
  const refused = await Promise.all(Array.from({ length: 10 }, (_, who) => front.send(by(who))));
  expect(refused.map(({ status }) => status)).toEqual(new Array(10).fill(429));
  const failed = await Promise.all(Array.from({ length: 2 }, () => front.send(by(10))));
  expect(failed.map(({ status }) => status)).toEqual([502, 502]);
  for (const exchange of begun) exchange.leave();
  for (let i = 0; i < 32; i += 1) await front.gateway.nextRecord();
  const states = await fetch(new URL('/policies', front.gateway.gateway.adminUrl));
  expect(await states.json()).toMatchObject([{ figures: { inFlight: 0, keys: 0, refused: 10 } }]);
});
