import { expect } from 'vitest';
import type { ClientRequest } from '../kit/client.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';

type Match = NonNullable<NonNullable<TestConfig['routes']>[number]['match']>;

/** Routes by name, and requests with the route that takes them; `null` for none. */
interface Case {
  readonly by: string;
  readonly routes: Readonly<Record<string, Match>>;
  readonly requests: readonly (readonly [ClientRequest, string | null])[];
}

const cases: readonly Case[] = [
  {
    by: 'host, with or without a port, in any case',
    routes: { shop: { host: 'shop.test' }, api: { host: ['api.test', 'v2.test'] } },
    requests: [
      [{ authority: 'shop.test' }, 'shop'],
      [{ authority: 'SHOP.test:8443' }, 'shop'],
      [{ authority: 'v2.test' }, 'api'],
      [{ authority: 'other.test' }, null],
    ],
  },
  {
    by: 'the longest wildcard host',
    routes: { all: { host: '*.test' }, shops: { host: '*.shop.test' }, one: { host: 'a.shop.test' } },
    requests: [
      [{ authority: 'a.shop.test' }, 'one'],
      [{ authority: 'b.shop.test' }, 'shops'],
      [{ authority: 'x.y.shop.test' }, 'shops'],
      [{ authority: 'shop.test' }, 'all'],
      [{ authority: 'test' }, null],
    ],
  },
  {
    by: 'path: exact before longest prefix, on segment borders',
    routes: {
      exact: { path: '/api/me' },
      api: { path: '/api/**' },
      user: { path: '/users/{id}' },
      version: { path: { regex: '^/v[0-9]+/' } },
    },
    requests: [
      [{ path: '/api/me' }, 'exact'],
      [{ path: '/api/me/x' }, 'api'],
      [{ path: '/api' }, 'api'],
      [{ path: '/apix' }, null],
      [{ path: '/users/7' }, 'user'],
      [{ path: '/users/7/x' }, null],
      [{ path: '/v12/x' }, 'version'],
      [{ path: '/vx/' }, null],
    ],
  },
  {
    by: 'method',
    routes: { read: { method: ['GET', 'HEAD'] }, query: { method: 'QUERY' } },
    requests: [
      [{ method: 'GET' }, 'read'],
      [{ method: 'QUERY', body: 'x' }, 'query'],
      [{ method: 'DELETE' }, null],
    ],
  },
  {
    by: 'header',
    routes: {
      beta: { headers: { 'X-Beta': 'on' } },
      bot: { headers: { 'User-Agent': { regex: 'bot' } } },
      anonymous: { headers: { Authorization: { absent: true } } },
    },
    requests: [
      [{ headers: ['x-beta', 'on', 'Authorization', 'x'] }, 'beta'],
      [{ headers: ['x-beta', 'off', 'Authorization', 'x'] }, null],
      [{ headers: ['User-Agent', 'a bot', 'Authorization', 'x'] }, 'bot'],
      [{}, 'anonymous'],
    ],
  },
  {
    by: 'cookie',
    routes: { staff: { cookies: { role: { oneOf: ['admin', 'staff'] } } } },
    requests: [
      [{ headers: ['Cookie', 'a=b; role=staff'] }, 'staff'],
      [{ headers: ['Cookie', 'a=b; role=guest'] }, null],
      [{ headers: ['Cookie', 'xrole=staff'] }, null],
    ],
  },
  {
    by: 'query',
    routes: {
      debug: { query: { debug: { present: true } } },
      v2: { query: { v: { prefix: '2.' } } },
      decoded: { query: { q: 'a b' } },
    },
    requests: [
      [{ path: '/?debug' }, 'debug'],
      [{ path: '/?v=2.1' }, 'v2'],
      [{ path: '/?v=1.2' }, null],
      [{ path: '/?q=a%20b' }, 'decoded'],
    ],
  },
  {
    by: 'all, any and not',
    routes: {
      some: { any: [{ path: '/a' }, { method: 'PUT' }] },
      rest: { path: '/n/**', not: { headers: { 'X-No': { present: true } } } },
    },
    requests: [
      [{ path: '/a' }, 'some'],
      [{ path: '/z', method: 'PUT', body: '' }, 'some'],
      [{ path: '/n/1' }, 'rest'],
      [{ path: '/n/1', headers: ['X-No', ''] }, null],
    ],
  },
];

