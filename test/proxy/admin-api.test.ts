import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openApiDocument, operations } from '../../src/admin/operations/operations.ts';
import { startTestGateway, type TestConfig, type TestGateway } from '../kit/gateway.ts';
import { OpenApiCheck } from '../kit/open-api.ts';

/** fast-check's own `binary`, and what is made of it, take seconds to set up. */
const anyCharacter = fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code).toWellFormed());
const JSON_TYPE = { 'content-type': 'application/json' };
const TOKEN = 'a-token-of-sixteen-or-more';
const check = new OpenApiCheck(openApiDocument());

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | object;
}

/** Asks, and compares the answer with the document. */
async function ask({ gateway }: TestGateway, method: string, path: string, { headers = {}, body }: Sent = {}) {
  const answer = await send(
    new URL(gateway.adminUrl).port,
    { method, path, headers: { ...(body === undefined ? {} : JSON_TYPE), ...headers } },
    body,
  );
  expect(check.problems({ method, path, ...answer }), 'src/admin/schemas says what answers hold').toEqual([]);
  return {
    status: answer.status,
    body: answer.contentType.includes('json') ? (JSON.parse(answer.text) as Record<string, unknown>) : answer.text,
  };
}

function send(
  port: string,
  asked: { method: string; path: string; headers: Readonly<Record<string, string>> },
  body: Sent['body'],
) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; contentType: string; text: string }>();
  const outgoing = request({ host: '127.0.0.1', port, agent: false, ...asked }, async (response) => {
    let text = '';
    for await (const chunk of response) text += String(chunk);
    resolve({ status: response.statusCode ?? 0, contentType: response.headers['content-type'] ?? '', text });
  });
  outgoing.on('error', reject);
  outgoing.end(typeof body === 'object' ? JSON.stringify(body) : body);
  return promise;
}

const CONFIG: TestConfig = {
  pools: {
    shop: {
      endpoints: ['127.0.0.1:9', { address: '127.0.0.1:10', weight: 3 }],
      affinity: { cookie: 'sid' },
      breaker: {},
      limits: { inFlight: 10, queue: { size: 5 } },
      outliers: {},
      health: { path: '/healthz', interval: '1h' },
    },
    twins: { endpoints: [{ address: '127.0.0.1:11' }, { address: 'https://127.0.0.1:11' }] },
  },
  routes: [
    { name: 'shop', match: { path: '/shop/**', headers: { 'x-beta': 'on' } }, pool: 'shop', cache: {} },
    {
      name: 'both',
      match: { path: '/both' },
      split: [
        { pool: 'shop', weight: 1 },
        { pool: 'twins', weight: 9 },
      ],
    },
    { name: 'old', match: { path: '/old' }, redirect: { to: '/shop' } },
    { match: { path: '/hello' }, respond: { status: 200, body: 'hello' } },
  ],
};

const ENDPOINT = '/pools/shop/endpoints/127.0.0.1%3A9';
const HAND = { drain: {}, disable: {}, enable: {} };

