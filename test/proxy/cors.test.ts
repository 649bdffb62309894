import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { HTTP1_ONLY, matrix } from '../kit/matrix.ts';

const APP = 'https://app.test';
const OTHER = 'https://b.apps.test';
const cors = { origins: [APP, 'https://*.apps.test'], methods: ['PUT'], headers: ['X-Token'], credentials: true };

function preflight(origin: string, more: readonly string[] = []) {
  const headers = ['Origin', origin, 'Access-Control-Request-Method', 'PUT', ...more];
  return { method: 'OPTIONS', path: '/a', headers };
}

matrix('a preflight is answered at the gateway, and one that is refused says why in the log', async (stage) => {
  const shop = await stage.origin();
  const front = await stage.gateway(forwardTo(shop, { route: { cors, auth: { apiKey: { keys: [] } } } }));
  const asked = ['Access-Control-Request-Headers', 'x-token'];
  const allowed = await front.send(preflight(OTHER, asked));
  expect([allowed.status, allowed.text, allowed.ended]).toEqual([204, '', 'clean']);
  expect(allowed.header('access-control-allow-origin')).toBe(OTHER);
  expect(allowed.header('access-control-allow-credentials')).toBe('true');
  expect(allowed.header('access-control-allow-methods')).toBe('PUT');
  expect(allowed.header('access-control-allow-headers')).toBe('X-Token');
  expect(allowed.all('vary')).toEqual(['Origin, Access-Control-Request-Method, Access-Control-Request-Headers']);
  expect(await front.gateway.nextRecord()).toMatchObject({ policy: 'cors', end: { reason: 'cors-preflight' } });
  const refused = await front.send(preflight('https://evil-apps.test'));
  expect(refused.status).toBe(403);
  expect(refused.fields.list.some((name) => /^access-control-/i.test(name))).toBe(false);
  expect(refused.header('vary')).toContain('Origin');
  expect(await front.gateway.nextRecord()).toMatchObject({
    policy: 'cors',
    end: { reason: 'cors-origin-not-allowed' },
  });
  expect(shop.accepted).toBe(0);
});

matrix('any other OPTIONS is the endpoint’s', async (stage) => {
  const shop = await stage.origin({ script: [{ respond: 200, headers: ['Allow', 'GET'], body: 'mine' }] });
  const front = await stage.gateway(forwardTo(shop, { route: { cors } }));
  const reply = await front.send({ method: 'OPTIONS', headers: ['Origin', APP] });
  expect([reply.text, reply.header('access-control-allow-origin')]).toEqual(['mine', APP]);
});

matrix('one stored response is dressed for each origin, whatever the endpoint said to the first', async (stage) => {
  const headers = [
    ...['Cache-Control', 'max-age=60', 'Vary', 'Accept-Encoding', 'Access-Control-Allow-Origin', 'https://first.test'],
    ...['Access-Control-Allow-Credentials', 'true', 'ETag', '"v1"'],
  ];
  const shop = await stage.origin({ script: [{ respond: 200, headers, body: 'stored' }] });
  const front = await stage.gateway(forwardTo(shop, { route: { cors, cache: true } }));
  const connection = await front.connect();
  const seen = async (fields: readonly string[]) => {
    const reply = await connection.send({ headers: fields });
    const said = ['origin', 'credentials'].map((name) => reply.header(`access-control-allow-${name}`));
    return [reply.status, ...said, reply.all('vary').join()];
  };
  const vary = 'Accept-Encoding, Origin';
  expect(await seen(['Origin', APP])).toEqual([200, APP, 'true', vary]);
  expect(await seen(['Origin', OTHER])).toEqual([200, OTHER, 'true', vary]);
  expect(await seen(['Origin', 'https://evil.test'])).toEqual([200, null, null, vary]);
  expect(await seen([])).toEqual([200, null, null, vary]);
  expect(await seen(['Origin', APP, 'If-None-Match', '"v1"'])).toEqual([304, APP, 'true', vary]);
  expect(shop.requests).toBe(1);
});

matrix('errors of Headgate’s own can be read by the scripts that are allowed to', async (stage) => {
  const shop = await stage.origin();
  const front = await stage.gateway({
    ...forwardTo(shop),
    routes: [
      { match: { path: '/keyed' }, pool: 'shop', cors, auth: { apiKey: { keys: [] } } },
      { match: { path: '/large' }, pool: 'shop', cors, limits: { body: 1 } },
      { match: { path: '/fixed' }, respond: { status: 200 }, cors },
    ],
  });
  const keyed = await front.send({ path: '/keyed', headers: ['Origin', APP] });
  const large = await front.send({ method: 'POST', path: '/large', headers: ['Origin', APP], body: 'abc' });
  const fixed = await front.send({ path: '/fixed', headers: ['Origin', APP] });
  expect([keyed, large, fixed].map(({ status }) => status)).toEqual([401, 413, 200]);
  for (const reply of [keyed, large, fixed]) expect(reply.all('access-control-allow-origin')).toEqual([APP]);
});

matrix('an origin that is none is allowed nothing, whatever it is', async (stage) => {
  const shop = await stage.origin({ script: [{ respond: 200, body: 'served' }] });
  const front = await stage.gateway(forwardTo(shop, { route: { cors: { ...cors, enforce: true } } }));
  const connection = await front.connect();
  const hostile = [
    'null',
    `${APP}/`,
    `${APP}.evil.test`,
    `${APP}@evil.test`,
    `${APP}:443`,
    `https://${'a.'.repeat(6000)}apps.test`,
  ];
  for (const origin of [...hostile, `${APP}, ${APP}`]) {
    const reply = await connection.send({ headers: ['Origin', origin] });
    expect([origin, reply.status, reply.header('access-control-allow-origin')]).toEqual([origin, 403, null]);
  }
  expect(shop.requests).toBe(0);
  const own = await connection.send({ headers: ['Origin', `${front.scheme}://shop.test`] });
  expect([own.text, own.header('access-control-allow-origin')]).toEqual(['served', null]);
  expect((await connection.send({})).text).toBe('served');
});

matrix(
  'several Origin fields are nobody’s, and control bytes are no request',
  async (stage) => {
    const shop = await stage.origin();
    const front = await stage.gateway(forwardTo(shop, { route: { cors: { ...cors, enforce: true } } }));
    const twice = await front.raw(`GET / HTTP/1.1\r\nHost: shop.test\r\nOrigin: ${APP}\r\norigin: ${APP}\r\n\r\n`);
    const reply = await twice.reply();
    expect([reply.status, reply.header('access-control-allow-origin')]).toEqual([403, null]);
    for (const byte of ['\0', '\x01', '\r']) {
      const bad = await front.raw(`GET / HTTP/1.1\r\nHost: shop.test\r\nOrigin: ${APP}${byte}x\r\n\r\n`);
      expect((await bad.reply()).status).toBe(400);
    }
    expect(shop.accepted).toBe(0);
  },
  { without: HTTP1_ONLY },
);

matrix('a preflight to a path that no route takes is answered as the listener says', async (stage) => {
  const shop = await stage.origin();
  const front = await stage.gateway({
    listeners: { web: { port: 0, use: 'browsers' } },
    policies: { browsers: { cors } },
    pools: { shop: { endpoints: [`127.0.0.1:${shop.port}`] } },
    routes: [{ match: { path: '/a', method: 'PUT' }, pool: 'shop' }],
  });
  expect((await front.send(preflight(APP))).status).toBe(204);
  const missing = await front.send({ path: '/nowhere', headers: ['Origin', APP] });
  expect([missing.status, missing.header('access-control-allow-origin')]).toEqual([404, APP]);
});