for (const { by, routes, requests } of cases) {
  matrix(`requests are routed by ${by}`, async ({ gateway }) => {
    const front = await gateway(answering(routes));
    const connection = await front.connect();
    for (const [request, name] of requests) {
      const reply = await connection.send(request);
      expect([request, reply.status === 200 ? reply.text : null]).toEqual([request, name]);
    }
  });
}

matrix('requests are routed by the client’s address', async ({ gateway }) => {
  const front = await gateway({
    ...answering({ inside: { client: ['10.0.0.0/8', 'fd00::/8'] }, here: { client: '127.0.0.1' } }),
    listeners: { web: { port: 0, trustedProxies: ['127.0.0.1'] } },
  });
  expect((await front.send({})).text).toBe('here');
  expect((await front.send({ headers: ['X-Forwarded-For', '10.1.2.3'] })).text).toBe('inside');
  expect((await front.send({ headers: ['X-Forwarded-For', 'fd00::7'] })).text).toBe('inside');
  expect((await front.send({ headers: ['X-Forwarded-For', '192.0.2.1'] })).status).toBe(404);
});

matrix('what an untrusted client claims does not change its address', async ({ gateway }) => {
  const front = await gateway(answering({ inside: { client: '10.0.0.0/8' } }));
  expect((await front.send({ headers: ['X-Forwarded-For', '10.1.2.3', 'Forwarded', 'for=10.1.2.3'] })).status).toBe(
    404,
  );
});

matrix(
  'requests are routed by the server name of the TLS connection',
  async ({ gateway }) => {
    const front = await gateway(answering({ a: { sni: 'a.shop.test' }, any: { sni: '*.shop.test' } }));
    for (const [serverName, name] of [
      ['a.shop.test', 'a'],
      ['b.shop.test', 'any'],
      ['shop.test', null],
    ] as const) {
      const reply = await (await front.connect(serverName)).send({ authority: 'unrelated.test' });
      expect([serverName, reply.status === 200 ? reply.text : null]).toEqual([serverName, name]);
    }
  },
  { without: { h1: 'there is no server name without TLS', h2c: 'there is no server name without TLS' } },
);

matrix('a request that no route takes is 404, with the reason', async ({ gateway }) => {
  const front = await gateway(answering({ shop: { host: 'shop.test' } }));
  const reply = await front.send({ authority: 'nowhere.test' });
  expect([reply.status, reply.header('proxy-status')]).toEqual([404, 'headgate; error=destination_not_found']);
  expect(JSON.parse(reply.text)).toMatchObject({ error: 'destination_not_found', reason: 'no-route' });
  const record = await front.gateway.nextRecord();
  expect(record).toMatchObject({ status: 404, route: null, pool: null, endpoint: null, attempts: 0 });
  expect(record.end).toMatchObject({ side: 'client', reason: 'no-route', error: 'destination_not_found' });
});

matrix('a route with a higher priority goes before one that fits as well', async ({ gateway }) => {
  const front = await gateway({
    routes: [
      { respond: { body: 'first' }, match: { headers: { 'X-A': { present: true } } } },
      { respond: { body: 'urgent' }, match: { headers: { 'X-B': { present: true } } }, priority: 5 },
    ],
  });
  expect((await front.send({ headers: ['X-A', '1', 'X-B', '1'] })).text).toBe('urgent');
});

matrix(
  'a route is for the listeners that it names',
  async ({ gateway }) => {
    const front = await gateway({
      listeners: { web: { port: 0 }, inner: { port: 0 } },
      routes: [
        { respond: { body: 'inner' }, listeners: 'inner' },
        { respond: { body: 'both' }, match: { path: '/both' } },
      ],
    });
    expect((await front.send({})).status).toBe(404);
    expect((await front.send({ path: '/both' })).text).toBe('both');
  },
  { without: ONE_PROTOCOL },
);

/** Every route answers with its name. */
function answering(routes: Readonly<Record<string, Match>>): TestConfig {
  return { routes: Object.entries(routes).map(([name, match]) => ({ name, match, respond: { body: name } })) };
}
