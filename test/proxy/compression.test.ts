import { randomBytes } from 'node:crypto';
import {
  brotliDecompressSync,
  createBrotliDecompress,
  createGunzip,
  createZstdDecompress,
  gunzipSync,
  zstdDecompressSync,
} from 'node:zlib';
import { expect } from 'vitest';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { isHttp2, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';
import { RawClient } from '../kit/raw-client.ts';
import type { Step } from '../kit/script.ts';

const CODINGS = ['zstd', 'br', 'gzip'] as const;
type Coding = (typeof CODINGS)[number];

const decode: Readonly<Record<Coding, (body: Buffer) => Buffer>> = {
  zstd: (body) => zstdDecompressSync(body),
  br: (body) => brotliDecompressSync(body),
  gzip: (body) => gunzipSync(body),
};

/** For `without`: the protocols are those of the other two. */
const OTHER_TLS = { 'h1-tls': 'as h1', h2c: 'as h2' } as const;

const TEXT = ['Content-Type', 'text/plain; charset=utf-8'];

function compressing(
  shop: Origin,
  compress: NonNullable<Forwarding['route']>['compress'] = true,
  pool: Forwarding['pool'] = {},
): TestConfig {
  return forwardTo(shop, { route: { compress }, pool });
}

function accepting(coding: string): { readonly headers: readonly string[] } {
  return { headers: ['Accept-Encoding', coding] };
}

/** A text that neither compresses to nothing nor not at all. */
function text(length: number): string {
  let made = '';
  for (let i = 0; made.length < length; i += 1) made += `${(i * 2_654_435_761) % 100_003} `;
  return made.slice(0, length);
}

/** In chunks, without a length. */
function chunked(body: string, headers: readonly string[] = TEXT): readonly Step[] {
  const fields = headers.map((part, i) => (i % 2 === 0 ? `${part}: ` : `${part}\r\n`)).join('');
  const chunks: string[] = [];
  for (let at = 0; at < body.length; at += 50_000) {
    const piece = body.slice(at, at + 50_000);
    chunks.push(`${piece.length.toString(16)}\r\n${piece}\r\n`);
  }
  return [
    'read head',
    { send: `HTTP/1.1 200 OK\r\n${fields}Transfer-Encoding: chunked\r\n\r\n` },
    { sendEach: [...chunks, '0\r\n\r\n'] },
  ];
}

const SIZES = [0, 1, 1023, 1024, 16_384, 16_385, 65_535, 65_536, 65_537];

matrix(
  'a body of any size comes out as it went in, by every coding, of known and unknown length',
  async (stage) => {
    // One coding after the other, so that all are seen at all sizes over the protocols together.
    const turn = isHttp2(stage.downstream) ? 1 : 0;
    const bodies = SIZES.map(text);
    const known = await stage.origin({
      script: bodies.flatMap((body) => ['read head', { respond: 200, headers: TEXT, body }] as const),
    });
    const unknown = await stage.origin({ script: bodies.flatMap((body) => chunked(body)) });
    for (const shop of [known, unknown]) {
      const connection = await (await stage.gateway(compressing(shop))).connect();
      for (const [index, body] of bodies.entries()) {
        const coding = CODINGS[(index + turn) % CODINGS.length] as Coding;
        const reply = await connection.send(accepting(coding));
        const small = shop === known && body.length < 1024;
        expect([body.length, reply.header('content-encoding')]).toEqual([body.length, small ? null : coding]);
        expect(reply.header('content-length')).toBe(small ? String(body.length) : null);
        expect((small ? reply.body : decode[coding](reply.body)).toString() === body).toBe(true);
      }
    }
  },
  { without: OTHER_TLS },
);

matrix(
  'a body of 5 MiB comes out as it went in',
  async ({ gateway, origin }) => {
    const body = text(65_000).repeat(81);
    const shop = await origin({ script: chunked(body) });
    const reply = await (await gateway(compressing(shop))).send(accepting('zstd'));
    expect(decode.zstd(reply.body).toString() === body).toBe(true);
  },
  { without: OTHER_TLS },
);

matrix(
  'what clients accept decides, and only those whose wishes differ are told apart',
  async ({ gateway, origin }) => {
    const body = text(2_000);
    const shop = await origin({ script: ['read head', { respond: 200, headers: [...TEXT, 'Vary', 'Origin'], body }] });
    const connection = await (await gateway(compressing(shop))).connect();
    const codingFor = async (accepted: string): Promise<string | null> => {
      const reply = await connection.send(accepting(accepted));
      expect(reply.header('vary')).toBe('Origin, Accept-Encoding');
      return reply.header('content-encoding');
    };
    expect(await codingFor('gzip, deflate, br, zstd')).toBe('zstd');
    expect(await codingFor('gzip, br;q=0.9')).toBe('gzip');
    expect(await codingFor('gzip;q=0.5, br;q=0.5')).toBe('br');
    expect(await codingFor('identity;q=0, *')).toBe('zstd');
    expect(await codingFor('*, zstd;q=0')).toBe('br');
    expect(await codingFor('identity, gzip;q=0.5')).toBe(null);
    expect(await codingFor('deflate')).toBe(null);
    expect(await codingFor('gzip;q=0')).toBe(null);
    expect((await connection.send({})).header('content-encoding')).toBe(null);
  },
  { without: ONE_PROTOCOL },
);

matrix('the head says what the body is now, and trailers stay', async ({ gateway, origin }) => {
  const head = [
    'HTTP/1.1 200 OK',
    'Content-Type: application/problem+json',
    'ETag: "v1"',
    'Accept-Ranges: bytes',
    'Content-Digest: sha-256=:x:',
    'Repr-Digest: sha-256=:x:',
    'Content-MD5: x',
    'Trailer: X-Sum',
    'Transfer-Encoding: chunked',
  ];
  const shop = await origin({
    script: ['read head', { send: `${head.join('\r\n')}\r\n\r\n2\r\n{}\r\n0\r\nX-Sum: 7\r\nRepr-Digest: x\r\n\r\n` }],
  });
  const reply = await (await gateway(compressing(shop))).send({
    headers: ['Accept-Encoding', 'gzip', 'TE', 'trailers'],
  });
  expect(gunzipSync(reply.body).toString()).toBe('{}');
  expect(reply.header('etag')).toBe('W/"v1"');
  expect([reply.trailers.first('x-sum'), reply.trailers.first('repr-digest')]).toEqual(['7', null]);
  for (const name of ['content-length', 'accept-ranges', 'content-digest', 'repr-digest', 'content-md5'])
    expect([name, reply.header(name)]).toEqual([name, null]);
});

const UNTOUCHED: readonly (readonly [why: string, headers: readonly string[]])[] = [
  ['no-transform', [...TEXT, 'Cache-Control', 'max-age=1, no-transform']],
  ['encoded already', [...TEXT, 'Content-Encoding', 'deflate']],
  ['said to be identity', [...TEXT, 'Content-Encoding', 'identity']],
  ['an event stream', ['Content-Type', 'text/event-stream']],
  ['gRPC', ['Content-Type', 'application/grpc']],
  ['a picture', ['Content-Type', 'image/png']],
  ['of no type', []],
  ['WOFF', ['Content-Type', 'font/woff2']],
  ['a range', [...TEXT, 'Content-Range', 'bytes 0-1999/4000']],
];

matrix(
  'some bodies are never compressed, and keep their tag',
  async ({ gateway, origin }) => {
    const body = text(2_000);
    const shop = await origin({
      script: UNTOUCHED.flatMap(
        ([, headers]) => ['read head', { respond: 200, headers: [...headers, 'ETag', '"a"'], body }] as const,
      ),
    });
    const types = ['text/*', 'application/grpc'];
    const connection = await (await gateway(compressing(shop, { types }))).connect();
    for (const [why, headers] of UNTOUCHED) {
      const reply = await connection.send(accepting('gzip'));
      const coding = headers.includes('Content-Encoding') ? (headers.at(-1) ?? null) : null;
      const seen = [
        why,
        reply.header('content-encoding'),
        reply.text === body,
        reply.header('etag'),
        reply.header('vary'),
      ];
      expect(seen).toEqual([why, coding, true, '"a"', null]);
    }
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a part stays as it is, and says that the whole would not',
  async ({ gateway, origin }) => {
    const headers = [...TEXT, 'Content-Range', 'bytes 0-1999/4000', 'ETag', '"a"'];
    const shop = await origin({ script: ['read head', { respond: 206, headers, body: text(2_000) }] });
    const reply = await (await gateway(compressing(shop))).send({
      headers: ['Accept-Encoding', 'gzip', 'Range', 'bytes=0-1999'],
    });
    expect([reply.status, reply.header('content-encoding'), reply.header('vary'), reply.header('etag')]).toEqual([
      206,
      null,
      'Accept-Encoding',
      '"a"',
    ]);
    expect(reply.text).toBe(text(2_000));
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a client that resumes by date gets all of it: it may have the beginning of a compressed body',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(compressing(shop));
    const date = 'Sat, 21 Nov 2026 00:00:00 GMT';
    await front.send({ headers: ['Accept-Encoding', 'gzip', 'Range', 'bytes=9-', 'If-Range', date] });
    await front.send({ headers: ['Accept-Encoding', 'gzip', 'Range', 'bytes=9-', 'If-Range', '"a"'] });
    await front.send({ headers: ['Range', 'bytes=9-', 'If-Range', date] });
    expect(shop.received.map((request) => request.header('range'))).toEqual([null, 'bytes=9-', 'bytes=9-']);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a client that forbids transformations gets what the endpoint sent',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', { respond: 200, headers: TEXT, body: text(2_000) }] });
    const reply = await (await gateway(compressing(shop))).send({
      headers: ['Accept-Encoding', 'gzip', 'Cache-Control', 'no-transform'],
    });
    expect([reply.header('content-encoding'), reply.text]).toEqual([null, text(2_000)]);
  },
  { without: ONE_PROTOCOL },
);