test('every answer of every operation is as the document says', async () => {
  const gateway = await startTestGateway(CONFIG);
  const get = async (path: string) => (await ask(gateway, 'GET', path)).status;
  const reads = [
    '/healthz',
    '/readyz',
    '/metrics',
    '/status',
    '/version',
    '/config',
    '/routes',
    '/reloads',
    '/maintenance',
    '/pools',
  ];
  const more = [
    '/pools/shop',
    '/endpoints',
    '/limits',
    '/cache',
    '/policies',
    '/cache/entries',
    '/certificates',
    '/openapi.json',
    '/',
  ];
  for (const path of [...reads, ...more]) expect([path, await get(path)]).toEqual([path, 200]);
  expect(await get('/cache/entries?url=http://shop.test/')).toBe(200);
  await (await fetch(gateway.url())).text();
  await gateway.nextRecord();
  const tail = await ask(gateway, 'GET', '/tail?filter=status%3E0&last=1');
  expect(tail.body).toMatchObject({ lines: [{ method: 'GET' }] });
  expect(await get('/top?by=client')).toBe(200);
  expect(await get('/tail?filter=nonsense')).toBe(400);
  expect(await get('/ca.crl')).toBe(404);
  expect(await get('/pools/shpo')).toBe(404);
  for (const [path, body] of Object.entries({ ...HAND, weight: { weight: 7 } })) {
    const method = path === 'weight' ? 'PUT' : 'POST';
    expect((await ask(gateway, method, `${ENDPOINT}/${path}`, { body })).status).toBe(200);
    expect((await ask(gateway, method, `/pools/nobody/endpoints/x/${path}`, { body })).status).toBe(404);
    expect((await ask(gateway, method, `/pools/twins/endpoints/127.0.0.1%3A11/${path}`, { body })).status).toBe(409);
    expect(
      (await ask(gateway, method, `${ENDPOINT}/${path}`, { body, headers: { 'content-type': 'text/plain' } })).status,
    ).toBe(415);
    expect((await ask(gateway, method, `${ENDPOINT}/${path}`, { body: 'x'.repeat(17_000) })).status).toBe(413);
  }
  for (const path of ['/maintenance', '/routes/shop/maintenance']) {
    expect((await ask(gateway, 'PUT', path, { body: { on: true } })).status).toBe(200);
    expect(await get('/maintenance')).toBe(200);
    expect(await get('/routes')).toBe(200);
  }
  expect((await ask(gateway, 'PUT', '/routes/shpo/maintenance', { body: { on: true } })).status).toBe(404);
  expect(await get('/log-level')).toBe(200);
  expect((await ask(gateway, 'PUT', '/log-level', { body: { level: 'silent' } })).status).toBe(200);
  expect((await ask(gateway, 'POST', '/explain', { body: { url: 'http://shop.test/shop/1' } })).status).toBe(200);
  expect((await ask(gateway, 'POST', '/cache/purge', { body: { all: true } })).status).toBe(200);
  expect((await ask(gateway, 'POST', '/reload', { body: {} })).status).toBe(200);
  expect((await ask(gateway, 'POST', '/plan', { body: {} })).status).toBe(200);
  gateway.source({ ...CONFIG, pools: {} });
  expect((await ask(gateway, 'POST', '/plan', { body: {} })).status).toBe(422);
  expect((await ask(gateway, 'POST', '/reload', { body: {} })).status).toBe(422);
  gateway.source({
    ...CONFIG,
    listeners: { web: { port: 0 }, taken: { port: Number(new URL(gateway.gateway.adminUrl).port) } },
  });
  expect((await ask(gateway, 'POST', '/reload', { body: {} })).status).toBe(409);
  expect((await ask(gateway, 'POST', '/upgrade', { body: {} })).status).toBe(409);
  expect(await get('/reloads')).toBe(200);
  expect(await get('/status')).toBe(200);
  const answered = new Set([...check.seen].flatMap((seen) => (/ 200$/.test(seen) ? [seen.split(' ')[0]] : [])));
  expect(operations.map(({ id }) => id).filter((id) => !answered.has(id))).toEqual(['upgrade', 'revocationList']);
});

test('every operation refuses a foreign host, several hosts, an unknown query and an unknown body, as the document says', async () => {
  const gateway = await startTestGateway(CONFIG);
  for (const { id, method, path, access } of operations) {
    const place = path.replaceAll(/\{\w+\}/g, 'x');
    const body = method === 'GET' ? {} : { body: {} };
    expect([id, (await ask(gateway, method, place, { ...body, headers: { host: 'evil.test' } })).status]).toEqual([
      id,
      421,
    ]);
    expect([id, (await ask(gateway, method, `${place}?nonsense=1`, body)).body]).toEqual([
      id,
      expect.objectContaining({ error: 'bad-request', parameter: 'nonsense' }),
    ]);
    if (access === 'change') {
      const refused = await ask(gateway, method, place, { body: { nonsense: 1 } });
      expect([id, refused.body]).toEqual([id, expect.objectContaining({ error: 'bad-request', field: '/nonsense' })]);
      const foreign = await ask(gateway, method, place, { body: {}, headers: { origin: 'http://evil.test' } });
      expect([id, foreign.status]).toEqual([id, 403]);
    }
    const wrong = await ask405(gateway, method, place);
    expect([id, wrong]).toEqual([id, 405]);
  }
});

test('from elsewhere every operation but those that are open needs the token, as the document says', async () => {
  const admin = { address: '0.0.0.0', token: TOKEN };
  const gateway = await startTestGateway(CONFIG, { admin });
  const untold = await startTestGateway(CONFIG, { admin: { address: '0.0.0.0' } });
  for (const { id, method, path, access } of operations) {
    const place = path.replaceAll(/\{\w+\}/g, 'x');
    const body = method === 'GET' ? {} : { body: {} };
    const [with401, without] = [await ask(gateway, method, place, body), await ask(untold, method, place, body)];
    if (access === 'open') expect([id, with401.status]).toEqual([id, without.status]);
    else expect([id, with401.status, without.status]).toEqual([id, 401, 403]);
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect([401, 403]).not.toContain((await ask(gateway, method, place, { ...body, headers })).status);
  }
});

