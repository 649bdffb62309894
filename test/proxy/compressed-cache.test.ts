import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { expect } from 'vitest';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';
import type { Step } from '../kit/script.ts';

const BODY = 'a page of text, '.repeat(200);

function page(...headers: readonly string[]): readonly Step[] {
  const all = ['Content-Type', 'text/html', 'Cache-Control', 'max-age=60', 'ETag', '"v1"', ...headers];
  return ['read head', { respond: 200, headers: all, body: BODY }];
}

function caching(shop: Origin, route: Forwarding['route'] = {}): TestConfig {
  return forwardTo(shop, {
    pool: { connections: { keepAlive: '1h' } },
    route: { cache: true, compress: true, ...route },
  });
}

const decoders: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  zstd: (body) => zstdDecompressSync(body),
  br: (body) => brotliDecompressSync(body),
  gzip: (body) => gunzipSync(body),
};

function decoded(coding: string | null, body: Buffer): string {
  return (coding === null ? body : (decoders[coding]?.(body) ?? Buffer.from('?'))).toString();
}

/** What clients send, and which stored variant they share. */
const ACCEPTED: readonly (readonly [value: string | null, coding: string | null])[] = [
  ['gzip, deflate, br, zstd', 'zstd'],
  ['zstd', 'zstd'],
  ['*', 'zstd'],
  ['gzip, deflate, br', 'br'],
  ['br;q=0.5, gzip;q=0.4', 'br'],
  ['gzip', 'gzip'],
  ['gzip, br;q=0.9', 'gzip'],
  ['x-gzip', 'gzip'],
  [null, null],
  ['identity', null],
  ['identity, gzip;q=0.1', null],
  ['deflate', null],
  ['gz ip', null],
];

matrix('each coding is made and stored once, whatever clients call it', async ({ gateway, origin }) => {
  const shop = await origin({ script: page() });
  const connection = await (await gateway(caching(shop))).connect();
  const lengths = new Map<string | null, number>();
  for (const round of ['first', 'second']) {
    for (const [value, coding] of ACCEPTED) {
      const reply = await connection.send({ headers: value === null ? [] : ['Accept-Encoding', value] });
      const isHit = reply.header('cache-status')?.includes('; hit') === true;
      expect([value, reply.header('content-encoding'), isHit]).toEqual([
        value,
        coding,
        round === 'second' || lengths.has(coding),
      ]);
      expect(decoded(coding, reply.body)).toBe(BODY);
      expect([reply.header('vary'), reply.header('etag')]).toEqual([
        'Accept-Encoding',
        coding === null ? '"v1"' : 'W/"v1"',
      ]);
      // The very same bytes: nothing is compressed again.
      expect(reply.body.length).toBe(lengths.get(coding) ?? reply.body.length);
      if (isHit) expect(reply.header('content-length')).toBe(String(reply.body.length));
      lengths.set(coding, reply.body.length);
    }
  }
  expect(shop.requests).toBe(4);
  expect(shop.received.map((request) => request.header('accept-encoding'))).toEqual(['zstd', 'br', 'gzip', 'identity']);
});

