import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { isPlain, matrix } from '../kit/matrix.ts';

const HSTS = 'strict-transport-security';

matrix('security headers are on every response, whoever makes it', async (stage) => {
  const headers = ['Server', 'old/1.0', 'X-Frame-Options', 'DENY', 'Cache-Control', 'max-age=60', 'ETag', '"v1"'];
  const shop = await stage.origin({ script: [{ respond: 200, headers, body: 'a' }] });
  const front = await stage.gateway({
    ...forwardTo(shop),
    listeners: { web: { port: 0, use: 'browsers' } },
    policies: { browsers: { securityHeaders: { preset: 'basic' } } },
    routes: [
      { match: { path: '/a' }, pool: 'shop', cache: true },
      { match: { path: '/old' }, redirect: { to: '/new' } },
      { match: { path: '/fixed' }, respond: { status: 200, body: 'b' } },
      { match: { path: '/down' }, pool: 'shop', maintenance: { enabled: true } },
      { match: { path: '/large' }, pool: 'shop', limits: { body: 1 } },
      { match: { path: '/off' }, respond: { status: 200 }, securityHeaders: false },
    ],
  });
  const connection = await front.connect();
  const statuses: number[] = [];
  for (const request of [
    { path: '/a' },
    { path: '/a' },
    { path: '/a', headers: ['If-None-Match', '"v1"'] },
    { path: '/old' },
    { path: '/fixed' },
    { path: '/down' },
    { path: '/large', method: 'POST', body: 'abc' },
    { path: '/nowhere' },
    { path: '/%zz' },
    { path: '/a', method: 'TRACE' },
  ]) {
    const reply = await connection.send(request);
    statuses.push(reply.status);
    expect([request.path, reply.all('x-content-type-options')]).toEqual([request.path, ['nosniff']]);
    expect(reply.header('server')).toBeNull();
    // The browser has the others with what it has stored.
    if (reply.status === 304) continue;
    expect(reply.all('referrer-policy')).toEqual(['strict-origin-when-cross-origin']);
    expect(reply.all('x-frame-options')).toEqual([reply.header('etag') === null ? 'SAMEORIGIN' : 'DENY']);
  }
  expect(statuses).toEqual([200, 200, 304, 302, 200, 503, 413, 404, 400, 405]);
  expect(shop.requests).toBe(1);
  expect((await connection.send({ path: '/off' })).header('referrer-policy')).toBeNull();
});

matrix('hsts of a route takes the place of the listener’s, and is said over TLS alone', async (stage) => {
  const shop = await stage.origin({ script: [{ respond: 200, headers: ['Strict-Transport-Security', 'max-age=1'] }] });
  const tls = isPlain(stage.downstream) ? {} : { tls: { names: ['shop.test'], hsts: true } };
  const front = await stage.gateway({
    ...forwardTo(shop),
    listeners: { web: { port: 0, ...tls } },
    routes: [
      { match: { path: '/own' }, pool: 'shop', securityHeaders: { hsts: { maxAge: '365d', includeSubDomains: true } } },
      { match: { path: '/none' }, pool: 'shop', securityHeaders: { hsts: false } },
      {
        match: { path: '/refused' },
        pool: 'shop',
        securityHeaders: { hsts: { maxAge: 0 } },
        maintenance: { enabled: true },
      },
    ],
  });
  const said = async (path: string) => (await front.send({ path })).all(HSTS);
  const overTls = !isPlain(stage.downstream);
  expect(await said('/own')).toEqual(overTls ? ['max-age=31536000; includeSubDomains'] : []);
  expect(await said('/none')).toEqual([]);
  expect(await said('/refused')).toEqual(overTls ? ['max-age=0'] : []);
});
