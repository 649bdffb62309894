import { expect } from 'vitest';
import { configFromObject } from '../../src/config/load.ts';
import { inTime, until } from '../kit/deadline.ts';
import { alive } from '../kit/garbage.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, hasFastLane, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { echoOrigin, type OpenWebSocket, openWebSocket } from '../kit/web-sockets.ts';

matrix('WebSockets and connections outlive reloads that edit another route', async (stage) => {
  const origin = await echoOrigin();
  const front = await stage.gateway(site(origin.port, 0));
  const connection = await front.connect();
  const sockets = await Promise.all(Array.from({ length: 5 }, () => openWebSocket(front)));
  for (let edit = 1; edit <= 10; edit += 1) {
    expect(await front.reload(site(origin.port, edit))).toMatchObject({ result: 'applied' });
    expect((await connection.send({ path: '/edited' })).text).toBe(`edit ${edit}`);
    await Promise.all(sockets.map((socket, i) => socket.echo(`${edit} of ${i}`)));
  }
  expect(origin.server.clients.size).toBe(5);
});

matrix(
  'configurations that were served before are let go of, whatever was opened under them',
  async (stage) => {
    const origin = await echoOrigin();
    const front = await stage.gateway(site(origin.port, 0));
    const sockets: OpenWebSocket[] = [];
    const configurations: WeakRef<object>[] = [];
    for (let edit = 1; edit <= 8; edit += 1) {
      sockets.push(await openWebSocket(front));
      configurations.push(await servedBy(front, edit, origin.port));
    }
    // The last one is served.
    expect(await alive(configurations)).toBe(1);
    await Promise.all(sockets.map((socket) => socket.echo('still here')));
  },
  { without: ONE_PROTOCOL },
);

type Change = (config: TestConfig, others: readonly number[]) => TestConfig;

const STRAYING: Readonly<Record<string, Change>> = {
  'is removed': ({ routes = [], ...rest }) => ({ ...rest, routes: routes.slice(1) }),
  'leads to another pool': ({ pools, routes = [], ...rest }, [other]) => ({
    ...rest,
    pools: { ...pools, other: { endpoints: [`127.0.0.1:${other}`] } },
    routes: [{ ...routes[0], pool: 'other' }, ...routes.slice(1)],
  }),
  'does not lead to its endpoint any more': ({ pools, ...rest }, [other]) => ({
    ...rest,
    pools: { ...pools, live: { endpoints: [`127.0.0.1:${other}`] } },
  }),
};

for (const [what, change] of Object.entries(STRAYING)) {
  matrix(`a WebSocket whose route ${what} is ended at both sides after the time of reload.tunnels`, async (stage) => {
    const [origin, other] = [await echoOrigin(), await echoOrigin()];
    const clock = new ManualClock();
    const config: TestConfig = { ...live(origin.port), reload: { tunnels: '1m' } };
    const front = await stage.gateway(config, { clock });
    const [stray, kept] = [await openWebSocket(front, '/live'), await openWebSocket(front, '/kept')];
    expect(await front.reload(change(config, [other.port]))).toMatchObject({ result: 'applied', diagnostics: [] });
    clock.advance(59_999);
    await Promise.all([stray, kept].map((socket) => socket.echo('still here')));
    clock.advance(1);
    await inTime(stray.closed, 'the end of the WebSocket');
    await until(() => origin.server.clients.size === 1, 'the endpoint to see its client go');
    expect(await front.gateway.nextRecord()).toMatchObject({ end: { side: 'gateway', reason: 'reloaded' } });
    await kept.echo('still here');
  });
}

matrix(
  'a WebSocket stays when its route comes back in time, and as long as it likes by default',
  async (stage) => {
    const origin = await echoOrigin();
    const clock = new ManualClock();
    const config: TestConfig = { ...live(origin.port), reload: { tunnels: '1m' } };
    const front = await stage.gateway(config, { clock });
    const socket = await openWebSocket(front, '/live');
    const applied = { result: 'applied' };
    expect(await front.reload({ ...config, routes: [] })).toMatchObject(applied);
    clock.advance(59_999);
    expect(await front.reload(config)).toMatchObject(applied);
    clock.advance(1);
    await socket.echo('still here');
    expect(await front.reload({ ...config, routes: [], reload: {} })).toMatchObject(applied);
    clock.advance(120_000);
    await socket.echo('for ever');
  },
  { without: ONE_PROTOCOL },
);

function live(port: number): TestConfig {
  return {
    pools: { live: { endpoints: [`127.0.0.1:${port}`] }, kept: { endpoints: [`127.0.0.1:${port}`] } },
    routes: [
      { name: 'live', match: { path: '/live' }, pool: 'live' },
      { name: 'kept', match: { path: '/kept' }, pool: 'kept' },
    ],
  };
}

async function servedBy({ gateway, downstream }: Front, edit: number, port: number): Promise<WeakRef<object>> {
  const web = { port: 0, address: '127.0.0.1', fastLane: hasFastLane(downstream) };
  const loaded = configFromObject({ listeners: { web }, ...site(port, edit) });
  if (!loaded.ok) throw new Error('The configuration is wrong');
  await gateway.reloadFrom(loaded);
  return new WeakRef(loaded.config);
}

function site(port: number, edit: number): TestConfig {
  return {
    pools: { site: { endpoints: [`127.0.0.1:${port}`] } },
    routes: [
      { name: 'site', match: { path: '/**' }, pool: 'site' },
      { name: 'edited', match: { path: '/edited' }, respond: { status: 200, body: `edit ${edit}` } },
    ],
  };
}
