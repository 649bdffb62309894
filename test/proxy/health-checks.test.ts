import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { stopAfterTest } from '../kit/stop.ts';

const HEALTH = { path: '/health?deep', interval: '20ms', timeout: '2s', rise: 2, fall: 2 };

matrix('an endpoint that fails its checks is taken out, and back in when it passes them again', async (stage) => {
  const [sick, sound] = [await checked('sick'), await checked('sound')];
  const front = await stage.gateway(forwardTo([sick, sound], { pool: { health: HEALTH } }));
  sick.status = 500;
  await until(() => healthOf(front)[0] === 'down', 'the sick endpoint to be taken out');
  for (let i = 0; i < 4; i += 1) expect((await front.send({})).text).toBe('sound');
  sick.status = 204;
  await until(() => healthOf(front)[0] === 'up', 'the endpoint to be taken in again');
  const served = new Set<string>();
  for (let i = 0; i < 4; i += 1) served.add((await front.send({})).text);
  expect(served).toEqual(new Set(['sick', 'sound']));
});

matrix('a single failed check takes nobody out', async ({ gateway }) => {
  const shop = await checked('shop');
  const front = await gateway(forwardTo(shop, { pool: { health: { ...HEALTH, fall: 3 } } }));
  await until(() => shop.checks.length >= 1, 'a check');
  shop.next.push(500, 200, 500, 500, 200);
  await until(() => shop.next.length === 0 && shop.checks.length >= 8, 'more checks');
  expect(healthOf(front)).toEqual(['up']);
});

matrix('when every endpoint is down the answer is 503, and says when to come back', async ({ gateway }) => {
  const shop = await checked('shop');
  shop.status = 503;
  const front = await gateway(forwardTo(shop, { pool: { health: { ...HEALTH, start: 'down' } } }));
  const reply = await front.send({});
  expect([reply.status, reply.header('proxy-status')]).toEqual([503, 'headgate; error=destination_unavailable']);
  expect(reply.header('retry-after')).toBe('1');
  expect((await front.gateway.nextRecord()).end).toMatchObject({ side: 'upstream', reason: 'no-endpoint-available' });
});

matrix('an endpoint that starts down serves once it has passed its checks', async ({ gateway }) => {
  const shop = await checked('shop');
  const front = await gateway(forwardTo(shop, { pool: { health: { ...HEALTH, start: 'down' } } }));
  await until(() => healthOf(front)[0] === 'up', 'the endpoint to come up');
  expect(shop.checks.length).toBeGreaterThanOrEqual(2);
  expect((await front.send({})).text).toBe('shop');
});

matrix(
  'a check is a GET of the configured path with the configured Host',
  async ({ gateway }) => {
    const shop = await checked('shop');
    await gateway(forwardTo(shop, { pool: { health: { ...HEALTH, host: 'inner.test' } } }));
    await until(() => shop.checks.length >= 1, 'a check');
    const [check] = shop.checks;
    expect([check?.method, check?.url, check?.headers.host]).toEqual(['GET', '/health?deep', 'inner.test']);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'an endpoint that stops listening is taken out, and comes back when it listens again',
  async ({ gateway }) => {
    const shop = await checked('shop');
    const front = await gateway(forwardTo(shop, { pool: { health: HEALTH } }));
    await until(() => shop.checks.length >= 1, 'a check');
    await shop.stop();
    await until(() => healthOf(front)[0] === 'down', 'the endpoint to be taken out');
    await shop.listen(shop.port);
    await until(() => healthOf(front)[0] === 'up', 'the endpoint to be taken in again');
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a status outside of the expected ones is a failure',
  async ({ gateway }) => {
    const shop = await checked('shop');
    shop.status = 404;
    const front = await gateway(forwardTo(shop, { pool: { health: { ...HEALTH, expect: ['200-299', 301] } } }));
    await until(() => healthOf(front)[0] === 'down', 'the endpoint to be taken out');
    shop.status = 301;
    await until(() => healthOf(front)[0] === 'up', 'the endpoint to be taken in again');
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'checks end with the gateway',
  async ({ gateway }) => {
    const clock = new ManualClock(Date.now());
    const shop = await checked('shop');
    const front = await gateway(forwardTo(shop, { pool: { health: HEALTH } }), { clock });
    // The next check is set up when the answer to the former has been read.
    await until(() => {
      clock.advance(5);
      return shop.checks.length >= 3;
    }, 'checks');
    await front.gateway.gateway.close();
    const { length } = shop.checks;
    // The last tick of the deadlines of connections may still be set; it finds nothing.
    clock.advance(60_000);
    expect([clock.pending, shop.checks.length]).toEqual([0, length]);
  },
  { without: ONE_PROTOCOL },
);

function healthOf(front: Front): readonly (string | undefined)[] {
  return front.gateway.status().pools[0]?.endpoints.map(({ health }) => health) ?? [];
}

/** An endpoint that answers its checks with `next`, one after another, then with `status`, and all else with its name. */
class CheckedEndpoint {
  status = 200;
  readonly next: number[] = [];
  readonly checks: IncomingMessage[] = [];
  readonly #server: Server;
  port = 0;

  constructor(name: string) {
    this.#server = createServer((request, response) => {
      if (request.url?.startsWith('/health') !== true) {
        response.end(name);
        return;
      }
      this.checks.push(request);
      response.writeHead(this.next.shift() ?? this.status).end();
    });
  }

  async listen(port = 0): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

async function checked(name: string): Promise<CheckedEndpoint> {
  const endpoint = new CheckedEndpoint(name);
  await endpoint.listen();
  stopAfterTest(() => endpoint.stop());
  return endpoint;
}
