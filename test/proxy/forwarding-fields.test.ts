import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { isHttp2, isPlain, matrix } from '../kit/matrix.ts';
import { deadPort } from '../kit/origin.ts';

const FORGED = [
  ...['X-Forwarded-For', '6.6.6.6', 'X-Forwarded-Proto', 'gopher', 'X-Forwarded-Host', 'evil.test'],
  ...['X-Forwarded-Port', '99', 'Forwarded', 'for=6.6.6.6', 'X-Real-IP', '6.6.6.6', 'X-Forwarded-User', 'root'],
];

matrix('the endpoint is told who asked, how, and through whom', async ({ gateway, origin, downstream }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop));
  await front.send({ authority: 'shop.test:1234' });
  const received = await shop.request();
  const { scheme } = front;
  expect(received.all('x-forwarded-for')).toEqual(['127.0.0.1']);
  expect(received.all('x-forwarded-proto')).toEqual([scheme]);
  expect(received.all('x-forwarded-host')).toEqual(['shop.test:1234']);
  expect(received.all('x-forwarded-port')).toEqual([String(front.gateway.port())]);
  expect(received.all('forwarded')).toEqual([`for=127.0.0.1;host="shop.test:1234";proto=${scheme}`]);
  expect(received.all('via')).toEqual([isHttp2(downstream) ? '2.0 headgate' : '1.1 headgate']);
});

matrix('what an unknown client says of forwarding is replaced', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop));
  await front.send({ headers: FORGED });
  const received = await shop.request();
  expect(received.head).not.toContain('6.6.6.6');
  expect(received.all('x-forwarded-for')).toEqual(['127.0.0.1']);
  expect(received.all('x-forwarded-proto')).toEqual([front.scheme]);
  expect(received.all('x-forwarded-host')).toEqual(['shop.test']);
  expect([received.header('x-real-ip'), received.header('x-forwarded-user')]).toEqual([null, null]);
  expect((await front.gateway.nextRecord()).clientAddress).toBe('127.0.0.1');
});

matrix('what a trusted proxy says is believed and extended', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop, { listener: { trustedProxies: ['127.0.0.0/8'] } }));
  await front.send({
    headers: [
      ...['X-Forwarded-For', '192.0.2.1, 203.0.113.7', 'X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'public.test'],
      ...['Forwarded', 'for=203.0.113.7', 'Via', '1.1 edge'],
    ],
  });
  const received = await shop.request();
  expect(received.all('x-forwarded-for')).toEqual(['192.0.2.1, 203.0.113.7, 127.0.0.1']);
  expect(received.all('x-forwarded-proto')).toEqual(['https']);
  expect(received.all('x-forwarded-host')).toEqual(['public.test']);
  expect(received.all('x-forwarded-port')).toEqual(['443']);
  expect(received.all('forwarded').join()).toMatch(/^for=203\.0\.113\.7, for=127\.0\.0\.1;host=shop\.test;proto=/);
  expect(received.all('via').join(', ')).toMatch(/^1\.1 edge, [12]\.[01] headgate$/);
  // From the right: the first address that no trusted proxy vouches for itself.
  expect((await front.gateway.nextRecord()).clientAddress).toBe('203.0.113.7');
});

matrix('a route’s own forwarding field reaches the endpoint, a client’s of that name does not', async (stage) => {
  const shop = await stage.origin();
  const front = await stage.gateway(
    forwardTo(shop, { route: { requestHeaders: { set: { 'X-Forwarded-Prefix': '/shop' } } } }),
  );
  await front.send({ headers: ['X-Forwarded-Prefix', '/evil'] });
  await front.send({ headers: ['X-Forwarded-Prefix', '/shop'] });
  expect((await shop.request(0)).all('x-forwarded-prefix')).toEqual(['/shop']);
  expect((await shop.request(1)).all('x-forwarded-prefix')).toEqual(['/shop']);
});

matrix('every request has an id: one in the log, at the endpoint and in an error', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop, { route: { match: { path: '/ok' } } }));
  await front.send({ path: '/ok', headers: ['X-Request-Id', 'forged'] });
  const id = (await shop.request()).header('x-request-id');
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect((await front.gateway.nextRecord()).id).toBe(id);
  const refusal = await front.send({ path: '/missing' });
  const record = await front.gateway.nextRecord();
  expect([JSON.parse(refusal.text).id, refusal.header('x-request-id')]).toEqual([record.id, record.id]);
  expect(record.id).not.toBe(id);
});

matrix('a trusted proxy’s request id is kept, unless it is none', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop, { listener: { trustedProxies: ['127.0.0.1'] } }));
  await front.send({ headers: ['X-Request-Id', 'abc-123'] });
  await front.send({ headers: ['X-Request-Id', 'not an id'] });
  expect((await shop.request(0)).all('x-request-id')).toEqual(['abc-123']);
  expect((await shop.request(1)).header('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

matrix('a gateway that forwards to itself ends the loop with 508', async ({ gateway, downstream }) => {
  const port = await deadPort();
  const scheme = isPlain(downstream) ? 'http' : 'https';
  const front = await gateway({
    listeners: { web: { port } },
    pools: { self: { endpoints: [`${scheme}://127.0.0.1:${port}`], tls: { insecure: true } } },
    routes: [{ pool: 'self' }],
  });
  const reply = await front.send({});
  expect([reply.status, reply.header('proxy-status')]).toEqual([508, 'headgate; error=proxy_loop_detected']);
  expect(front.gateway.records.length).toBeLessThan(10);
});

for (const [policy, seen, status] of [
  ['drop', [], 200],
  ['keep', ['10'], 200],
  ['refuse', [], 400],
] as const) {
  matrix(`a field name with an underscore is subject to "underscores: ${policy}"`, async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop, { listener: { underscores: policy } }));
    const reply = await front.send({ headers: ['X_Forwarded_For', '10'] });
    expect(reply.status).toBe(status);
    expect(shop.received.flatMap((request) => request.all('x_forwarded_for'))).toEqual(seen);
  });
}

for (const [policy, host] of [
  ['preserve', 'shop.test'],
  ['inner.test', 'inner.test'],
] as const) {
  matrix(`with "host: ${policy}" the endpoint is called ${host}`, async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop, { pool: { host: policy } }));
    await front.send({});
    expect((await shop.request()).all('host')).toEqual([host]);
  });
}

matrix('with "host: endpoint" the endpoint is called by its own address', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop, { pool: { host: 'endpoint' } }));
  await front.send({});
  expect((await shop.request()).all('host')).toEqual([`127.0.0.1:${shop.port}`]);
});