matrix('HEAD gets the head of GET, and no body', async ({ gateway, origin }) => {
  const send = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: "a"\r\nContent-Length: 4000\r\n\r\n`;
  const shop = await origin({ script: ['read head', { send }, 'read head', { send }] });
  const reply = await (await gateway(compressing(shop))).send({ method: 'HEAD', ...accepting('br') });
  expect([reply.header('content-encoding'), reply.header('etag'), reply.header('content-length')]).toEqual([
    'br',
    'W/"a"',
    null,
  ]);
  expect([reply.header('vary'), reply.body.length, reply.ended]).toEqual(['Accept-Encoding', 0, 'clean']);
});

matrix('a 304 has the tag that its client has', async ({ gateway, origin }) => {
  const shop = await origin({
    script: ['read head', { send: 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nRepr-Digest: x\r\nVary: Origin\r\n\r\n' }],
  });
  const front = await gateway(compressing(shop));
  const ask = async (tag: string) => front.send({ headers: ['Accept-Encoding', 'gzip', 'If-None-Match', tag] });
  const weak = await ask('W/"a"');
  expect([weak.status, weak.header('etag'), weak.header('vary')]).toEqual([304, 'W/"a"', 'Origin, Accept-Encoding']);
  expect(weak.header('repr-digest')).toBe(null);
  const strong = await ask('"b", "a"');
  expect([strong.status, strong.header('etag'), strong.header('repr-digest')]).toEqual([304, '"a"', 'x']);
  expect(shop.received.map((request) => request.header('if-none-match'))).toEqual(['W/"a"', '"b", "a"']);
});

const makers = { zstd: createZstdDecompress, br: createBrotliDecompress, gzip: createGunzip };

matrix(
  'each piece reaches the client before the next is sent',
  async ({ gateway, origin }) => {
    for (const coding of CODINGS) {
      const seen = { length: 0 };
      let sent = 0;
      const steps = ['one ', 'two ', text(1_500), 'four'].flatMap((piece): Step[] => {
        sent += piece.length;
        const all = sent;
        const arrived = (): Promise<void> => until(() => seen.length === all, `all of ${all} octets to arrive`);
        return [{ send: `${piece.length.toString(16)}\r\n${piece}\r\n` }, { wait: arrived }];
      });
      const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n';
      const shop = await origin({ script: ['read head', { send: head }, ...steps, { send: '0\r\n\r\n' }] });
      const exchange = (await (await gateway(compressing(shop))).connect()).begin(accepting(coding));
      const decoder = makers[coding]();
      decoder.on('data', (made: Buffer) => {
        seen.length += made.length;
      });
      expect((await exchange.head()).header('content-encoding')).toBe(coding);
      // Octet by octet, so that nothing waits for more than there is.
      while (seen.length < sent) decoder.write(await exchange.read(1));
      expect((await exchange.reply()).ended).toBe('clean');
      expect(shop.failures).toEqual([]);
    }
  },
  { without: OTHER_TLS },
);

matrix('an endpoint that fails in the middle leaves a body that is cut off, never one that ends', async (stage) => {
  for (const coding of CODINGS) {
    const send = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 900000\r\n\r\n${text(100_000)}`;
    const shop = await stage.origin({ script: ['read head', { send }, 'reset'] });
    const front = await stage.gateway(compressing(shop));
    const reply = await front.send(accepting(coding));
    expect(reply.ended).not.toBe('clean');
    expect((await front.gateway.nextRecord()).end.side).toBe('upstream');
  }
});

