import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { startTestGateway, type TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix } from '../kit/matrix.ts';
import { stopAfterTest } from '../kit/stop.ts';

const PROXY = { trustedProxies: ['127.0.0.0/8'] };

/** By a client of this address, as a trusted proxy tells. */
function by(address: string) {
  return { headers: ['X-Forwarded-For', address] };
}

matrix('a route out of service serves those who are allowed, and tells others when to come again', async (stage) => {
  const shop = await stage.origin({ script: [{ respond: 200, body: 'open' }] });
  const maintenance = { enabled: true, retryAfter: '90s', allow: ['10.0.0.0/8', '2001:db8::/32'] };
  const front = await stage.gateway(forwardTo(shop, { listener: PROXY, route: { maintenance } }));
  const refused = await front.send({ ...by('192.0.2.1'), method: 'POST', body: 'abc' });
  expect([refused.status, refused.header('retry-after')]).toEqual([503, '90']);
  expect(refused.header('proxy-status')).toContain('error=destination_unavailable');
  expect(shop.accepted).toBe(0);
  expect(await front.gateway.nextRecord()).toMatchObject({ policy: 'maintenance', end: { reason: 'maintenance' } });
  expect((await front.send(by('10.1.2.3'))).text).toBe('open');
  expect((await front.send(by('2001:db8::7'))).text).toBe('open');
  // What nobody vouches for is no address, and the peer's own is not on the list.
  expect((await front.send(by('10.1.2.3, unknown'))).status).toBe(503);
});

test('whoever is allowed is served too when an operator has switched it', async () => {
  const gateway = await startTestGateway({
    listeners: { web: { port: 0, ...PROXY } },
    policies: { staff: { maintenance: { allow: ['10.0.0.0/8'] } } },
    routes: [
      { name: 'shop', use: 'staff', match: { path: '/shop' }, respond: { status: 200 } },
      { name: 'other', match: { path: '/other' }, respond: { status: 200 } },
    ],
  });
  const on = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ on: true }) };
  await fetch(`${gateway.gateway.adminUrl}/maintenance`, on);
  const statusOf = async (path: string, address: string) =>
    (await fetch(`${gateway.url()}${path}`, { headers: { 'x-forwarded-for': address } })).status;
  expect(await statusOf('/shop', '10.0.0.7')).toBe(200);
  expect(await statusOf('/shop', '192.0.2.1')).toBe(503);
  expect(await statusOf('/other', '10.0.0.7')).toBe(503);
});

test('everything of a listener is out of service while there is a file, but a route that says otherwise', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-switch-'));
  stopAfterTest(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'maintenance');
  const clock = new ManualClock(Date.now());
  const config: TestConfig = {
    listeners: { web: { port: 0, use: 'down' } },
    policies: { down: { maintenance: { whileFile: file, retryAfter: '5m' } } },
    routes: [
      { match: { path: '/shop' }, respond: { status: 200 } },
      { match: { path: '/health' }, respond: { status: 204 }, maintenance: false },
    ],
  };
  const gateway = await startTestGateway(config, { clock });
  const ask = (path: string) => fetch(`${gateway.url()}${path}`);
  const becomes = async (status: number) => {
    // It is looked for meanwhile, on another thread.
    do clock.advance(2_000);
    while ((await ask('/shop')).status !== status);
  };
  expect((await ask('/shop')).status).toBe(200);
  await writeFile(file, '');
  await becomes(503);
  expect((await ask('/shop')).headers.get('retry-after')).toBe('300');
  expect((await ask('/health')).status).toBe(204);
  expect((await ask('/nowhere')).status).toBe(503);
  await gateway.reload({ ...config, routes: [...(config.routes ?? []), { match: { path: '/new' }, respond: {} }] });
  expect((await ask('/new')).status).toBe(503);
  await rm(file);
  await becomes(200);
  expect((await ask('/nowhere')).status).toBe(404);
});

test('a policy that does nothing is a mistake, and one that names no network serves nobody', async () => {
  const start = (maintenance: object, options = {}) =>
    startTestGateway({ routes: [{ respond: { status: 200 }, maintenance }] }, options);
  await expect(start({})).rejects.toThrow('this does nothing: give enabled: true, whileFile or allow');
  await expect(start({ enabled: true, retryAfter: '2d' })).rejects.toThrow('“2d” is not allowed here');
  const long = `/${'x'.repeat(300)}`;
  const unseen = await start({ whileFile: long }, { tolerance: 'start' });
  expect(await (await fetch(unseen.url())).json()).toMatchObject({ reason: 'route-quarantined' });
  const broken = await start({ allow: ['10.0.0.0/33'] }, { tolerance: 'start' });
  expect(await (await fetch(broken.url())).json()).toMatchObject({ reason: 'route-quarantined' });
});

test('what is out of service says so also to whoever announces more than it would take', async () => {
  const gateway = await startTestGateway({
    routes: [{ respond: {}, maintenance: { enabled: true, allow: ['10.0.0.0/8'] }, limits: { body: '10' } }],
    listeners: { web: { port: 0, ...PROXY } },
  });
  const upload = async (address: string): Promise<number> =>
    (await fetch(gateway.url(), { method: 'POST', body: 'x'.repeat(11), headers: { 'X-Forwarded-For': address } }))
      .status;
  expect([await upload('192.0.2.1'), await upload('10.1.2.3')]).toEqual([503, 413]);
  expect(await gateway.nextRecord()).toMatchObject({ policy: 'maintenance', end: { reason: 'maintenance' } });
});
