import { expect, test } from 'vitest';
import type { Pressure } from '../../src/engine/overload.ts';
import { forwardTo } from '../kit/config.ts';
import { startTestGateway } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, HTTP2_ONLY, matrix, ONE_PROTOCOL, type Stage } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';
import { TcpEnd, TcpOrigin } from '../kit/stream.ts';

const AT_EASE: Pressure = { eventLoopDelayMs: 0, memory: 0.1 };
/** So little above the threshold that chance picks nobody of normal importance. */
const BEGINNING: Pressure = { eventLoopDelayMs: 500.000_000_1, memory: 0.1 };
const EVERYTHING: Pressure = { eventLoopDelayMs: 5_000, memory: 0.1 };

matrix('an overloaded gateway first refuses what matters least, and nothing else', async (stage) => {
  const { front, press, shop } = await pressed(stage);
  expect((await front.send({ path: '/low' })).status).toBe(200);
  press(BEGINNING);
  const refused = await front.send({ path: '/low' });
  expect([refused.status, refused.header('retry-after')]).toEqual([503, '2']);
  expect(refused.header('proxy-status')).toBe('headgate; error=proxy_internal_response');
  expect([(await front.send({ path: '/' })).status, (await front.send({ path: '/high' })).status]).toEqual([200, 200]);
  expect(shop.requests).toBe(3);
  const record = front.gateway.records.find(({ status }) => status === 503);
  expect(record).toMatchObject({ route: 'low', attempts: 0, end: { side: 'gateway', reason: 'overloaded' } });
});

matrix('at the worst every request to a pool is refused, on a connection that stays open', async (stage) => {
  const { front, press } = await pressed(stage);
  const connection = await front.connect();
  expect((await connection.send({ path: '/high' })).status).toBe(200);
  press(EVERYTHING);
  for (const path of ['/high', '/', '/low']) expect((await connection.send({ path })).status).toBe(503);
  const upload = await connection.send({ method: 'POST', path: '/', body: 'x'.repeat(10_000) });
  expect([upload.status, upload.ended]).toEqual([503, 'clean']);
  press(AT_EASE);
  expect((await connection.send({ path: '/' })).status).toBe(200);
});

matrix('what Headgate answers itself is answered, and so is the admin listener', async (stage) => {
  const { front, press } = await pressed(stage);
  press(EVERYTHING);
  expect((await front.send({ path: '/fixed' })).status).toBe(200);
  expect(await ask(front, '/healthz')).toEqual([200, { status: 'alive' }]);
  expect((await ask(front, '/status'))[1]).toMatchObject({ overload: { active: true, severity: 1 } });
});

matrix(
  'stored responses are served under overload',
  async (stage) => {
    const shop = await stage.origin({ script: [{ respond: 200, headers: ['Cache-Control', 'max-age=600'] }] });
    const { front, press } = await pressed(stage, shop, { cache: {} });
    expect((await front.send({ path: '/page' })).status).toBe(200);
    press(EVERYTHING);
    expect((await front.send({ path: '/page' })).status).toBe(200);
    expect((await front.send({ path: '/other' })).status).toBe(503);
    expect(shop.requests).toBe(1);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'readiness says that it is overloaded, and fails when everything is refused',
  async (stage) => {
    const { front, press } = await pressed(stage);
    expect(await ask(front, '/readyz')).toEqual([200, { status: 'ready' }]);
    press(BEGINNING);
    expect(await ask(front, '/readyz')).toEqual([200, { status: 'overloaded' }]);
    press(EVERYTHING);
    expect(await ask(front, '/readyz')).toEqual([503, { status: 'overloaded' }]);
    press(AT_EASE);
    expect(await ask(front, '/readyz')).toEqual([200, { status: 'ready' }]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'metrics tell the pressure and what was refused',
  async (stage) => {
    const { front, press } = await pressed(stage);
    press({ eventLoopDelayMs: 1_250, memory: 0.5 });
    await front.send({ path: '/low' });
    const text = await (await fetch(`${front.gateway.gateway.adminUrl}/metrics`)).text();
    for (const line of [
      'headgate_overloaded 1',
      'headgate_overload_severity 0.5',
      'headgate_event_loop_delay_seconds 1.25',
      'headgate_memory_share 0.5',
      'headgate_overload_refused_total 1',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a session of HTTP/2 is not closed by a refusal: its other streams go on',
  async (stage) => {
    const release = Promise.withResolvers<void>();
    const shop = await stage.origin({ script: ['read head', { wait: release.promise }, 'respond 200'] });
    const { front, press } = await pressed(stage, shop);
    const connection = await front.connect();
    const first = connection.begin({ path: '/' });
    await shop.request();
    press(EVERYTHING);
    expect((await connection.send({ path: '/' })).status).toBe(503);
    release.resolve();
    expect((await first.reply()).status).toBe(200);
  },
  { without: HTTP2_ONLY },
);

test('new connections that are forwarded as they are are refused, and those that exist go on', async () => {
  const clock = new ManualClock(Date.now());
  let pressure = AT_EASE;
  const origin = await TcpOrigin.start();
  const gateway = await startTestGateway(
    { listeners: { db: { port: 0, kind: 'tcp', pool: 'db' } }, pools: { db: { endpoints: [origin.address] } } },
    { clock, pressure: () => pressure },
  );
  const first = await TcpEnd.connect(gateway.port('db'));
  const upstream = await origin.accepted();
  pressure = EVERYTHING;
  clock.advance(1_000);
  const second = await TcpEnd.connect(gateway.port('db'));
  await second.closed();
  expect(await gateway.nextStream()).toMatchObject({ attempts: 0, end: { side: 'gateway', reason: 'overloaded' } });
  first.send('hello');
  expect(await upstream.text(5)).toBe('hello');
  first.socket.end();
  upstream.socket.end();
});

test('nothing is measured and nothing refused where both guards are off', async () => {
  const clock = new ManualClock(Date.now());
  const gateway = await startTestGateway(
    { overload: { eventLoopDelay: 0, memory: 0 } },
    { clock, pressure: () => EVERYTHING },
  );
  clock.advance(5_000);
  expect(gateway.status().overload).toBeNull();
});

interface Pressed {
  readonly front: Front;
  readonly shop: Origin;
  /** From now on, and for long enough to be believed. */
  readonly press: (pressure: Pressure) => void;
}

async function pressed(stage: Stage, shop?: Origin, more: object = {}): Promise<Pressed> {
  const clock = new ManualClock(Date.now());
  let pressure = AT_EASE;
  const origin = shop ?? (await stage.origin());
  const config = forwardTo(origin);
  const routes = [
    { name: 'low', match: { path: '/low' }, pool: 'shop', importance: 'low' },
    { name: 'high', match: { path: '/high' }, pool: 'shop', importance: 'high' },
    { name: 'fixed', match: { path: '/fixed' }, respond: { body: 'fixed' } },
    { name: 'all', pool: 'shop', ...more },
  ] as const;
  const front = await stage.gateway({ ...config, routes: [...routes] }, { clock, pressure: () => pressure });
  const press = (next: Pressure): void => {
    pressure = next;
    clock.advance(2_000);
  };
  return { front, shop: origin, press };
}

async function ask(front: Front, path: string): Promise<[number, unknown]> {
  const response = await fetch(`${front.gateway.gateway.adminUrl}${path}`);
  return [response.status, await response.json()];
}
