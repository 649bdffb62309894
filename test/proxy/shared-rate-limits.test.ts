import { expect, test } from 'vitest';
import { digestOf } from '../kit/auth.ts';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { startTestGateway, type TestConfig, type TestGateway } from '../kit/gateway.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { type RespAnswer, RespServer } from '../kit/resp-server.ts';

/** Ticks of an hour, which a unit of 1/h takes. */
const HOUR = 3_600_000_000;

interface Redis {
  readonly url: string;
  readonly timeout?: string;
  readonly prefix?: string;
}

function stores(redis: Redis): Pick<TestConfig, 'stores'> {
  return { stores: { shared: { redis } } };
}

const shared = { name: 'api', rate: '1/h', burst: 2, key: '{header.x-key}', store: 'shared' } as const;

/** A store that answers the probe, and everybody else as `answer` says. */
async function storeOf(answer: (key: string) => RespAnswer): Promise<RespServer> {
  return RespServer.start((command, args) => {
    if (!command.startsWith('EVAL')) return '+OK\r\n';
    const [, , key = ''] = args;
    return key.endsWith(':probe') ? '*1\r\n:0\r\n' : answer(key);
  });
}

interface PolicyStatus {
  readonly id: string;
  readonly figures: Readonly<Record<string, unknown>>;
}

/** Of the admin API: the figures of the state whose id begins so. */
async function figures({ gateway }: TestGateway, begin: string): Promise<PolicyStatus['figures']> {
  const all = (await (await fetch(new URL('/policies', gateway.adminUrl))).json()) as readonly PolicyStatus[];
  const found = all.find(({ id }) => id.startsWith(begin));
  if (found === undefined) throw new Error(`Cannot find the state "${begin}"`);
  return found.figures;
}

async function up(gateway: TestGateway, isUp = true): Promise<void> {
  let seen: unknown;
  while (seen !== isUp) seen = (await figures(gateway, 'store shared'))['up'];
}

matrix('what the store says counts, and it is told nothing in clear', async ({ gateway, origin }) => {
  const shop = await origin();
  let owed = 0;
  const store = await storeOf(() => `*1\r\n:${owed}\r\n`);
  const front = await gateway(
    forwardTo(shop, { route: { rateLimit: shared }, rest: stores({ url: store.url, timeout: '1s' }) }),
  );
  await up(front.gateway);
  const first = await front.send({ headers: ['X-Key', 'open sesame'] });
  expect([first.status, first.header('ratelimit')]).toEqual([200, '"api";r=1;t=3600']);
  owed = 2 * HOUR;
  const second = await front.send({ headers: ['X-Key', 'open sesame'] });
  expect([second.status, second.header('retry-after')]).toEqual([429, '3600']);
  expect(shop.requests).toBe(1);
  expect(JSON.stringify(store.commands)).not.toContain('sesame');
});

test('a store that hangs is waited for until its timeout, and then no more; what it said last counts', async () => {
  const store = await storeOf(() => `*1\r\n:${HOUR}\r\n`);
  const gateway = await startTestGateway({
    ...stores({ url: store.url }),
    routes: [{ respond: {}, rateLimit: shared }],
  });
  await up(gateway);
  const ask = async (key: string): Promise<number> =>
    (await fetch(gateway.url(), { headers: { 'X-Key': key } })).status;
  // One of two was owed before; both are now.
  expect(await ask('known')).toBe(200);
  store.script = () => null;
  expect(await ask('known')).toBe(429);
  const late = await Promise.all(Array.from({ length: 5 }, (_, i) => ask(`new ${i}`)));
  expect(late).toEqual([200, 200, 200, 200, 200]);
  await up(gateway, false);
  const asked = store.commands.length;
  expect([await ask('other'), await ask('other'), await ask('other')]).toEqual([200, 200, 429]);
  expect(store.commands.slice(asked).filter((command) => !command.some((word) => word.endsWith(':probe')))).toEqual([]);
  expect((await figures(gateway, 'rate-limit'))['decidedAlone']).toBeGreaterThanOrEqual(9);
  const metrics = await (await fetch(new URL('/metrics', gateway.gateway.adminUrl))).text();
  expect(metrics).toMatch(/headgate_policy_events_total\{[^}]*event="store-lost"[^}]*\} 1/);
});