matrix(
  'a client that forbids transformations has the plain variant, stored and not',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: page() });
    const connection = await (await gateway(caching(shop))).connect();
    const headers = ['Accept-Encoding', 'gzip', 'Cache-Control', 'no-transform'];
    expect((await connection.send({ headers: ['Accept-Encoding', 'gzip'] })).header('content-encoding')).toBe('gzip');
    for (let i = 0; i < 2; i += 1) expect((await connection.send({ headers })).text).toBe(BODY);
    expect((await connection.send({ headers: ['Accept-Encoding', 'gzip'] })).header('content-encoding')).toBe('gzip');
    expect(shop.requests).toBe(2);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'codings of the key are those that are made',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: page() });
    const connection = await (await gateway(caching(shop, { cache: { key: { encodings: ['gzip'] } } }))).connect();
    for (const accepted of ['gzip, br, zstd', 'br, gzip;q=0.1', 'gzip']) {
      const reply = await connection.send({ headers: ['Accept-Encoding', accepted] });
      expect([reply.header('content-encoding'), decoded('gzip', reply.body)]).toEqual(['gzip', BODY]);
    }
    expect((await connection.send({ headers: ['Accept-Encoding', 'br'] })).text).toBe(BODY);
    expect(shop.requests).toBe(2);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'what is stale is asked for by the tag that its endpoint gave it, and clients have the weak one',
  async (stage) => {
    const clock = new ManualClock();
    const notModified = 'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\nVary: Origin\r\nCache-Control: max-age=60\r\n\r\n';
    const shop = await stage.origin({ script: [...page('Vary', 'Origin'), 'read head', { send: notModified }] });
    const connection = await (await stage.gateway(caching(shop), { clock })).connect();
    const headers = ['Accept-Encoding', 'br'];
    await connection.send({ headers });
    clock.advance(61_000);
    const reply = await connection.send({ headers });
    expect([reply.status, reply.header('etag'), decoded('br', reply.body)]).toEqual([200, 'W/"v1"', BODY]);
    expect(shop.received[1]?.header('if-none-match')).toBe('"v1"');
    // It still varies, though the 304 says nothing of it.
    expect(reply.header('vary')).toBe('Origin, Accept-Encoding');
    expect((await connection.send({ headers: [...headers, 'If-None-Match', 'W/"v1"'] })).status).toBe(304);
    expect(shop.requests).toBe(2);
    expect((await connection.send({})).text).toBe(BODY);
    expect(shop.requests).toBe(3);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'no range of what was compressed here is served, but all of it',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: page('Accept-Ranges', 'bytes') });
    const connection = await (await gateway(caching(shop))).connect();
    await connection.send({ headers: ['Accept-Encoding', 'gzip'] });
    for (const more of [[], ['If-Range', 'W/"v1"'], ['If-Range', '"v1"']]) {
      const reply = await connection.send({ headers: ['Accept-Encoding', 'gzip', 'Range', 'bytes=0-9', ...more] });
      expect([reply.status, reply.header('accept-ranges'), decoded('gzip', reply.body)]).toEqual([200, null, BODY]);
    }
    expect(shop.requests).toBe(1);
    await connection.send({});
    const part = await connection.send({ headers: ['Range', 'bytes=2-5'] });
    expect([part.status, part.text, part.header('vary')]).toEqual([206, BODY.slice(2, 6), 'Accept-Encoding']);
    expect(shop.requests).toBe(2);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'HEAD is answered by what is stored for GET',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: page() });
    const connection = await (await gateway(caching(shop))).connect();
    const get = await connection.send({ headers: ['Accept-Encoding', 'gzip'] });
    const head = await connection.send({ method: 'HEAD', headers: ['Accept-Encoding', 'gzip'] });
    expect([head.header('content-encoding'), head.header('content-length'), head.header('etag')]).toEqual([
      'gzip',
      String(get.body.length),
      'W/"v1"',
    ]);
    expect(shop.requests).toBe(1);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'those who ask at the same time share one compression, and read while it is made',
  async (stage) => {
    let go = (): void => {};
    const wait = new Promise<void>((resolve) => {
      go = resolve;
    });
    const head = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCache-Control: max-age=60\r\nContent-Length: ${BODY.length}\r\n\r\n`;
    const shop = await stage.origin({
      script: ['read head', { send: head + BODY.slice(0, 900) }, { wait }, { send: BODY.slice(900) }],
    });
    // One at once: a second compression would be refused.
    const front = await stage.gateway(caching(shop, { compress: { atOnce: 1 } }));
    const first = (await front.connect()).begin({ headers: ['Accept-Encoding', 'gzip'] });
    await first.head();
    const second = (await front.connect()).begin({ headers: ['Accept-Encoding', 'gzip, br;q=0.1'] });
    expect((await second.head()).header('content-encoding')).toBe('gzip');
    go();
    for (const exchange of [first, second]) expect(decoded('gzip', (await exchange.reply()).body)).toBe(BODY);
    expect(shop.requests).toBe(1);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a body that is cut off is not stored',
  async (stage) => {
    const head =
      'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCache-Control: max-age=60\r\nContent-Length: 5000\r\n\r\n';
    const shop = await stage.origin({ scripts: [['read head', { send: head + BODY }, 'reset'], page()] });
    const front = await stage.gateway(caching(shop));
    expect((await front.send({ headers: ['Accept-Encoding', 'gzip'] })).ended).not.toBe('clean');
    const reply = await front.send({ headers: ['Accept-Encoding', 'gzip'] });
    expect([decoded('gzip', reply.body), shop.requests]).toEqual([BODY, 2]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a client that leaves does not keep the rest from being compressed and stored for others',
  async (stage) => {
    let go = (): void => {};
    const wait = new Promise<void>((resolve) => {
      go = resolve;
    });
    const head = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCache-Control: max-age=60\r\nContent-Length: ${BODY.length}\r\n\r\n`;
    const shop = await stage.origin({
      script: ['read head', { send: head + BODY.slice(0, 900) }, { wait }, { send: BODY.slice(900) }],
    });
    const front = await stage.gateway(caching(shop));
    const first = (await front.connect()).begin({ headers: ['Accept-Encoding', 'gzip'] });
    await first.head();
    const second = (await front.connect()).begin({ headers: ['Accept-Encoding', 'gzip'] });
    await second.head();
    first.leave();
    await front.gateway.nextRecord();
    go();
    expect(decoded('gzip', (await second.reply()).body)).toBe(BODY);
    expect((await front.send({ headers: ['Accept-Encoding', 'gzip'] })).header('cache-status')).toContain('; hit');
    expect(shop.requests).toBe(1);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a refresh in the background compresses too',
  async (stage) => {
    const clock = new ManualClock();
    const first = page('X', '1');
    const later: readonly Step[] = [
      'read head',
      { respond: 200, headers: ['Content-Type', 'text/html', 'Cache-Control', 'max-age=60'], body: BODY.toUpperCase() },
    ];
    const shop = await stage.origin({ script: [...first, ...later] });
    const front = await stage.gateway(caching(shop, { cache: { staleWhileRevalidate: '1h' } }), { clock });
    const headers = ['Accept-Encoding', 'zstd'];
    await front.send({ headers });
    clock.advance(61_000);
    expect(decoded('zstd', (await front.send({ headers })).body)).toBe(BODY);
    await front.gateway.refreshed(1);
    const reply = await front.send({ headers });
    expect([reply.header('content-encoding'), decoded('zstd', reply.body)]).toEqual(['zstd', BODY.toUpperCase()]);
    expect(shop.requests).toBe(2);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a body that was not altered keeps its strong tag, whatever tag the client has by which it is asked for anew',
  async ({ gateway, origin }) => {
    const shop = await origin({
      script: [
        'read head',
        {
          respond: 200,
          headers: ['Content-Type', 'image/png', 'Cache-Control', 'no-cache', 'ETag', '"v1"'],
          body: BODY,
        },
        'read head',
        { send: 'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n\r\n' },
      ],
    });
    const connection = await (await gateway(caching(shop))).connect();
    const headers = ['Accept-Encoding', 'gzip'];
    await connection.send({ headers });
    const weak = await connection.send({ headers: [...headers, 'If-None-Match', 'W/"v1"'] });
    expect([weak.status, weak.header('etag')]).toEqual([304, '"v1"']);
    const part = await connection.send({ headers: [...headers, 'Range', 'bytes=0-1', 'If-Range', '"v1"'] });
    expect([part.status, part.header('etag')]).toEqual([206, '"v1"']);
  },
  { without: ONE_PROTOCOL },
);
