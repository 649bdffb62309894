import { expect } from 'vitest';
import { configFromObject } from '../../src/config/load.ts';
import { alive } from '../kit/garbage.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { type Front, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
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

async function servedBy({ gateway }: Front, edit: number, port: number): Promise<WeakRef<object>> {
  const loaded = configFromObject({ listeners: { web: { port: 0, address: '127.0.0.1' } }, ...site(port, edit) });
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
