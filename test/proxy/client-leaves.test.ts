import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { type Front, matrix } from '../kit/matrix.ts';

matrix('a client that leaves before the response cancels the request upstream', async ({ gateway, origin }) => {
  const shop = await origin({ script: ['read head', 'silent'] });
  const front = await gateway(forwardTo(shop));
  const exchange = await front.begin({});
  await shop.request();
  exchange.leave();
  await shop.idle();
  const record = await front.gateway.nextRecord();
  expect(record).toMatchObject({ status: 499, end: { side: 'client', reason: 'client-gone' } });
  expect(inFlight(front)).toBe(0);
});

matrix('a client that leaves in the middle of the response cancels it upstream', async ({ gateway, origin }) => {
  const shop = await origin({
    script: ['read head', { send: 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc' }, 'silent'],
  });
  const front = await gateway(forwardTo(shop));
  const exchange = await front.begin({});
  expect((await exchange.read(3)).toString()).toBe('abc');
  exchange.leave();
  await shop.idle();
  expect(await front.gateway.nextRecord()).toMatchObject({
    status: 200,
    end: { side: 'client', reason: 'client-gone' },
  });
});

matrix('a client that leaves while it is uploading cancels the upload upstream', async ({ gateway, origin }) => {
  const shop = await origin({ script: ['read head', 'read 4 bytes', 'read body', 'respond 200'] });
  const front = await gateway(forwardTo(shop));
  const exchange = await front.begin({ method: 'POST', length: 1000 });
  await exchange.write('abcd');
  await shop.request();
  exchange.leave();
  await shop.idle();
  expect(shop.received[0]?.complete).toBe(false);
  expect(await front.gateway.nextRecord()).toMatchObject({
    status: 499,
    end: { side: 'client', reason: 'client-gone' },
  });
});

matrix('a chunked upload that the client breaks off never looks complete to the endpoint', async (stage) => {
  const shop = await stage.origin({ script: ['read body', 'respond 200'] });
  const front = await stage.gateway(forwardTo(shop));
  const exchange = await front.begin({ method: 'POST', chunked: true });
  await exchange.write('abcd');
  await shop.request();
  exchange.leave();
  await shop.idle();
  expect(shop.received[0]?.complete).toBe(false);
});

matrix('a chunked upload whose connection breaks never looks complete to the endpoint', async (stage) => {
  const shop = await stage.origin({ script: ['read body', 'respond 200'] });
  const front = await stage.gateway(forwardTo(shop));
  const connection = await front.connect();
  await connection.begin({ method: 'POST', chunked: true }).write('abcd');
  await shop.request();
  connection.close();
  await shop.idle();
  expect(shop.received[0]?.complete).toBe(false);
});

matrix('a client that leaves while its request waits for a connection leaves the queue', async (stage) => {
  const release = Promise.withResolvers<void>();
  const shop = await stage.origin({ script: ['read head', { wait: release.promise }, 'respond 200'] });
  const front = await stage.gateway(forwardTo(shop, { pool: { connections: { max: 1 } } }));
  const first = await front.begin({ path: '/1' });
  await shop.request();
  const second = await front.begin({ path: '/2' });
  await until(() => inFlight(front) === 2, 'the second request to wait');
  second.leave();
  expect(await front.gateway.nextRecord()).toMatchObject({
    status: 499,
    end: { side: 'client', reason: 'client-gone' },
  });
  release.resolve();
  expect((await first.reply()).status).toBe(200);
  expect((await front.send({ path: '/3' })).status).toBe(200);
  expect(shop.received.map(({ target }) => target)).toEqual(['/1', '/3']);
});

matrix('many clients that leave at every moment leave nothing behind', async ({ gateway, origin }) => {
  const shop = await origin({
    script: ['read head', { send: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc' }, 'silent'],
  });
  const front = await gateway(forwardTo(shop));
  for (let round = 0; round < 10; round += 1) {
    const connection = await front.connect();
    const exchange = connection.begin({});
    if (round % 2 === 0) await exchange.head();
    exchange.leave();
    connection.close();
  }
  // The clients that left at once may have done so before their request was there.
  await until(
    () => inFlight(front) === 0 && front.gateway.status().listeners[0]?.connections === 0,
    'nothing in flight',
  );
  await shop.idle();
});

function inFlight(front: Front): number | undefined {
  return front.gateway.status().pools[0]?.endpoints[0]?.inFlight;
}
