import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { matrix } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';

matrix('requests are spread over the endpoints in turn', async ({ gateway, origin }) => {
  const shops = [await origin(), await origin(), await origin()];
  const front = await gateway(forwardTo(shops));
  const connection = await front.connect();
  for (let i = 0; i < 9; i += 1) await connection.send({});
  expect(counts(shops)).toEqual([3, 3, 3]);
});

matrix('an endpoint with three times the weight gets three times the requests, evenly mixed', async (stage) => {
  const shops = [await stage.origin(), await stage.origin()] as const;
  const endpoints = [
    { address: `127.0.0.1:${shops[0].port}`, weight: 3 },
    { address: `127.0.0.1:${shops[1].port}`, weight: 1 },
  ];
  const front = await stage.gateway(forwardTo(shops, { pool: { endpoints } }));
  const connection = await front.connect();
  for (let round = 1; round <= 3; round += 1) {
    for (let i = 0; i < 4; i += 1) await connection.send({});
    expect(counts(shops)).toEqual([3 * round, round]);
  }
});

matrix('least-connections picks the endpoint with the fewest requests in flight', async ({ gateway, origin }) => {
  const release = Promise.withResolvers<void>();
  const busy = await origin({ script: ['read head', { wait: release.promise }, 'respond 200'] });
  const free = await origin();
  const front = await gateway(forwardTo([busy, free], { pool: { balance: 'least-connections' } }));
  const slow = [await front.begin({ path: '/slow' })];
  // Whichever endpoint the first one took, the next go to the other as long as that one is busy.
  if (free.requests === 0) await busy.request();
  for (let i = 0; i < 4; i += 1) await front.send({});
  expect([busy.requests, free.requests]).toEqual([1, 4]);
  release.resolve();
  for (const exchange of slow) expect((await exchange.reply()).status).toBe(200);
});

matrix('source-ip sends a client to the same endpoint, and clients to all of them', async ({ gateway, origin }) => {
  const shops = [await origin(), await origin(), await origin()];
  const config = forwardTo(shops, { pool: { balance: 'source-ip' }, listener: { trustedProxies: ['127.0.0.1'] } });
  const front = await gateway(config);
  const connection = await front.connect();
  for (let i = 0; i < 5; i += 1) await connection.send({ headers: ['X-Forwarded-For', '192.0.2.1'] });
  expect([...counts(shops)].sort()).toEqual([0, 0, 5]);
  for (let i = 0; i < 60; i += 1) await connection.send({ headers: ['X-Forwarded-For', `198.51.100.${i}`] });
  expect(Math.min(...counts(shops))).toBeGreaterThan(0);
});

matrix('two-choices and ewma leave an endpoint alone that has work', async ({ gateway, origin }) => {
  for (const balance of ['two-choices', 'ewma'] as const) {
    const release = Promise.withResolvers<void>();
    const busy = await origin({ script: ['read head', { wait: release.promise }, 'respond 200'] });
    const free = await origin();
    const front = await gateway(forwardTo([busy, free], { pool: { balance } }));
    const slow = [];
    // Until the busy one has its request: which of two idle endpoints gets one is a matter of chance.
    while (busy.requests === 0) {
      slow.push(await front.begin({ path: '/slow' }));
      await until(() => busy.requests + free.requests === slow.length, 'the request at one of them');
    }
    const before = free.requests;
    for (let i = 0; i < 10; i += 1) await front.send({});
    expect([busy.requests, free.requests - before]).toEqual([1, 10]);
    release.resolve();
    for (const exchange of slow) expect((await exchange.reply()).status).toBe(200);
  }
});

const USERS = Array.from({ length: 40 }, (_, index) => `user-${index}`);

matrix('hashing sends the same header, cookie, parameter or path to the same endpoint', async ({ gateway, origin }) => {
  const keyed = [
    [{ header: 'X-User' }, (user: string) => ({ headers: ['X-User', user] })],
    [{ cookie: 'sid' }, (user: string) => ({ headers: ['Cookie', `theme=dark; sid=${user}`] })],
    [{ query: 'user' }, (user: string) => ({ path: `/?page=2&user=${user}` })],
    ['path', (user: string) => ({ path: `/${user}?t=${USERS.length}` })],
  ] as const;
  for (const [hash, requestOf] of keyed) {
    const shops = [await origin(), await origin(), await origin()];
    const front = await gateway(forwardTo(shops, { pool: { balance: { hash, load: 1.25 } } }));
    const connection = await front.connect();
    const once = await placesOf(USERS, (user) => connection.send(requestOf(user)), shops);
    const again = await placesOf(USERS.toReversed(), (user) => connection.send(requestOf(user)), shops);
    expect(again.toReversed()).toEqual(once);
    expect(new Set(once).size).toBe(3);
  }
});

