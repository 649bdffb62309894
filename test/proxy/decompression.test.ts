import { once } from 'node:events';
import { brotliCompressSync, constants, createGzip, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { expect } from 'vitest';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';

const encode: Readonly<Record<string, (body: string | Buffer) => Buffer>> = {
  gzip: gzipSync,
  'X-GZip': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
};

function decoding(shop: Origin, route: Forwarding['route'] = {}, rest: Forwarding = {}): TestConfig {
  return forwardTo(shop, { ...rest, route: { decompress: true, ...route } });
}

const post = (coding: string, body: Buffer | string) => ({
  method: 'POST',
  headers: ['Content-Encoding', coding],
  body,
});

matrix('an endpoint gets a body without its coding, and nothing that was about it', async ({ gateway, origin }) => {
  const shop = await origin();
  const connection = await (await gateway(decoding(shop))).connect();
  const text = 'some form of text, '.repeat(5_000);
  for (const [i, [coding, make]] of Object.entries(encode).entries()) {
    const headers = ['Content-Encoding', coding, 'Content-MD5', 'x', 'Content-Digest', 'sha-256=:x:'];
    expect((await connection.send({ method: 'POST', headers, body: make(text) })).status).toBe(200);
    const got = await shop.complete(i);
    expect([coding, got.text === text, got.header('content-encoding')]).toEqual([coding, true, null]);
    expect([got.header('content-length'), got.header('content-md5'), got.header('content-digest')]).toEqual([
      null,
      null,
      null,
    ]);
    expect(got.header('transfer-encoding')).toBe('chunked');
  }
});

matrix(
  'what has no coding, and what has no body, stays as it is',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const connection = await (await gateway(decoding(shop))).connect();
    await connection.send({ method: 'POST', body: 'plain' });
    await connection.send(post('identity', 'plain'));
    await connection.send({ headers: ['Content-Encoding', 'compress'] });
    expect([(await shop.complete(0)).text, (await shop.complete(1)).text]).toEqual(['plain', 'plain']);
    expect(shop.received.map((request) => request.header('content-length'))).toEqual(['5', '5', null]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'an unknown coding, and more than one, are refused before anything is asked upstream',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(decoding(shop));
    for (const coding of ['compress', 'gzip, br', 'gzip, gzip', 'constructor', ',gzip', 'gzip;q=1']) {
      const reply = await front.send(post(coding, gzipSync('x')));
      expect([coding, reply.status, reply.header('accept-encoding')]).toEqual([coding, 415, 'gzip, deflate, br, zstd']);
      expect(reply.text).toContain('body-encoding-unsupported');
    }
    expect(shop.accepted).toBe(0);
  },
);

matrix('a bomb is cut off, with 413', async ({ gateway, origin }) => {
  const shop = await origin({ script: ['read head', 'discard body', 'silent'] });
  const front = await gateway(decoding(shop, { decompress: { limit: '300k', ratio: 10_000 } }));
  for (const [coding, make] of Object.entries(encode)) {
    const reply = await front.send(post(coding, make(Buffer.alloc(1024 * 1024))));
    expect([coding, reply.status]).toEqual([coding, 413]);
    expect(reply.text).toContain('decompressed-too-large');
    expect((await front.gateway.nextRecord()).end).toMatchObject({ side: 'client', reason: 'decompressed-too-large' });
  }
  expect(shop.received.every(({ bodyBytes }) => bodyBytes <= 300 * 1024)).toBe(true);
});

matrix(
  'a body that grows by more than the ratio is cut off too, and so is what is announced too large',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', 'discard body', 'silent'] });
    const front = await gateway(decoding(shop, { decompress: { limit: '100M', ratio: 20 } }));
    expect((await front.send(post('gzip', gzipSync(Buffer.alloc(2 * 1024 * 1024))))).status).toBe(413);
    const small = await gateway(decoding(shop, { decompress: { limit: 100 } }));
    const accepted = shop.accepted;
    expect((await small.send(post('gzip', Buffer.alloc(101)))).status).toBe(413);
    expect(shop.accepted).toBe(accepted);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'the limits of the route hold for what comes and for what is decoded',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', 'discard body', 'silent'] });
    const front = await gateway(decoding(shop, { limits: { body: '10k' } }));
    const decoded = await front.send(post('gzip', gzipSync('x'.repeat(20_000))));
    expect([decoded.status, decoded.text.includes('body-too-large')]).toEqual([413, true]);
    const announced = await front.send(post('gzip', Buffer.alloc(10_241)));
    expect([announced.status, announced.text.includes('body-too-large')]).toEqual([413, true]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a body that is not what it says is 400, also where it ends too early or goes on',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', 'discard body', 'silent'] });
    const front = await gateway(decoding(shop));
    for (const [coding, make] of Object.entries(encode)) {
      const good = make('some form of text, '.repeat(500));
      const bad = [
        Buffer.from('no such thing'),
        good.subarray(0, -1),
        good.subarray(0, 4),
        Buffer.concat([good, Buffer.from('and more')]),
      ];
      for (const [i, body] of bad.entries()) {
        const reply = await front.send(post(coding, body));
        expect([coding, i, reply.status]).toEqual([coding, i, 400]);
        expect(reply.text).toContain('body-encoding-malformed');
      }
    }
  },
  { without: ONE_PROTOCOL },
);

