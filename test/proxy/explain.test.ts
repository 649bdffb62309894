import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/command-line.ts';
import type { Explanation } from '../../src/control/explain/explanation.ts';
import { readQuestion } from '../../src/control/explain/question.ts';
import { forwardTo } from '../kit/config.ts';
import { fickleOrigin, type Mood } from '../kit/fickle-origin.ts';
import { startTestGateway } from '../kit/gateway.ts';
import { matrix } from '../kit/matrix.ts';
import { RawClient } from '../kit/raw-client.ts';

const ASKING = ['X-Headgate-Explain', '1'];
const FRESH: Mood = { status: 200, headers: { 'cache-control': 'max-age=60' }, body: 'x' };
const route = { name: 'api', match: { path: '/api/**' }, rewrite: { stripPrefix: '/api' } };

/** The line depends on what stands above. */
const placeless = (told: string | null) => told?.replace(/<inline>:\d+/, '');

describe('X-Headgate-Explain', () => {
  matrix('tells a trusted caller what was done with its request, and no endpoint', async ({ gateway }) => {
    const shop = await fickleOrigin('http1', ['ok']);
    const front = await gateway(forwardTo(shop, { route, rest: { explain: { from: '127.0.0.0/8' } } }));
    const reply = await front.send({ path: '/api/a%22b?q', headers: ASKING });
    expect(placeless(reply.header('x-headgate-explanation'))).toBe(
      `route="api", at="", pool="shop", endpoint="http://127.0.0.1:${shop.port}", target="/a%22b?q"`,
    );
    expect(shop.arrivals[0]?.headers['x-headgate-explain']).toBeUndefined();
    expect((await front.send({ path: '/api/x' })).header('x-headgate-explanation')).toBeNull();
  });

  matrix('tells nobody else, and their request goes on without the field', async ({ gateway }) => {
    const shop = await fickleOrigin('http1', ['ok']);
    const front = await gateway(forwardTo(shop, { route, rest: { explain: { from: ['10.0.0.0/8', '::1'] } } }));
    const reply = await front.send({ path: '/api/x', headers: ASKING });
    expect([reply.status, reply.header('x-headgate-explanation')]).toEqual([200, null]);
    expect(shop.arrivals[0]?.headers['x-headgate-explain']).toBeUndefined();
  });

  matrix('shows no path or query that holds a secret of the configuration', async ({ gateway }) => {
    const shop = await fickleOrigin('http1', ['ok']);
    const keyed = { ...route, query: { set: { api_key: 'sesame' } } };
    const front = await gateway(forwardTo(shop, { route: keyed, rest: { explain: { from: '127.0.0.1' } } }));
    const reply = await front.send({ path: '/api/x', headers: ASKING });
    expect(shop.arrivals[0]?.path).toBe('/x?api_key=sesame');
    expect(reply.header('x-headgate-explanation')).toMatch(/endpoint="http:\/\/127\.0\.0\.1:\d+"$/);
  });

  matrix('is not part of what is stored', async ({ gateway }) => {
    const shop = await fickleOrigin('http1', [FRESH]);
    const caching = { ...route, cache: true as const };
    const front = await gateway(forwardTo(shop, { route: caching, rest: { explain: { from: '127.0.0.1' } } }));
    const first = await front.send({ path: '/api/x', headers: ASKING });
    expect(first.header('x-headgate-explanation')).toContain('cache="miss", why="uri-miss"');
    expect((await front.send({ path: '/api/x' })).header('x-headgate-explanation')).toBeNull();
    const third = await front.send({ path: '/api/x', headers: ASKING });
    const told = placeless(third.header('x-headgate-explanation'));
    expect(told).toBe('route="api", at="", pool="shop", cache="hit"');
    expect(shop.requests).toBe(1);
  });

  matrix('says why nothing came of it', async ({ gateway }) => {
    const shop = await fickleOrigin('http1', ['reset after body']);
    const front = await gateway(
      forwardTo(shop, { route: { ...route, retry: { attempts: 1 } }, rest: { explain: { from: '127.0.0.1' } } }),
    );
    const refused = await front.send({ path: '/nope', headers: ASKING });
    expect(refused.header('x-headgate-explanation')).toBe('reason="no-route"');
    const broken = await front.send({ path: '/api/x', headers: ASKING });
    expect(broken.header('x-headgate-explanation')).toMatch(/target="\/x", reason="[a-z-]+"$/);
    const records = [await front.gateway.nextRecord(), await front.gateway.nextRecord()];
    expect(broken.header('x-headgate-explanation')).toContain(`reason="${records[1]?.end.reason}"`);
  });
});

