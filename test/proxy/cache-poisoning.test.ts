import { expect } from 'vitest';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { HTTP1_ONLY, matrix } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';

/** One client's request must not choose what another one is served: nothing may reach the endpoint that the key does not hold. */
function cached(shop: Origin, listener: Forwarding['listener'] = {}): TestConfig {
  return forwardTo(shop, { listener, route: { cache: true } });
}

matrix(
  'a field that Connection keeps from the endpoint does not select the variant that is stored',
  async ({ gateway, origin }) => {
    const headers = ['Cache-Control', 'max-age=60', 'Vary', 'Accept-Language'];
    const shop = await origin({
      script: [
        'read head',
        { respond: 200, headers, body: 'default' },
        'read head',
        { respond: 200, headers, body: 'de' },
      ],
    });
    const front = await gateway(cached(shop));
    const language = ['Accept-Language', 'de'];
    const first = await front.send({ headers: [...language, 'Connection', 'keep-alive, accept-language'] });
    expect(first.header('cache-status')).toBe('headgate; fwd=uri-miss; fwd-status=200; detail=vary-unseen');
    expect((await shop.request(0)).all('accept-language')).toEqual([]);
    expect((await front.send({ headers: language })).text).toBe('de');
  },
  { without: HTTP1_ONLY },
);

for (const field of ['X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Prefix']) {
  matrix(`what a trusted proxy says in ${field} is part of what was asked for`, async ({ gateway, origin }) => {
    const headers = ['Cache-Control', 'max-age=60'];
    const shop = await origin({
      script: ['a', 'b', 'c'].flatMap((body) => ['read head', { respond: 200, headers, body }] as const),
    });
    const front = await gateway(cached(shop, { trustedProxies: ['127.0.0.1/32'] }));
    const connection = await front.connect();
    expect((await connection.send({ headers: [field, 'one'] })).text).toBe('a');
    expect((await connection.send({ headers: [field, 'two'] })).text).toBe('b');
    expect((await connection.send({})).text).toBe('c');
    expect((await connection.send({ headers: [field, 'one'] })).text).toBe('a');
  });
}

matrix('clients of a trusted proxy share what is stored, whoever they are', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: ['Cache-Control', 'max-age=60'] }] });
  const front = await gateway(cached(shop, { trustedProxies: ['127.0.0.1/32'] }));
  for (const address of ['192.0.2.1', '192.0.2.2']) {
    await front.send({ headers: ['X-Forwarded-For', address, 'X-Forwarded-Proto', 'https'] });
  }
  expect(shop.requests).toBe(1);
});

matrix('nobody else’s forwarding fields split what is stored', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: ['Cache-Control', 'max-age=60'] }] });
  const front = await gateway(cached(shop));
  for (const host of ['a.test', 'b.test']) await front.send({ headers: ['X-Forwarded-Host', host] });
  expect(shop.requests).toBe(1);
});