matrix('a request without the value that is hashed goes anywhere', async ({ gateway, origin }) => {
  const shops = [await origin(), await origin()];
  const front = await gateway(forwardTo(shops, { pool: { balance: { hash: { header: 'X-User' } } } }));
  const connection = await front.connect();
  for (let i = 0; i < 60; i += 1) await connection.send({ headers: i % 2 === 0 ? [] : ['X-User', ''] });
  expect(Math.min(...counts(shops))).toBeGreaterThan(0);
});

matrix(
  'with a bounded load requests of one key are served by several endpoints at once',
  async ({ gateway, origin }) => {
    const release = Promise.withResolvers<void>();
    const script = ['read head', { wait: release.promise }, 'respond 200'] as const;
    const shops = [await origin({ script }), await origin({ script }), await origin({ script })];
    const front = await gateway(forwardTo(shops, { pool: { balance: { hash: 'path', load: 1 } } }));
    const exchanges = [];
    for (let i = 1; i <= 6; i += 1) {
      exchanges.push(await front.begin({ path: '/one' }));
      await until(() => counts(shops).reduce((sum, count) => sum + count) === i, `request ${i} at an endpoint`);
    }
    expect(counts(shops)).toEqual([2, 2, 2]);
    release.resolve();
    for (const exchange of exchanges) expect((await exchange.reply()).status).toBe(200);
  },
);

matrix('a weight set by hand is in force with the next request', async ({ gateway, origin }) => {
  const shops = [await origin(), await origin()] as const;
  const front = await gateway(forwardTo(shops));
  const connection = await front.connect();
  front.gateway.gateway.control.setWeight('shop', `127.0.0.1:${shops[0].port}`, 3);
  for (let i = 0; i < 8; i += 1) await connection.send({});
  expect(counts(shops)).toEqual([6, 2]);
  front.gateway.gateway.control.setWeight('shop', `127.0.0.1:${shops[0].port}`, 0);
  for (let i = 0; i < 4; i += 1) await connection.send({});
  expect(counts(shops)).toEqual([6, 6]);
});

matrix('random sends every request to some endpoint of the pool', async ({ gateway, origin }) => {
  const shops = [await origin(), await origin()];
  const front = await gateway(forwardTo(shops, { pool: { balance: 'random' } }));
  const connection = await front.connect();
  for (let i = 0; i < 10; i += 1) expect((await connection.send({})).status).toBe(200);
  expect(counts(shops).reduce((sum, count) => sum + count)).toBe(10);
});

matrix('connections to an endpoint are kept and bounded', async ({ gateway, origin }) => {
  const release = Promise.withResolvers<void>();
  const shop = await origin({ script: ['read head', { wait: release.promise }, 'respond 200'] });
  const front = await gateway(forwardTo(shop, { pool: { connections: { max: 2 } } }));
  const exchanges = await Promise.all(Array.from({ length: 6 }, () => front.begin({})));
  await shop.request(1);
  expect(shop.accepted).toBe(2);
  release.resolve();
  for (const exchange of exchanges) expect((await exchange.reply()).status).toBe(200);
  expect([shop.accepted, shop.requests]).toEqual([2, 6]);
});

/** Index of the origin that each of these requests, sent one after another, went to. */
async function placesOf(
  keys: readonly string[],
  send: (key: string) => Promise<unknown>,
  origins: readonly Origin[],
): Promise<readonly number[]> {
  const places: number[] = [];
  for (const key of keys) {
    const before = counts(origins);
    await send(key);
    places.push(origins.findIndex(({ requests }, index) => requests > (before[index] as number)));
  }
  return places;
}

function counts(origins: readonly Origin[]): readonly number[] {
  return origins.map(({ requests }) => requests);
}
