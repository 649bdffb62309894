import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { deadPort } from '../kit/origin.ts';

const trusted = { listener: { trustedProxies: ['127.0.0.1'] } };

function from(address: string) {
  return { headers: ['X-Forwarded-For', address] };
}

matrix('an endpoint learns from a v1 PROXY header who asks, and where', async ({ gateway, origin }) => {
  const server = await origin();
  const front = await gateway(forwardTo(server, { pool: { proxyProtocol: 'v1' } }));
  const connection = await front.connect();
  expect((await connection.send({ path: '/one' })).status).toBe(200);
  expect((await connection.send({ path: '/two' })).status).toBe(200);
  const port = front.gateway.port();
  expect(server.received[0]?.lines[0]).toMatch(
    new RegExp(`^PROXY TCP4 127\\.0\\.0\\.1 127\\.0\\.0\\.1 [1-9]\\d* ${port}$`),
  );
  // The same client on the same connection: nothing to say again.
  expect(server.received[1]?.lines[0]).toBe('GET /two HTTP/1.1');
  expect(server.accepted).toBe(1);
});

matrix('a v2 PROXY header comes before the request, byte for byte', async ({ gateway, origin }) => {
  const server = await origin({ script: ['read 28 bytes', 'respond 200'] });
  const front = await gateway(forwardTo(server, { pool: { proxyProtocol: 'v2' } }));
  expect((await front.send({ path: '/one' })).status).toBe(200);
  expect(server.received[0]?.lines[0]).toBe('GET /one HTTP/1.1');
});

matrix('clients that a trusted proxy names never share a connection upstream', async ({ gateway, origin }) => {
  const server = await origin();
  const front = await gateway(forwardTo(server, { ...trusted, pool: { proxyProtocol: 'v1' } }));
  const connection = await front.connect();
  for (const address of ['203.0.113.1', '203.0.113.2', '203.0.113.1']) await connection.send(from(address));
  const port = front.gateway.port();
  expect(server.received.map(({ lines, connection }) => [connection, lines[0]])).toEqual([
    [0, `PROXY TCP4 203.0.113.1 127.0.0.1 0 ${port}`],
    [1, `PROXY TCP4 203.0.113.2 127.0.0.1 0 ${port}`],
    [0, 'GET / HTTP/1.1'],
  ]);
});

matrix('a retry at another endpoint begins with the same PROXY header', async ({ gateway, origin }) => {
  const server = await origin();
  const pool = {
    endpoints: [`127.0.0.1:${await deadPort()}`, `127.0.0.1:${server.port}`],
    proxyProtocol: 'v1' as const,
  };
  const front = await gateway(forwardTo(server, { ...trusted, pool, route: { retry: { attempts: 2 } } }));
  expect((await front.send(from('203.0.113.1'))).status).toBe(200);
  expect((await front.send(from('203.0.113.1'))).status).toBe(200);
  expect(server.received[0]?.lines[0]).toMatch(/^PROXY TCP4 203\.0\.113\.1 /);
});

matrix(
  'health checks say that they are nobody’s',
  async ({ gateway, origin }) => {
    const server = await origin();
    await gateway(forwardTo(server, { pool: { proxyProtocol: 'v1', health: {} } }));
    const check = await server.request();
    expect(check.lines.slice(0, 2)).toEqual(['PROXY UNKNOWN', 'GET / HTTP/1.1']);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a tunnel begins with a PROXY header, too',
  async ({ gateway, origin }) => {
    const server = await origin({ script: ['read head', 'upgrade', 'echo'] });
    const front = await gateway(forwardTo(server, { pool: { proxyProtocol: 'v1' } }));
    const exchange = await front.raw(
      'GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    expect((await exchange.head()).status).toBe(101);
    expect(server.received[0]?.lines[0]).toMatch(/^PROXY TCP4 /);
    exchange.leave();
  },
  { without: { h2: 'HTTP/1.1 syntax' } },
);
