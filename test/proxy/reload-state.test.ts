import { describe, expect, test } from 'vitest';
import { until } from '../kit/deadline.ts';
import { startTestGateway, type TestConfig, type TestGateway } from '../kit/gateway.ts';
import { type Origin, origin } from '../kit/origin.ts';

type Pool = NonNullable<TestConfig['pools']>[string];
type Route = NonNullable<TestConfig['routes']>[number];

/** What a reload may change; whatever it is, what is known of the pool stays. */
const CHANGES: Readonly<Record<string, { readonly pool: Partial<Pool>; readonly edit: number }>> = {
  'another route': { pool: {}, edit: 1 },
  'the pool itself': { pool: { retryBudget: { minimum: 12 } }, edit: 0 },
};

const FRESH = ['Cache-Control', 'max-age=60'];

describe.each(Object.entries(CHANGES))('a reload that changes %s', (_what, { pool: changed, edit }) => {
  test('leaves connections to endpoints as they are', async () => {
    const shop = await origin({ script: [{ respond: 200, body: 'one' }] });
    const { gateway, reload } = await start([shop]);
    await ask(gateway);
    await reload();
    await ask(gateway);
    expect([shop.requests, shop.accepted]).toEqual([2, 1]);
  });

  test('leaves what is stored', async () => {
    const shop = await origin({ script: [{ respond: 200, headers: FRESH, body: 'stored' }] });
    const { gateway, reload } = await start([shop], { route: { cache: {} } });
    await ask(gateway);
    await reload();
    expect(await ask(gateway)).toMatchObject({ text: 'stored', cache: expect.stringContaining('hit') });
    expect(shop.requests).toBe(1);
  });

  test('leaves a fetch that several wait for, in the middle of its body', async () => {
    const release = Promise.withResolvers<void>();
    const head = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 8\r\n\r\nfirst';
    const shop = await origin({ script: ['read head', { send: head }, { wait: release.promise }, { send: 'end' }] });
    const { gateway, reload } = await start([shop], { route: { cache: {} } });
    const first = ask(gateway);
    await shop.request(0);
    await reload();
    const second = ask(gateway);
    release.resolve();
    expect([(await first).text, (await second).text, shop.requests]).toEqual(['firstend', 'firstend', 1]);
  });

  test('leaves who waits in the queue of the pool, in its place', async () => {
    const release = Promise.withResolvers<void>();
    const shop = await origin({ script: ['read head', { wait: release.promise }, { respond: 200, body: 'served' }] });
    const { gateway, reload } = await start([shop], { pool: { limits: { perEndpoint: 1 } } });
    const [first, second] = [ask(gateway), ask(gateway)];
    await shop.request(0);
    await until(() => gateway.status().pools[0]?.limits?.queued === 1, 'one to wait');
    await reload();
    expect([shop.requests, gateway.status().pools[0]?.limits?.queued]).toEqual([1, 1]);
    release.resolve();
    expect([(await first).text, (await second).text]).toEqual(['served', 'served']);
  });

  test('leaves a breaker that has tripped', async () => {
    const shop = await origin({ script: [{ respond: 503 }] });
    const { gateway, reload } = await start([shop], { pool: { breaker: { consecutive: 1 } } });
    await ask(gateway);
    await reload();
    expect((await ask(gateway)).status).toBe(503);
    expect(shop.requests).toBe(1);
  });

  test('leaves clients at the endpoints that their cookies name', async () => {
    const shops = [await named('a'), await named('b'), await named('c')];
    const { gateway, reload } = await start(shops, { pool: { affinity: { cookie: 'at' } } });
    const before = await ask(gateway);
    await reload();
    for (let i = 0; i < 4; i += 1) expect((await ask(gateway, before.cookie)).text).toBe(before.text);
  });

  test('leaves endpoints that were drained by hand', async () => {
    const shops = [await named('a'), await named('b')];
    const { gateway, reload } = await start(shops);
    gateway.gateway.control.drain('shop', `127.0.0.1:${shops[0]?.port}`);
    await reload();
    for (let i = 0; i < 4; i += 1) expect((await ask(gateway)).text).toBe('b');
  });

  async function start(
    endpoints: readonly Origin[],
    { pool = {}, route = {} }: { readonly pool?: Partial<Pool>; readonly route?: Partial<Route> } = {},
  ): Promise<{ readonly gateway: TestGateway; readonly reload: () => Promise<void> }> {
    const shop = { endpoints: endpoints.map(({ port }) => `127.0.0.1:${port}`), ...pool };
    const config = (own: Partial<Pool>, number: number): TestConfig => ({
      pools: { shop: { ...shop, ...own } },
      routes: [
        { name: 'shop', pool: 'shop', match: { path: '/**' }, ...route },
        { name: 'edited', match: { path: '/edited' }, respond: { status: 200, body: String(number) } },
      ],
    });
    const gateway = await startTestGateway(config({}, 0));
    const reload = async (): Promise<void> => {
      expect(await gateway.reload(config(changed, edit))).toMatchObject({ result: 'applied', diagnostics: [] });
    };
    return { gateway, reload };
  }
});

function named(body: string): Promise<Origin> {
  return origin({ script: [{ respond: 200, body }] });
}

async function ask(gateway: TestGateway, cookie = '') {
  const reply = await fetch(`${gateway.url()}/`, { headers: { cookie } });
  return {
    status: reply.status,
    text: await reply.text(),
    cache: reply.headers.get('cache-status'),
    cookie: reply.headers.get('set-cookie')?.split(';')[0] ?? '',
  };
}
