import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { stopAfterTest } from '../kit/stop.ts';

interface Application {
  readonly path: string;
  readonly server: Server;
  /** `Host` and target of each request. */
  readonly requests: string[];
}

/** An application that listens on a Unix socket and answers with the body it got. */
async function application(): Promise<Application> {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-unix-'));
  const path = join(directory, 'app.sock');
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.headers.host} ${request.url}`);
    request.pipe(response);
  });
  server.listen(path);
  await once(server, 'listening');
  stopAfterTest(async () => {
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true, force: true });
  });
  return { path, server, requests };
}

matrix('an endpoint may be a Unix socket', async ({ gateway }) => {
  const { path, requests } = await application();
  const front = await gateway(forwardTo([], { pool: { endpoints: [`unix:${path}`] } }));
  const reply = await front.send({ method: 'POST', path: '/carts', body: 'three pears' });
  expect([reply.status, reply.text]).toEqual([200, 'three pears']);
  expect(requests).toEqual(['shop.test /carts']);
  expect((await front.gateway.nextRecord()).endpoint).toBe(`unix:${path}`);
});

matrix('Host is localhost for a Unix socket whose pool wants the endpoint’s own', async ({ gateway }) => {
  const { path, requests } = await application();
  const front = await gateway(forwardTo([], { pool: { endpoints: [`unix:${path}`], host: 'endpoint' } }));
  expect((await front.send({})).status).toBe(200);
  expect(requests).toEqual(['localhost /']);
});

matrix('a Unix socket that nobody listens on is a bad gateway like any other', async ({ gateway }) => {
  const { path, server } = await application();
  server.close();
  await once(server, 'close');
  const front = await gateway(forwardTo([], { pool: { endpoints: [`unix:${path}`] } }));
  const reply = await front.send({});
  expect(reply.status).toBe(502);
  expect(reply.header('proxy-status')).toContain('error=connection_refused');
  expect(reply.text).not.toContain(path);
});

matrix(
  'health checks go over a Unix socket',
  async ({ gateway }) => {
    const { path, requests, server } = await application();
    const checked = once(server, 'request');
    const front = await gateway(
      forwardTo([], { pool: { endpoints: [`unix:${path}`], health: { path: '/healthz', rise: 1, start: 'down' } } }),
    );
    await checked;
    expect(requests[0]).toBe('localhost /healthz');
    while (front.gateway.status().pools[0]?.endpoints[0]?.health !== 'up') await turn();
    expect((await front.send({})).status).toBe(200);
  },
  { without: ONE_PROTOCOL },
);
