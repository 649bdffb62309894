import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { startTestGateway, type TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix } from '../kit/matrix.ts';
import { origin } from '../kit/origin.ts';
import { stopAfterTest } from '../kit/stop.ts';

const BROWSER = ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'];
const SCRIPT = '<script>alert(1)</script>';

matrix('an error has the page that its client asks for, and nothing of the request in it', async (stage) => {
  const shop = await stage.origin({
    script: [{ respond: 503, headers: ['Retry-After', '9'], body: 'theirs' }],
  });
  const pages = {
    '4xx': { html: '<h1>{status} {title}</h1>{code} {reason} {id}' },
    default: { html: 'sorry', json: '{"sorry":"{reason}"}' },
  };
  const front = await stage.gateway({
    ...forwardTo(shop),
    listeners: { web: { port: 0, use: 'pages' } },
    policies: { pages: { errorPages: { pages } } },
    routes: [
      { match: { path: '/a' }, pool: 'shop' },
      { match: { path: '/down' }, pool: 'shop', maintenance: { enabled: true, retryAfter: '2m' } },
      { match: { path: '/own' }, pool: 'shop', errorPages: { json: 'problem' }, maintenance: { enabled: true } },
    ],
  });
  const connection = await front.connect();
  const missing = await connection.send({
    path: `/nowhere?q=${encodeURIComponent(SCRIPT)}`,
    headers: [...BROWSER, 'X-Request-Id', SCRIPT, 'Referer', SCRIPT],
  });
  const id = missing.header('x-request-id');
  expect(missing.text).toBe(`<h1>404 Not Found</h1>destination_not_found no-route ${id}`);
  expect(missing.header('content-type')).toBe('text/html; charset=utf-8');
  expect(missing.header('x-content-type-options')).toBe('nosniff');
  expect(missing.header('proxy-status')).toBe('headgate; error=destination_not_found');
  const head = await connection.send({ method: 'HEAD', path: '/nowhere', headers: BROWSER });
  expect([head.status, head.text, head.header('content-length')]).toEqual([404, '', String(missing.body.length)]);
  expect((await connection.send({ path: '/nowhere' })).text).toBe('{"sorry":"no-route"}');
  expect((await connection.send({ path: '/%zz', headers: BROWSER })).text).toContain('400 Bad Request');
  const down = await connection.send({ path: '/down', headers: BROWSER });
  expect([down.status, down.text, down.header('retry-after')]).toEqual([503, 'sorry', '120']);
  const problem = await connection.send({ path: '/own' });
  expect(problem.header('content-type')).toBe('application/problem+json');
  expect(JSON.parse(problem.text)).toMatchObject({ title: 'Service Unavailable', status: 503, reason: 'maintenance' });
  // Those of endpoints pass as they are, and are told apart by Proxy-Status.
  const theirs = await connection.send({ path: '/a', headers: BROWSER });
  expect([theirs.text, theirs.header('proxy-status')]).toEqual(['theirs', null]);
});

matrix(
  'an endpoint’s error is replaced where that is wanted, and its connection serves the next request',
  async (stage) => {
    const shop = await stage.origin({
      script: [
        { respond: 503, headers: ['Retry-After', '7', 'X-Secret', 'stack'], body: 'x'.repeat(10_000) },
        'read head',
        { respond: 500, body: 'theirs' },
        'read head',
        { respond: 502, body: 'gone' },
        'read head',
        { respond: 200, body: 'fine' },
      ],
    });
    const errorPages = {
      intercept: [502, 503],
      pages: { default: { json: '{"status":{status},"reason":"{reason}"}' } },
    };
    const front = await stage.gateway(forwardTo(shop, { route: { errorPages, retry: { attempts: 1 } } }));
    const connection = await front.connect();
    const reply = await connection.send({});
    expect([reply.status, reply.text]).toEqual([503, '{"status":503,"reason":"intercepted-status"}']);
    expect([reply.header('retry-after'), reply.header('x-secret')]).toEqual(['7', null]);
    expect(reply.header('proxy-status')).toBe('headgate; error=destination_unavailable');
    expect((await connection.send({})).text).toBe('theirs');
    const head = await connection.send({ method: 'HEAD' });
    expect([head.status, head.text, head.header('retry-after')]).toEqual([502, '', null]);
    expect((await connection.send({})).text).toBe('fine');
    expect(shop.accepted).toBe(1);
    expect(await front.gateway.nextRecord()).toMatchObject({
      ...{ status: 503, end: { side: 'upstream', reason: 'intercepted-status' } },
    });
  },
);

