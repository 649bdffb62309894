import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { matrix } from '../kit/matrix.ts';

matrix('a request reaches its endpoint and the response comes back', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: ['X-Shop', 'open'], body: 'hello' }] });
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({ path: '/a/b?c=d' });
  expect([reply.status, reply.header('x-shop'), reply.text, reply.ended]).toEqual([200, 'open', 'hello', 'clean']);
  const received = await shop.request();
  expect(received.lines[0]).toBe('GET /a/b?c=d HTTP/1.1');
  expect(received.header('host')).toBe('shop.test');
});