test('headgate route asks a running gateway, with the state of its endpoints and of its cache', async () => {
  const shop = await fickleOrigin('http1', [FRESH]);
  const { gateway, port } = await started(shop.port);
  const ask = async (...argv: string[]) => {
    let text = '';
    const output = { write: (more: string) => (text += more) };
    const io = { stdin: (async function* () {})(), stdout: output, stderr: output, environment: {} };
    return { code: await runCommandLine(['route', ...argv, '--admin', gateway.gateway.adminUrl], io), text };
  };
  const client = await RawClient.connect({ port });
  const url = `http://shop.test:${port}/api/x`;
  const before = await ask(url, '--explain');
  expect(before.text).toMatch(/cache {5}miss: uri-miss\n[\s\S]*unchecked, 0 in flight {2}← the only one\n/);
  client.send(`GET /api/x HTTP/1.1\r\nHost: shop.test:${port}\r\n\r\n`);
  await client.response('GET');
  const after = await ask(url);
  expect([after.code, after.text]).toEqual([
    0,
    expect.stringMatching(/outcome {3}answer 200 from the cache, fresh for /),
  ]);
  const refused = await ask(`http://shop.test:${port}/\u0007nope`, '-H', 'X-Odd: \u001b[2J');
  expect([refused.code, refused.text]).toEqual([1, '  outcome   400 bad-target: refused by the listener\n']);
  expect((await ask(`http://shop.test:${port}/nope`, '--json')).code).toBe(1);
});

const METHODS = ['GET', 'POST', 'HEAD', 'DELETE'];
const PATHS = ['/api/a', '/api/b?q=1', '/api', '/users/7', '/users/7/x', '/a%2fb', '/old/x?y', '/nope', '/users/%41'];
const FIELDS = [[], ['X-Beta', 'on'], ['X-Beta', 'off'], ['Cookie', 'v=2'], ['Cache-Control', 'no-cache']];
const HOSTS = ['shop.test', 'beta.test', 'SHOP.test:80'];

test('what is explained happens over a socket, by the log and by what the endpoint gets, for hundreds of requests', async () => {
  const shop = await fickleOrigin('http1', [FRESH]);
  const { gateway, ...front } = await started(shop.port);
  const client = await RawClient.connect({ port: front.port });
  for (const [n, { method, path, fields }] of everyRequest().entries()) {
    const host = HOSTS[n % HOSTS.length] as string;
    const headers = fields.length === 0 ? {} : { [fields[0] as string]: fields[1] as string };
    const read = readQuestion({ method, url: `http://${host}${path}`, headers });
    if (!read.ok) throw new Error(read.message);
    const told = gateway.gateway.explain(read.question);
    const arrivals = shop.requests;
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    client.send(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${lines.join('')}\r\n`);
    const { status } = await client.response(method);
    const { route, pool, end } = await gateway.nextRecord();
    const sent = shop.arrivals[arrivals];
    const what = { method, path, host, fields, target: sent?.path, id: sent?.headers['x-id'] };
    expect({ ...what, ...shownBy(told) }).toEqual({ ...what, route, pool, status, reason: end.reason });
  }
  expect(shop.requests).toBeGreaterThan(50);
});

function everyRequest() {
  return METHODS.flatMap((method) => PATHS.flatMap((path) => FIELDS.map((fields) => ({ method, path, fields }))));
}

async function started(port: number) {
  const gateway = await startTestGateway({
    pools: { shop: { endpoints: [`127.0.0.1:${port}`] }, beta: { endpoints: [`127.0.0.1:${port}`] } },
    routes: [
      { ...route, pool: 'shop', cache: true },
      { name: 'beta', match: { path: '/api/**', headers: { 'X-Beta': 'on' } }, pool: 'beta' },
      { name: 'user', match: { path: '/users/{id}', method: ['GET', 'POST'] }, ...toUser },
      { name: 'host', match: { host: 'beta.test', path: '/users/**' }, pool: 'beta' },
      { name: 'old', match: { path: '/old/**' }, redirect: { to: '/new{path}' } },
      { name: 'cookie', match: { cookies: { v: '2' } }, respond: { status: 418 } },
    ],
  });
  return { gateway, port: gateway.port() };
}

const toUser = { pool: 'shop', rewrite: { path: '/u/{id}' }, requestHeaders: { set: { 'X-Id': '{id}' } } };

/** As log and endpoint show it. */
function shownBy({ route, pool, outcome, upstream }: Explanation): object {
  const said = { route: route?.name ?? null, pool: pool?.name ?? null };
  if (outcome.kind === 'reply' || outcome.kind === 'refuse') {
    return { ...said, status: outcome.status, reason: outcome.reason };
  }
  if (outcome.kind === 'serve') return { ...said, status: outcome.status, reason: 'complete' };
  const id = upstream?.headers.find(({ name }) => name === 'X-Id')?.value;
  return { ...said, status: 200, reason: 'complete', target: upstream?.target, id };
}
