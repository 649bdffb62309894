import { expect, test } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { startTestGateway, type TestGateway } from '../kit/gateway.ts';
import { matrix } from '../kit/matrix.ts';

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function put({ gateway }: TestGateway, path: string, body: object): Promise<Answer> {
  const reply = await fetch(`${gateway.adminUrl}${path}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: reply.status, body: (await reply.json()) as Answer['body'] };
}

matrix(
  'a route in maintenance answers 503 with Retry-After, and no endpoint hears of it',
  async ({ origin, gateway }) => {
    const shop = await origin({ script: [{ respond: 200, body: 'open' }] });
    const front = await gateway(forwardTo(shop));
    const on = await put(front.gateway, '/routes/all/maintenance', { on: true, retryAfter: 120 });
    expect(on).toMatchObject({
      status: 200,
      body: { route: 'all', changed: true, maintenance: { retryAfterSeconds: 120 } },
    });
    const reply = await front.send({});
    expect([reply.status, reply.header('retry-after')]).toEqual([503, '120']);
    expect(reply.header('proxy-status')).toContain('error=destination_unavailable');
    expect(JSON.parse(reply.text)).toMatchObject({ reason: 'maintenance' });
    expect(shop.requests).toBe(0);
    expect((await front.gateway.nextRecord()).end).toMatchObject({ side: 'gateway', reason: 'maintenance' });
    await put(front.gateway, '/routes/all/maintenance', { on: false });
    expect((await front.send({})).text).toBe('open');
  },
);

matrix('maintenance of a route outlives reloads, and is forgotten with the route', async ({ origin, gateway }) => {
  const shop = await origin({ script: [{ respond: 200, body: 'open' }] });
  const config = forwardTo(shop);
  const front = await gateway(config);
  await put(front.gateway, '/routes/all/maintenance', { on: true });
  await front.reload({ ...config, routes: [{ name: 'all', pool: 'shop', match: { method: 'GET' } }] });
  expect((await front.send({})).status).toBe(503);
  await front.reload({ ...config, routes: [{ name: 'other', pool: 'shop' }] });
  expect((await front.send({})).status).toBe(200);
  await front.reload(config);
  expect((await front.send({})).status).toBe(200);
});

const TWO = {
  routes: [
    { name: 'one', match: { path: '/one' }, respond: { status: 200, body: 'one' } },
    { name: 'two', match: { path: '/two' }, redirect: { to: '/one' } },
  ],
} as const;

test('all routes together: also those that a reload brings, and single ones stay as they were set', async () => {
  const front = await startTestGateway({ routes: [...TWO.routes] });
  const statusOf = async (path: string) => (await fetch(`${front.url()}${path}`, { redirect: 'manual' })).status;
  await put(front, '/routes/two/maintenance', { on: true });
  expect(await put(front, '/maintenance', { on: true })).toMatchObject({ body: { route: null, changed: true } });
  expect(await put(front, '/maintenance', { on: true })).toMatchObject({ body: { changed: false } });
  await front.reload({ routes: [...TWO.routes, { name: 'new', match: { path: '/new' }, respond: { status: 200 } }] });
  expect(await Promise.all(['/one', '/two', '/new'].map(statusOf))).toEqual([503, 503, 503]);
  const { maintenance } = front.status();
  expect(maintenance.all?.retryAfterSeconds).toBe(60);
  expect(maintenance.routes.map(({ route }) => route)).toEqual(['two']);
  await put(front, '/maintenance', { on: false });
  expect(await Promise.all(['/one', '/two', '/new'].map(statusOf))).toEqual([200, 503, 200]);
  const metrics = await (await fetch(`${front.gateway.adminUrl}/metrics`)).text();
  expect(metrics).toContain('headgate_maintenance 0\n');
  expect(metrics).toContain('headgate_route_maintenance{route="two"} 1\n');
});

test('a route that there is none of is a 404 that names the nearest', async () => {
  const front = await startTestGateway({ routes: [...TWO.routes] });
  expect(await put(front, '/routes/tow/maintenance', { on: true })).toEqual({
    status: 404,
    body: { error: 'unknown-route', message: '“tow” is no route: did you mean “two”?', parameter: 'route' },
  });
});
