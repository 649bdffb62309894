import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';
import type { Step } from '../kit/script.ts';

const RULES = [
  { find: 'http://app.internal', replace: 'https://{host}' },
  { find: '</body>', replace: '<i>{header.x-name}</i></body>' },
];

function substituting(shop: Origin, route: Forwarding['route'] = {}): TestConfig {
  return forwardTo(shop, {
    pool: { connections: { keepAlive: '1h' } },
    route: { substitute: { rules: RULES }, ...route },
  });
}

const PAGE = '<body><a href="http://app.internal/x">x</a></body>';
const html = (body = PAGE, ...more: readonly string[]): readonly Step[] => [
  'read head',
  { respond: 200, headers: ['Content-Type', 'text/html; charset=UTF-8', ...more], body },
];

matrix('texts are replaced, values escaped for where they land, and the head says so', async ({ gateway, origin }) => {
  const more = ['ETag', '"v1"', 'Accept-Ranges', 'bytes', 'Content-MD5', 'x'];
  const shop = await origin({ script: html(PAGE, ...more) });
  const headers = ['X-Name', '<b>"&', 'Accept-Encoding', 'gzip', 'Range', 'bytes=0-4', 'If-Range', '"v1"'];
  const reply = await (await gateway(substituting(shop))).send({ headers });
  expect(reply.text).toBe('<body><a href="https://shop.test/x">x</a><i>&lt;b&gt;&quot;&amp;</i></body>');
  expect([reply.header('etag'), reply.header('accept-ranges'), reply.header('content-md5')]).toEqual([
    'W/"v1"',
    null,
    null,
  ]);
  expect(reply.header('content-length')).toBe(null);
  const [asked] = shop.received;
  expect([asked?.header('accept-encoding'), asked?.header('range'), asked?.header('if-range')]).toEqual([
    'identity',
    null,
    null,
  ]);
});

matrix(
  'a value that lands in JSON stays in its string',
  async ({ gateway, origin }) => {
    const body = '{"name":"NAME"}';
    const shop = await origin({
      script: ['read head', { respond: 200, headers: ['Content-Type', 'application/json'], body }],
    });
    const substitute = { rules: [{ find: 'NAME', replace: '{header.x-name}' }], types: ['+json', 'application/json'] };
    const reply = await (await gateway(substituting(shop, { substitute }))).send({
      headers: ['X-Name', '","admin":"'],
    });
    expect(JSON.parse(reply.text)).toEqual({ name: '","admin":"' });
  },
  { without: ONE_PROTOCOL },
);

const UNTOUCHED: readonly (readonly [why: string, headers: readonly string[]])[] = [
  ['another type', ['Content-Type', 'text/plain']],
  ['another charset', ['Content-Type', 'text/html; charset=iso-8859-1']],
  ['another charset in quotes', ['Content-Type', 'text/html;Charset="Shift_JIS"']],
  ['encoded', ['Content-Type', 'text/html', 'Content-Encoding', 'gzip']],
  ['no-transform', ['Content-Type', 'text/html', 'Cache-Control', 'no-transform']],
  ['a part', ['Content-Type', 'text/html', 'Content-Range', 'bytes 0-9/20']],
];

matrix(
  'what must not be changed stays as it is, with its tag',
  async ({ gateway, origin }) => {
    const shop = await origin({
      script: UNTOUCHED.flatMap(
        ([, headers]) => ['read head', { respond: 200, headers: [...headers, 'ETag', '"a"'], body: PAGE }] as const,
      ),
    });
    const connection = await (await gateway(substituting(shop))).connect();
    for (const [why] of UNTOUCHED) {
      const reply = await connection.send({});
      expect([why, reply.text, reply.header('etag')]).toEqual([why, PAGE, '"a"']);
    }
  },
  { without: ONE_PROTOCOL },
);

matrix('a body that was changed is compressed after', async ({ gateway, origin }) => {
  const shop = await origin({ script: html(PAGE.repeat(100)) });
  const front = await gateway(substituting(shop, { compress: { codings: ['gzip'] } }));
  const reply = await front.send({ headers: ['Accept-Encoding', 'gzip'] });
  const text = gunzipSync(reply.body).toString();
  expect([text.includes('app.internal'), text.split('https://shop.test').length]).toEqual([false, 101]);
  expect(reply.header('vary')).toBe('Accept-Encoding');
});

matrix('it streams: all but the begin of a text goes on at once, and a text in two pieces is found', async (stage) => {
  const seen = { text: '' };
  const steps = [
    ['<p>http://app', '<p>'],
    ['.internal</p>ht', '<p>https://shop.test</p>'],
    ['ml', '<p>https://shop.test</p>html'],
  ].flatMap(([piece = '', whole]): Step[] => [
    { send: `${piece.length.toString(16)}\r\n${piece}\r\n` },
    { wait: () => until(() => seen.text === whole, `${whole}`) },
  ]);
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n';
  const shop = await stage.origin({ script: ['read head', { send: head }, ...steps, { send: '0\r\n\r\n' }] });
  const exchange = (await (await stage.gateway(substituting(shop))).connect()).begin({});
  while (!seen.text.endsWith('html')) seen.text += (await exchange.read(1)).toString();
  expect((await exchange.reply()).ended).toBe('clean');
});

matrix(
  'an endpoint that fails in the middle leaves a body that is cut off',
  async (stage) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\n${PAGE}`;
    const shop = await stage.origin({ script: ['read head', { send: head }, 'reset'] });
    expect((await (await stage.gateway(substituting(shop))).send({})).ended).not.toBe('clean');
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'no client gets from the cache what was written for another one',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: html(PAGE, 'Cache-Control', 'max-age=60', 'ETag', '"v1"') });
    const front = await gateway(substituting(shop, { cache: true, compress: true }));
    const connection = await front.connect();
    const ask = async (name: string): Promise<string> => (await connection.send({ headers: ['X-Name', name] })).text;
    expect(
      [await ask('ann'), await ask('bob'), await ask('ann'), await ask('bob')].map(
        (text) => /<i>(.*)<\/i>/.exec(text)?.[1],
      ),
    ).toEqual(['ann', 'bob', 'ann', 'bob']);
    expect(shop.requests).toBe(2);
    const part = await connection.send({ headers: ['X-Name', 'ann', 'Range', 'bytes=0-3'] });
    expect([part.status, shop.requests]).toEqual([200, 2]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'after a reload with another rule nothing is served of the old one',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: html('a page', 'Cache-Control', 'max-age=60') });
    const config = (replace: string): TestConfig =>
      substituting(shop, { name: 'all', cache: true, substitute: { rules: [{ find: 'page', replace }] } });
    const front = await gateway(config('leaf'));
    expect([(await front.send({})).text, (await front.send({})).text]).toEqual(['a leaf', 'a leaf']);
    await front.reload(config('sheet'));
    expect((await front.send({})).text).toBe('a sheet');
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'HEAD says what GET would',
  async ({ gateway, origin }) => {
    const send = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: "a"\r\nContent-Length: 50\r\n\r\n';
    const shop = await origin({ script: ['read head', { send }] });
    const reply = await (await gateway(substituting(shop))).send({ method: 'HEAD' });
    expect([reply.header('etag'), reply.header('content-length')]).toEqual(['W/"a"', null]);
  },
  { without: ONE_PROTOCOL },
);
