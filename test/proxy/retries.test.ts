import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { matrix } from '../kit/matrix.ts';
import { deadPort } from '../kit/origin.ts';

/** A kept-alive connection that dies as the second request leaves: nothing of a response comes back. */
const STALE = ['respond 200', 'read head', 'close'] as const;

matrix('a GET that meets a stale connection is repeated once, and the client notices nothing', async (stage) => {
  const shop = await stage.origin({ scripts: [STALE, ['respond 200']] });
  const front = await stage.gateway(forwardTo(shop));
  const connection = await front.connect();
  expect((await connection.send({ path: '/1' })).status).toBe(200);
  expect((await connection.send({ path: '/2' })).status).toBe(200);
  expect(shop.received.map(({ target, connection: index }) => [target, index])).toEqual([
    ['/1', 0],
    ['/2', 0],
    ['/2', 1],
  ]);
  await front.gateway.nextRecord();
  expect(await front.gateway.nextRecord()).toMatchObject({ attempts: 2, status: 200, reusedConnection: false });
});

matrix('a GET is repeated once, not for ever', async ({ gateway, origin }) => {
  const shop = await origin({ scripts: [STALE, ['respond 200', 'read head', 'close']] });
  const front = await gateway(
    forwardTo(shop, { pool: { connections: { max: 2 } }, route: { retry: { attempts: 5 } } }),
  );
  // Two kept-alive connections, both stale.
  const first = await front.connect();
  const second = await front.connect();
  await Promise.all([first.send({}), second.send({})]);
  const reply = await first.send({});
  expect([200, 502]).toContain(reply.status);
  expect(shop.requests).toBeLessThanOrEqual(4);
});

for (const method of ['POST', 'PATCH']) {
  matrix(`a ${method} that meets a stale connection is not repeated: it may have been acted upon`, async (stage) => {
    const shop = await stage.origin({ scripts: [STALE, ['respond 200']] });
    const front = await stage.gateway(forwardTo(shop));
    const connection = await front.connect();
    expect((await connection.send({})).status).toBe(200);
    const reply = await connection.send({ method, body: '' });
    expect([reply.status, reply.header('proxy-status')]).toEqual([502, 'headgate; error=connection_terminated']);
    expect(shop.requests).toBe(2);
  });
}

matrix('a PUT whose body was sent already, and was not kept, is not repeated', async ({ gateway, origin }) => {
  const shop = await origin({ scripts: [['respond 200', 'read head', 'read 4 bytes', 'close'], ['respond 200']] });
  const front = await gateway(forwardTo(shop, { route: { retry: { bodyBuffer: 4 } } }));
  const connection = await front.connect();
  expect((await connection.send({})).status).toBe(200);
  const reply = await connection.send({ method: 'PUT', body: 'abcdefgh' });
  expect(reply.status).toBe(502);
  expect(shop.requests).toBe(2);
});

matrix('a GET on a fresh connection that dies is not repeated', async ({ gateway, origin }) => {
  const shop = await origin({ scripts: [['read head', 'close'], ['respond 200']] });
  const front = await gateway(forwardTo(shop));
  expect((await front.send({})).status).toBe(502);
  expect(shop.requests).toBe(1);
});

matrix('a POST whose body was already sent is not retried on another endpoint', async ({ gateway, origin }) => {
  const first = await origin({ script: ['read head', 'read 4 bytes', 'reset'] });
  const second = await origin();
  const front = await gateway(forwardTo([first, second]));
  const reply = await front.send({ method: 'POST', path: '/cart', body: 'abcdefgh' });
  expect(reply.status).toBe(502);
  expect(reply.header('proxy-status')).toMatch(/error=connection_terminated/);
  expect(second.requests).toBe(0);
});

for (const method of ['GET', 'POST']) {
  matrix(`a ${method} to an endpoint that refuses connections goes to another one`, async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo([{ port: await deadPort() }, shop]));
    for (let i = 0; i < 4; i += 1) {
      const reply = await front.send(method === 'GET' ? {} : { method, body: `body ${i}` });
      expect(reply.status).toBe(200);
      if (method === 'POST') expect((await shop.complete(i)).text).toBe(`body ${i}`);
    }
    expect(Math.max(...front.gateway.records.map(({ attempts }) => attempts))).toBe(2);
  });
}

matrix('an endpoint that was tried is not tried again in the same exchange', async ({ gateway }) => {
  const ports = [await deadPort(), await deadPort()];
  const front = await gateway(
    forwardTo(
      ports.map((port) => ({ port })),
      { route: { retry: { attempts: 10 } } },
    ),
  );
  const reply = await front.send({});
  expect([reply.status, reply.header('proxy-status')]).toEqual([502, 'headgate; error=connection_refused']);
  expect((await front.gateway.nextRecord()).attempts).toBe(2);
});

matrix('attempts: 1 switches retries off', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo([{ port: await deadPort() }, shop], { route: { retry: { attempts: 1 } } }));
  const statuses = [(await front.send({})).status, (await front.send({})).status];
  expect(statuses.sort()).toEqual([200, 502]);
});

matrix('a 503 of an endpoint is an answer, and not retried', async ({ gateway, origin }) => {
  const first = await origin({ script: [{ respond: 503, headers: ['Retry-After', '2'] }] });
  const front = await gateway(forwardTo(first));
  expect((await front.send({})).status).toBe(503);
  expect(first.requests).toBe(1);
});