test('whatever names, filters and URLs are sent, a gateway has an answer that the document knows, and no bug', async () => {
  const gateway = await startTestGateway(CONFIG, { admin: { requestsPerSecond: 100_000 } });
  const texts = fc.oneof(
    fc.array(anyCharacter, { maxLength: 200 }).map((all) => all.join('')),
    fc.tuple(fc.string(), fc.string()).map(([host, path]) => `https://${host}/${path}`),
    fc.constantFrom(
      'status>=',
      'http://',
      'http://[::1',
      'http://a/\u0000',
      '(((',
      'path~^(',
      'shop',
      'http://a/%zz',
      '::',
      'a,b c',
    ),
  );
  const places = fc.constantFrom(
    ...[
      '/explain',
      '/cache/purge',
      '/tail?filter=',
      '/top?filter=',
      '/cache/entries?url=',
      '/cache/entries?prefix=',
      '/cache/entries?after=',
    ],
    ...['/pools/', '/routes/'],
  );
  await fc.assert(
    fc.asyncProperty(
      places,
      texts,
      fc.constantFrom('url', 'prefix', 'host', 'tag', 'method', 'client', 'listener', 'sni'),
      async (place, text, key) => {
        const encoded = encodeURIComponent(text.toWellFormed()) || 'x';
        if (place.endsWith('=')) await ask(gateway, 'GET', `${place}${encoded}`);
        else if (place === '/pools/')
          await ask(gateway, 'PUT', `/pools/${encoded}/endpoints/${encoded}/weight`, { body: { weight: 1 } });
        else if (place === '/routes/')
          await ask(gateway, 'PUT', `/routes/${encoded}/maintenance`, { body: { on: false } });
        else
          await ask(gateway, 'POST', place, {
            body: place === '/explain' ? { url: 'http://a/', [key]: text } : { [key]: text },
          });
      },
    ),
    { seed: 6007, numRuns: 100 },
  );
  expect([...check.seen].filter((seen) => / 5\d\d$/.test(seen))).toEqual([]);
});

test('HEAD answers as GET does, without the body', async () => {
  const gateway = await startTestGateway(CONFIG);
  const port = new URL(gateway.gateway.adminUrl).port;
  for (const { id, method, path } of operations) {
    if (method !== 'GET') continue;
    const asked = { path: path.replaceAll(/\{\w+\}/g, 'shop'), headers: {} };
    const [head, get] = [
      await send(port, { method: 'HEAD', ...asked }, ''),
      await send(port, { method, ...asked }, ''),
    ];
    expect([id, head.status, head.contentType, head.text]).toEqual([id, get.status, get.contentType, '']);
  }
});

test('metrics can be open to everybody', async () => {
  const gateway = await startTestGateway(CONFIG, { admin: { address: '0.0.0.0', metrics: 'open' } });
  expect((await ask(gateway, 'GET', '/metrics')).status).toBe(200);
  expect((await ask(gateway, 'GET', '/status')).status).toBe(403);
});

test('docs/openapi.json is the document that the listener serves', async () => {
  const gateway = await startTestGateway(CONFIG);
  const { body } = await ask(gateway, 'GET', '/openapi.json');
  expect(body).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
  await expect(`${JSON.stringify(body, null, 2)}\n`).toMatchFileSnapshot('../../docs/openapi.json');
});

test('docs/admin.md tells every request', () => {
  const page = readFileSync('docs/admin.md', 'utf8');
  const untold = operations.filter(({ method, path }) => {
    const last = path.slice(path.lastIndexOf('/'));
    return ![`\`${method} ${path}\``, `\`…${last}\``, `\`${method} …${last}\``].some((told) => page.includes(told));
  });
  expect(untold.map(({ id }) => id)).toEqual([]);
});

async function ask405({ gateway }: TestGateway, method: string, path: string): Promise<number> {
  const other = method === 'POST' ? 'PUT' : 'POST';
  return (await send(new URL(gateway.adminUrl).port, { method: other, path, headers: JSON_TYPE }, '{}')).status;
}
