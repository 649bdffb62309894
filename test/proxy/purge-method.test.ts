import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { fickleOrigin, type Mood } from '../kit/fickle-origin.ts';
import { matrix } from '../kit/matrix.ts';

const fresh = (body: string): Mood => ({
  status: 200,
  headers: { 'cache-control': 'max-age=60', etag: `"${body}"` },
  body,
});

const LOCAL = { purge: { from: ['127.0.0.0/8'] } };

matrix(
  'PURGE of a URL makes what is stored for it stale, or drops it when told so, and goes no further',
  async ({ gateway }) => {
    const shop = await fickleOrigin('http1', [fresh('one'), { status: 304, headers: { etag: '"one"' } }, fresh('two')]);
    const front = await gateway(forwardTo(shop, { route: { cache: LOCAL } }));
    await front.send({ path: '/a?b' });
    const soft = await front.send({ method: 'PURGE', path: '/a?b' });
    expect([soft.status, soft.header('content-type'), soft.text]).toEqual([
      ...[200, 'application/json', '{"kind":"url","mode":"soft","purged":1}\n'],
    ]);
    expect((await front.send({ path: '/a?b' })).header('cache-status')).toMatch(/fwd=stale; fwd-status=304/);
    const hard = await front.send({ method: 'PURGE', path: '/a?b', headers: ['X-Purge-Mode', 'hard'] });
    expect(hard.text).toBe('{"kind":"url","mode":"hard","purged":1}\n');
    expect((await front.send({ path: '/a?b' })).text).toBe('two');
    expect((await front.send({ method: 'PURGE', path: '/other' })).text).toBe(
      '{"kind":"url","mode":"soft","purged":0}\n',
    );
    expect(shop.arrivals.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET']);
    await front.gateway.nextRecord();
    expect((await front.gateway.nextRecord()).end).toMatchObject({ reason: 'purged', error: null });
  },
);

matrix('PURGE reaches every key that the rules of a route for queries make of a URL', async ({ gateway }) => {
  const shop = await fickleOrigin('http1', [fresh('one'), fresh('two')]);
  const front = await gateway(forwardTo(shop, { route: { cache: { ...LOCAL, key: { query: false } } } }));
  await front.send({ path: '/a?utm=1' });
  expect((await front.send({ method: 'PURGE', path: '/a?utm=2' })).text).toContain('"purged":1');
});

matrix('PURGE from where it is not allowed is refused, and purges nothing', async ({ gateway }) => {
  const shop = await fickleOrigin('http1', [fresh('one')]);
  const front = await gateway(forwardTo(shop, { route: { cache: { purge: { from: ['10.0.0.0/8'] } } } }));
  await front.send({ path: '/a' });
  const refused = await front.send({ method: 'PURGE', path: '/a' });
  expect([refused.status, refused.header('proxy-status')]).toEqual([403, 'headgate; error=http_request_denied']);
  expect((await front.send({ path: '/a' })).header('cache-status')).toMatch(/^headgate; hit/);
  await front.gateway.nextRecord();
  expect((await front.gateway.nextRecord()).end).toMatchObject({ side: 'client', reason: 'purge-not-allowed' });
  expect(shop.requests).toBe(1);
});

matrix('who a trusted proxy says it is for decides whether PURGE is allowed', async ({ gateway }) => {
  const shop = await fickleOrigin('http1', [fresh('one')]);
  const front = await gateway(
    forwardTo(shop, {
      listener: { trustedProxies: ['127.0.0.1/32'] },
      route: { cache: { purge: { from: ['10.0.0.0/8'] } } },
    }),
  );
  const from = async (address: string): Promise<number> =>
    (await front.send({ method: 'PURGE', path: '/a', headers: ['X-Forwarded-For', address] })).status;
  expect([await from('10.1.2.3'), await from('192.0.2.1')]).toEqual([200, 403]);
});

matrix('a mode of purging that is none is refused', async ({ gateway }) => {
  const shop = await fickleOrigin('http1', [fresh('one')]);
  const front = await gateway(forwardTo(shop, { route: { cache: LOCAL } }));
  const refused = await front.send({ method: 'PURGE', path: '/a', headers: ['X-Purge-Mode', 'gently'] });
  expect(refused.status).toBe(400);
  expect((await front.gateway.nextRecord()).end.reason).toBe('purge-mode-unknown');
});

matrix(
  'without the option, PURGE goes to the endpoint, and its success invalidates what is stored (RFC 9111 §4.4)',
  async ({ gateway }) => {
    const shop = await fickleOrigin('http1', [
      fresh('one'),
      { status: 200, body: 'purged by the endpoint' },
      fresh('two'),
    ]);
    const front = await gateway(forwardTo(shop, { route: { cache: true } }));
    await front.send({ path: '/a' });
    expect((await front.send({ method: 'PURGE', path: '/a' })).text).toBe('purged by the endpoint');
    expect((await front.send({ path: '/a' })).text).toBe('two');
  },
);

matrix('an answer that was asked for before PURGE is not stored after it', async ({ gateway }) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const shop = await fickleOrigin('http1', [{ after: promise, mood: fresh('old') }, fresh('new')]);
  const front = await gateway(forwardTo(shop, { route: { cache: LOCAL } }));
  const first = front.send({ path: '/a' });
  await shop.arrival(0);
  await front.send({ method: 'PURGE', path: '/a' });
  resolve();
  expect((await first).text).toBe('old');
  expect((await front.send({ path: '/a' })).text).toBe('new');
});
