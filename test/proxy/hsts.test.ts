import { expect, test } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { startTestGateway, type TestConfig } from '../kit/gateway.ts';
import { HTTP1_ONLY, HTTP2_ONLY, matrix } from '../kit/matrix.ts';
import { visit } from '../kit/tls-visit.ts';

const PLAIN = { h1: 'there is no TLS', h2c: 'there is no TLS' } as const;
const FIELD = 'strict-transport-security';

const hsts: NonNullable<TestConfig['listeners']> = {
  web: { port: 0, tls: { names: ['shop.test', 'localhost'], hsts: { maxAge: '1d', includeSubDomains: true } } },
};

matrix(
  'hsts is on every response over TLS, an endpoint’s and Headgate’s own, and exactly once',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: [{ respond: 200, headers: ['strict-transport-security', 'max-age=1'] }] });
    const front = await gateway({
      ...forwardTo(shop),
      listeners: hsts,
      routes: [
        { match: { path: '/api' }, pool: 'shop' },
        { match: { path: '/old' }, redirect: { to: '/new' } },
        {
          match: { path: '/edited' },
          respond: { status: 200 },
          responseHeaders: { set: { 'Strict-Transport-Security': 'max-age=7' } },
        },
      ],
    });
    for (const path of ['/api', '/old', '/nowhere', '/%zz']) {
      const reply = await front.send({ path });
      expect([path, reply.all(FIELD)]).toEqual([path, ['max-age=86400; includeSubDomains']]);
    }
    expect((await front.send({ path: '/edited' })).all(FIELD)).toEqual(['max-age=7']);
  },
  { without: PLAIN },
);

matrix(
  'hsts is on what is refused before it is a request',
  async ({ gateway, origin }) => {
    const front = await gateway({ ...forwardTo(await origin()), listeners: hsts });
    for (const head of ['GET / HTTP/1.1\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n']) {
      const reply = await (await front.raw(head)).reply();
      expect(reply.status).toBe(400);
      expect(reply.all(FIELD)).toEqual(['max-age=86400; includeSubDomains']);
    }
  },
  { without: { ...PLAIN, h2: HTTP1_ONLY.h2 } },
);

matrix(
  'hsts is on a stream that is refused',
  async ({ gateway, origin }) => {
    const front = await gateway({ ...forwardTo(await origin()), listeners: hsts });
    const reply = await front.send({ headers: ['expect', 'a miracle'] });
    expect(reply.status).toBe(417);
    expect(reply.all(FIELD)).toEqual(['max-age=86400; includeSubDomains']);
  },
  { without: { ...HTTP2_ONLY, ...PLAIN } },
);

matrix('without hsts an endpoint’s own field stays as it is', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: ['Strict-Transport-Security', 'max-age=1'] }] });
  const front = await gateway(forwardTo(shop));
  expect((await front.send({})).all(FIELD)).toEqual(['max-age=1']);
});

test('hsts: true is two years, and never said over plain HTTP (RFC 6797 §7.2)', async () => {
  const gateway = await startTestGateway({
    listeners: {
      web: { port: 0, tls: { hsts: true } },
      plain: { port: 0, redirectTo: 'web' },
    },
    routes: [{ respond: { status: 204 } }],
  });
  const { text } = await visit({ port: gateway.port(), servername: 'localhost' });
  expect(text).toContain('Strict-Transport-Security: max-age=63072000\r\n');
  for (const url of [gateway.url('plain'), gateway.url('web').replace('https', 'http')]) {
    const reply = await fetch(url, { redirect: 'manual' });
    expect([301, 400]).toContain(reply.status);
    expect(reply.headers.get(FIELD)).toBeNull();
  }
});

test('a redirect names the port that clients see', async () => {
  const redirected = async (redirectPort: number | undefined): Promise<string | null> => {
    const gateway = await startTestGateway({
      listeners: {
        web: { port: 0, tls: {} },
        plain: { port: 0, redirectTo: 'web', ...(redirectPort === undefined ? {} : { redirectPort }) },
      },
    });
    const reply = await fetch(`${gateway.url('plain')}/a?b=1`, { redirect: 'manual' });
    return reply.headers.get('location')?.replace(`:${gateway.port()}/`, ':BOUND/') ?? null;
  };
  expect(await redirected(undefined)).toBe('https://127.0.0.1:BOUND/a?b=1');
  expect(await redirected(443)).toBe('https://127.0.0.1/a?b=1');
  expect(await redirected(9443)).toBe('https://127.0.0.1:9443/a?b=1');
});