matrix('a client that leaves ends the compression, and what is upstream', async (stage) => {
  const shop = await stage.origin({
    script: [
      'read head',
      { send: 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 900000000\r\n\r\n' },
      { fill: 900_000_000 },
    ],
  });
  // One at once: the second shows that the first is over.
  const front = await stage.gateway(compressing(shop, { atOnce: 1 }));
  for (let i = 0; i < 2; i += 1) {
    const connection = await front.connect();
    const exchange = connection.begin(accepting('gzip'));
    expect((await exchange.head()).header('content-encoding')).toBe('gzip');
    await exchange.read(1_000);
    exchange.leave();
    expect((await front.gateway.nextRecord()).end.reason).toBe('client-gone');
    await shop.closed(i + 1);
  }
});

matrix('more bodies than may be compressed at once pass as they are, and the log says so', async (stage) => {
  let release = (): void => {};
  const go = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow: Step[] = [
    'read head',
    { send: `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4000\r\n\r\n${text(2_000)}` },
    { wait: go },
    { send: text(2_000) },
  ];
  const fast: Step[] = ['read head', { respond: 200, headers: TEXT, body: text(2_000) }];
  const shop = await stage.origin({ scripts: [slow, fast] });
  const front = await stage.gateway(compressing(shop, { atOnce: 1 }));
  const first = (await front.connect()).begin(accepting('gzip'));
  expect((await first.head()).header('content-encoding')).toBe('gzip');
  const second = await front.send(accepting('gzip'));
  expect([second.header('content-encoding'), second.text, second.header('vary')]).toEqual([
    null,
    text(2_000),
    'Accept-Encoding',
  ]);
  expect((await front.gateway.nextRecord()).notes).toEqual(['compress:too-many']);
  release();
  expect(gunzipSync((await first.reply()).body).toString()).toBe(text(2_000) + text(2_000));
  expect((await front.send(accepting('gzip'))).header('content-encoding')).toBe('gzip');
});

matrix(
  'a client that does not read holds the endpoint back, and gets all of it when it does',
  async ({ gateway, origin }) => {
    const mib = randomBytes(1024 * 1024);
    const state = { sent: 0 };
    const pieces = Array.from({ length: 24 }, (): Step[] => [
      { sendEach: [mib] },
      {
        wait: async () => {
          state.sent += 1;
        },
      },
    ]).flat();
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 25165824\r\n\r\n';
    const shop = await origin({ script: ['read head', { send: head }, ...pieces] });
    const front = await gateway(compressing(shop, { codings: ['gzip'], level: { gzip: 1 } }));
    const client = await RawClient.connect({ port: front.gateway.port() });
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: shop.test\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n');
    // Until it stands still: the kernel's buffers are full, and ours.
    for (let still = 0, before = -1; still < 10; before = state.sent) {
      await new Promise((resolve) => setTimeout(resolve, 15));
      still = state.sent === before && before > 0 ? still + 1 : 0;
    }
    expect(state.sent).toBeLessThan(20);
    client.socket.resume();
    const { body } = await client.response();
    expect(gunzipSync(body).equals(Buffer.concat(Array(24).fill(mib)))).toBe(true);
  },
  { without: ONE_PROTOCOL },
);