test.each<[string, RespAnswer]>([
  ['is cut off', { thenCut: '' }],
  ['is cut off within the answer', { thenCut: '*1\r\n:3' }],
  ['answers with an error', '-OOM command not allowed\r\n'],
  ['answers nonsense', '\0\0\0\r\n'],
])('a request that waits for a store that %s is decided here', async (_, answer) => {
  const store = await storeOf(() => answer);
  const gateway = await startTestGateway({
    ...stores({ url: store.url, timeout: '1s' }),
    routes: [{ respond: {}, rateLimit: { ...shared, burst: 1 } }],
  });
  await up(gateway);
  const statuses = [];
  for (let i = 0; i < 2; i += 1) statuses.push((await fetch(gateway.url(), { headers: { 'X-Key': 'k' } })).status);
  expect(statuses).toEqual([200, 429]);
});

matrix(
  'a client that leaves while the store is asked is gone, and an answer then is nobody’s',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const store = await storeOf(() => null);
    const front = await gateway(
      forwardTo(shop, { route: { rateLimit: shared }, rest: stores({ url: store.url, timeout: '1s' }) }),
    );
    await up(front.gateway);
    const exchange = await front.begin({ headers: ['X-Key', 'k'] });
    await store.came('EVALSHA', 2);
    exchange.leave();
    expect(await front.gateway.nextRecord()).toMatchObject({ status: 499, end: { reason: 'client-gone' } });
    store.send('*1\r\n:0\r\n');
    expect(shop.requests).toBe(0);
  },
);

test('a reload keeps the connection to a store, leaves one that is not used any more, and so does the end', async () => {
  const store = await storeOf(() => '*1\r\n:0\r\n');
  const config = (prefix: string, body: string): TestConfig => ({
    ...stores({ url: store.url, prefix, timeout: '1s' }),
    routes: [{ name: 'shop', respond: { body }, rateLimit: shared }],
  });
  const gateway = await startTestGateway(config('a', 'one'));
  await up(gateway);
  await gateway.reload(config('a', 'two'));
  await up(gateway);
  expect(store.connections).toBe(1);
  await gateway.reload(config('b', 'two'));
  await up(gateway);
  await until(() => store.open === 1, 'the old connection to be gone');
  expect(store.connections).toBe(2);
  await gateway.reload({ routes: [{ respond: {} }] });
  await until(() => store.open === 0, 'the last connection to be gone');
});

const keys = [
  { name: 'ann', key: digestOf('key-of-ann') },
  { name: 'bob', key: digestOf('key-of-bob') },
];

matrix(
  'a limit by user counts whoever is known, and one by address counts guesses before they are looked at',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(
      forwardTo(shop, {
        route: {
          auth: { apiKey: { keys } },
          rateLimit: [
            { name: 'guesses', rate: '1/h', burst: 6 },
            { name: 'user', rate: '1/h', burst: 2, key: '{auth.user}' },
          ],
        },
      }),
    );
    const ask = async (key: string): Promise<number> => (await front.send({ headers: ['X-API-Key', key] })).status;
    expect([await ask('key-of-ann'), await ask('key-of-ann'), await ask('key-of-ann')]).toEqual([200, 200, 429]);
    expect([await ask('key-of-bob'), await ask('wrong'), await ask('wrong')]).toEqual([200, 401, 401]);
    expect([await ask('wrong'), await ask('key-of-bob')]).toEqual([429, 429]);
    expect(shop.requests).toBe(3);
  },
  { without: ONE_PROTOCOL },
);