test('what is intercepted was answered: no fallback is taken that the route does not name for the status', async () => {
  const shop = await origin({ script: [{ respond: 503 }, 'read head', { respond: 502 }] });
  const route: NonNullable<TestConfig['routes']>[number] = {
    errorPages: { intercept: [502, 503] },
    retry: { attempts: 1 },
    fallback: { on: ['unavailable', 502], steps: [{ respond: { status: 200, body: 'instead' } }] },
  };
  const gateway = await startTestGateway(forwardTo(shop, { route }));
  expect(await (await fetch(gateway.url())).json()).toMatchObject({ reason: 'intercepted-status' });
  expect(await (await fetch(gateway.url())).text()).toBe('instead');
});

test('an intercepted body that never ends holds no connection', async () => {
  const endless = await origin({
    script: [{ send: 'HTTP/1.1 503 Busy\r\nContent-Length: 1000000000\r\n\r\nx' }, 'silent'],
  });
  const gateway = await startTestGateway(
    forwardTo(endless, { route: { errorPages: { intercept: 503 }, retry: { attempts: 1 } } }),
  );
  const reply = await fetch(gateway.url());
  expect([reply.status, await reply.json()]).toMatchObject([503, { reason: 'intercepted-status' }]);
  await until(() => gateway.status().pools[0]?.endpoints[0]?.inFlight === 0, 'the attempt to be over');
});

test('a page from a file is the new one when the file has changed, and stays when what is new can’t be used', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-pages-'));
  stopAfterTest(() => rm(directory, { recursive: true }));
  const file = join(directory, '404.html');
  await writeFile(file, 'first {status}');
  const clock = new ManualClock(Date.now());
  const gateway = await startTestGateway(
    {
      listeners: { web: { port: 0, use: 'pages' } },
      policies: { pages: { errorPages: { pages: { '404': { html: { file } } } } } },
      routes: [{ match: { path: '/a' }, respond: { status: 200 } }],
    },
    { clock },
  );
  const page = async () => (await fetch(gateway.url(), { headers: { accept: 'text/html' } })).text();
  expect(await page()).toBe('first 404');
  const becomes = async (text: string) => {
    // The file is read meanwhile, on another thread.
    do clock.advance(2_000);
    while ((await page()) !== text);
  };
  await writeFile(file, 'second, which is longer {id');
  await becomes('second, which is longer {id');
  await writeFile(file, '{nobody}');
  const policies = async () => (await fetch(`${gateway.gateway.adminUrl}/policies`)).text();
  do clock.advance(2_000);
  while (!(await policies()).includes('unknown variable {nobody}'));
  expect(await page()).toBe('second, which is longer {id');
  await writeFile(file, 'third {title}');
  await becomes('third Not Found');
});

test('what is wrong with a page is told where it stands', async () => {
  const start = (errorPages: object) =>
    startTestGateway({ policies: { pages: { errorPages } }, routes: [{ respond: { status: 200 } }] });
  const directory = await mkdtemp(join(tmpdir(), 'headgate-pages-'));
  stopAfterTest(() => rm(directory, { recursive: true }));
  const file = join(directory, 'page');
  await writeFile(file, 'sorry');
  await expect(start({ pages: { default: { html: '{path}' } } })).rejects.toThrow('unknown variable {path}');
  await expect(start({ pages: { default: { json: '{status' } } })).rejects.toThrow('not JSON once it is filled in');
  await expect(start({ pages: { '200': { html: 'ok' } } })).rejects.toThrow('“200” can’t be a key here');
  await expect(start({ pages: { default: { html: { file: '/nonexistent/page' } } } })).rejects.toThrow('ENOENT');
  await expect(start({ intercept: 404 })).rejects.toThrow();
  const twice = { default: { text: { file }, html: { file } } };
  await expect(start({ pages: twice })).rejects.toThrow('is html already');
});