matrix('what has come is decoded and sent on before more comes', async ({ gateway, origin }) => {
  const shop = await origin({ script: ['read head', 'discard body', 'respond 200'] });
  const exchange = (await (await gateway(decoding(shop))).connect()).begin({
    method: 'POST',
    chunked: true,
    headers: ['Content-Encoding', 'gzip'],
  });
  const encoder = createGzip();
  const pieces: Buffer[] = [];
  encoder.on('data', (piece: Buffer) => pieces.push(piece));
  let sent = 0;
  for (const text of ['one', 'two', 'x'.repeat(50_000)]) {
    encoder.write(text);
    await new Promise<void>((resolve) => encoder.flush(constants.Z_SYNC_FLUSH, () => resolve()));
    sent += text.length;
    for (const piece of pieces.splice(0)) await exchange.write(piece);
    await until(() => (shop.received[0]?.bodyBytes ?? 0) === sent, `${sent} octets at the endpoint`);
  }
  encoder.end();
  await once(encoder, 'end');
  for (const piece of pieces) await exchange.write(piece);
  exchange.end();
  expect((await exchange.reply()).status).toBe(200);
});

matrix(
  'a body that was decoded is sent again to the next endpoint',
  async (stage) => {
    const first = await stage.origin({ script: ['read head', 'discard body', 'close'] });
    const second = await stage.origin();
    const front = await stage.gateway(
      forwardTo([first, second], { route: { decompress: true, retry: { on: ['reset'] } } }),
    );
    const text = 'again and again, '.repeat(500);
    for (let i = 0; i < 2; i += 1) {
      const reply = await front.send({ ...post('gzip', gzipSync(text)), method: 'PUT' });
      expect(reply.status).toBe(200);
    }
    for (let i = 0; i < 2; i += 1) expect((await second.complete(i)).text === text).toBe(true);
  },
  { without: ONE_PROTOCOL },
);

matrix('a client that leaves in the middle ends it upstream', async (stage) => {
  const shop = await stage.origin({ script: ['read head', 'discard body', 'silent'] });
  const front = await stage.gateway(decoding(shop));
  const exchange = (await front.connect()).begin({
    method: 'POST',
    chunked: true,
    headers: ['Content-Encoding', 'gzip'],
  });
  await exchange.write(gzipSync('x'.repeat(100_000)).subarray(0, 100));
  await shop.request(0);
  exchange.leave();
  await shop.closed(1);
  expect((await front.gateway.nextRecord()).end.reason).toBe('client-gone');
});
