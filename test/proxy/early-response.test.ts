import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { HTTP1_ONLY, matrix } from '../kit/matrix.ts';

const REFUSAL = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nstop';

matrix('an answer that comes before the upload is complete reaches the client', async ({ gateway, origin }) => {
  const shop = await origin({ script: ['read head', 'read 4 bytes', { send: REFUSAL }, 'end', 'read end'] });
  const front = await gateway(forwardTo(shop));
  const exchange = await front.begin({ method: 'POST', length: 10_000_000 });
  await exchange.write('abcd');
  const reply = await exchange.reply();
  expect([reply.status, reply.text, reply.ended]).toEqual([413, 'stop', 'clean']);
  await shop.idle();
});

matrix('an early answer reaches a client that goes on sending', async ({ gateway, origin }) => {
  const shop = await origin({ script: ['read head', 'read 4 bytes', { send: REFUSAL }, 'end', 'read end'] });
  const front = await gateway(forwardTo(shop));
  const exchange = await front.begin({ method: 'POST', length: 10_000_000 });
  await exchange.write('abcd');
  for (let i = 0; i < 10; i += 1) await exchange.write('x'.repeat(10_000)).catch(() => {});
  const reply = await exchange.reply();
  expect([reply.status, reply.text]).toEqual([413, 'stop']);
  expect((await front.gateway.nextRecord()).status).toBe(413);
});

matrix(
  'a connection with an unfinished upload is not used for another request',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', { send: REFUSAL }, 'end', 'read end'] });
    const front = await gateway(forwardTo(shop));
    const connection = await front.connect();
    const exchange = connection.begin({ method: 'POST', length: 10_000_000 });
    await exchange.write('abcd');
    const reply = await exchange.reply();
    expect([reply.status, reply.header('connection')]).toEqual([413, 'close']);
    await connection.dismissed();
  },
  { without: HTTP1_ONLY },
);

matrix('an endpoint that refuses a body without reading it is heard', async ({ gateway, origin }) => {
  const shop = await origin({ script: ['read head', 'stop reading', { send: REFUSAL }] });
  const front = await gateway(forwardTo(shop));
  const exchange = await front.begin({ method: 'POST', length: 50_000_000 });
  const writing = exchange.write(Buffer.alloc(2_000_000)).catch(() => {});
  expect(await exchange.head()).toMatchObject({ status: 413 });
  expect((await exchange.reply()).text).toBe('stop');
  exchange.leave();
  await writing;
});
