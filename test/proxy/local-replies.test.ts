import { expect } from 'vitest';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';

for (const [config, path, location] of [
  [{ to: 'https://{host}/new{path}' }, '/a/b?c=d', 'https://shop.test/new/a/b?c=d'],
  [{ to: '/moved', keepQuery: false }, '/a?c=d', '/moved'],
  [{ to: 'https://other.test{uri}', status: 308 as const }, '/a?c', 'https://other.test/a?c'],
] as const) {
  matrix(`a redirect to ${config.to} sends ${path} to ${location}`, async ({ gateway }) => {
    const front = await gateway({ routes: [{ name: 'away', redirect: config }] });
    const reply = await front.send({ method: 'POST', path, body: 'dropped' });
    const status = 'status' in config ? config.status : 302;
    expect([reply.status, reply.header('location'), reply.text]).toEqual([status, location, '']);
    const record = await front.gateway.nextRecord();
    expect([record.route, record.pool, record.end.reason, record.end.error]).toEqual(['away', null, 'redirect', null]);
  });
}

matrix('a fixed response is sent as it was written', async ({ gateway }) => {
  const respond = { status: 451, headers: { 'X-Why': '{path}' }, body: '{"why": "law"}' };
  const front = await gateway({ routes: [{ respond }] });
  const reply = await front.send({ path: '/x' });
  expect([reply.status, reply.header('x-why'), reply.text]).toEqual([451, '/x', '{"why": "law"}']);
  expect([reply.header('content-type'), reply.header('content-length')]).toEqual(['application/json', '14']);
  expect(reply.header('proxy-status')).toBe('headgate');
  expect((await front.gateway.nextRecord()).end.reason).toBe('fixed-response');
});

matrix('the fixed response to HEAD is a head with the length of what GET would get', async ({ gateway }) => {
  const front = await gateway({ routes: [{ respond: { body: 'hello' } }] });
  const connection = await front.connect();
  const reply = await connection.send({ method: 'HEAD' });
  expect([reply.status, reply.header('content-length'), reply.text, reply.ended]).toEqual([200, '5', '', 'clean']);
  expect((await connection.send({})).text).toBe('hello');
});

matrix('the route’s response edits apply to its own replies as well', async ({ gateway }) => {
  const front = await gateway({
    routes: [
      {
        redirect: { to: '/x' },
        match: { path: '/from' },
        responseHeaders: { set: { 'Strict-Transport-Security': 'max-age=1' } },
      },
    ],
  });
  expect((await front.send({ path: '/from' })).header('strict-transport-security')).toBe('max-age=1');
});

matrix('an upload to a fixed response does not disturb the connection', async ({ gateway }) => {
  const front = await gateway({ routes: [{ respond: { body: 'hi' } }] });
  const connection = await front.connect();
  expect((await connection.send({ method: 'POST', body: 'x'.repeat(100_000) })).text).toBe('hi');
  expect((await connection.send({})).text).toBe('hi');
});

matrix(
  'a plain listener redirects everything to its TLS listener',
  async ({ gateway }) => {
    const front = await gateway({
      listeners: { web: { port: 0, redirectTo: 'secure' }, secure: { port: 0, tls: { names: 'shop.test' } } },
      routes: [{ respond: { body: 'never' }, listeners: 'secure' }],
    });
    const to = `https://shop.test:${front.gateway.port('secure')}`;
    for (const [method, status] of [
      ['GET', 301],
      ['POST', 308],
    ] as const) {
      const reply = await front.send({ method, path: '/a/b?c=d', authority: 'shop.test:8080' });
      expect([reply.status, reply.header('location')]).toEqual([status, `${to}/a/b?c=d`]);
    }
  },
  { without: ONE_PROTOCOL },
);

matrix('no reader may take our own pages for something else than they are', async ({ gateway }) => {
  const front = await gateway({ routes: [{ match: { path: '/one' }, respond: { body: 'x' } }] });
  for (const accept of ['*/*', 'text/html']) {
    const reply = await front.send({ path: '/none', headers: ['Accept', accept] });
    expect([reply.status, reply.header('x-content-type-options')]).toEqual([404, 'nosniff']);
  }
});
