import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { HTTP1_ONLY, HTTP2_ONLY, matrix } from '../kit/matrix.ts';

const HOST = 'Host: shop.test\r\n';

const requests: readonly { what: string; bytes: string; status: number }[] = [
  { what: 'two Host fields', bytes: `GET / HTTP/1.1\r\n${HOST}Host: shop.test\r\n\r\n`, status: 400 },
  { what: 'no Host field', bytes: 'GET / HTTP/1.1\r\n\r\n', status: 400 },
  { what: 'a Host that is none', bytes: 'GET / HTTP/1.1\r\nHost: a b/@c\r\n\r\n', status: 400 },
  {
    what: 'a coding before chunked',
    bytes: `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    status: 501,
  },
  {
    what: 'chunks from HTTP/1.0',
    bytes: `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  { what: 'HTTP/2.0 on an HTTP/1 connection', bytes: `GET / HTTP/2.0\r\n${HOST}\r\n`, status: 505 },
  { what: 'a fragment', bytes: `GET /a#b HTTP/1.1\r\n${HOST}\r\n`, status: 400 },
  {
    what: 'a length and chunks',
    bytes: `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    what: 'two lengths',
    bytes: `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
    status: 400,
  },
  { what: 'a length with a sign', bytes: `POST / HTTP/1.1\r\n${HOST}Content-Length: +2\r\n\r\nab`, status: 400 },
  { what: 'a folded field', bytes: `GET / HTTP/1.1\r\n${HOST}X-A: 1\r\n 2\r\n\r\n`, status: 400 },
  { what: 'a NUL in a field', bytes: `GET / HTTP/1.1\r\n${HOST}X-A: a\0b\r\n\r\n`, status: 400 },
  { what: 'a blank before a colon', bytes: `GET / HTTP/1.1\r\n${HOST}X-A : 1\r\n\r\n`, status: 400 },
  { what: 'bare line feeds', bytes: 'GET / HTTP/1.1\nHost: shop.test\n\n', status: 400 },
  {
    what: 'a head beyond the limit',
    bytes: `GET / HTTP/1.1\r\n${HOST}X-A: ${'x'.repeat(20_000)}\r\n\r\n`,
    status: 431,
  },
  { what: 'too many fields', bytes: `GET / HTTP/1.1\r\n${HOST}${'X-A: 1\r\n'.repeat(200)}\r\n`, status: 431 },
  { what: 'CONNECT', bytes: 'CONNECT shop.test:443 HTTP/1.1\r\nHost: shop.test:443\r\n\r\n', status: 501 },
];

for (const { what, bytes, status } of requests) {
  matrix(
    `a request with ${what} is refused with ${status} and goes no further`,
    async ({ gateway, origin }) => {
      const shop = await origin();
      const front = await gateway(forwardTo(shop));
      const client = await front.connectHttp1();
      client.write(bytes);
      const reply = await client.expect().reply();
      expect([reply.status, reply.ended]).toEqual([status, 'clean']);
      // What may be read in two ways is followed by nothing.
      client.write(`GET /smuggled HTTP/1.1\r\n${HOST}\r\n`);
      await client.dismissed();
      expect(shop.accepted).toBe(0);
    },
    { without: HTTP1_ONLY },
  );
}

matrix(
  'a head that comes too slowly costs its connection, and nobody else’s',
  async ({ gateway, origin }) => {
    const clock = new ManualClock(Date.now());
    const front = await gateway(forwardTo(await origin()), { clock });
    const slow = await front.connectHttp1();
    slow.write('GET / HTTP/1.1\r\nHo');
    const other = await front.connect();
    expect((await other.send({})).status).toBe(200);
    clock.advance(12_000);
    expect((await slow.expect().reply()).status).toBe(408);
    await slow.dismissed();
    expect((await other.send({})).status).toBe(200);
  },
  { without: HTTP1_ONLY },
);

matrix(
  'an HTTP/2 request whose Host differs from its authority is refused',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    expect((await front.send({ headers: ['host', 'other.test'] })).status).toBe(400);
    expect((await front.send({ headers: ['host', 'shop.test'] })).status).toBe(200);
    expect((await shop.request()).all('host')).toEqual(['shop.test']);
  },
  { without: HTTP2_ONLY },
);

matrix(
  'an HTTP/2 head beyond the limit is 431',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    expect((await front.send({ headers: ['x-a', 'x'.repeat(20_000)] })).status).toBe(431);
    expect(shop.accepted).toBe(0);
  },
  { without: HTTP2_ONLY },
);

matrix('two hundred requests on one connection leave no warning behind', async ({ gateway, origin }) => {
  const warnings: Error[] = [];
  const note = (warning: Error): number => warnings.push(warning);
  process.on('warning', note);
  const shop = await origin();
  const front = await gateway(forwardTo(shop));
  const connection = await front.connect();
  // Node warns of the eleventh listener that is added to one socket.
  for (let i = 0; i < 200; i += 1) expect((await connection.send({})).status).toBe(200);
  expect(shop.accepted).toBe(1);
  process.off('warning', note);
  expect(warnings).toEqual([]);
});

matrix(
  'streams that a browser resets by the hundred do not cost it its connection',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', 'silent'] });
    const front = await gateway(forwardTo(shop));
    const connection = await front.connect();
    for (let i = 0; i < 300; i += 1) connection.begin({}).leave();
    expect((await connection.send({ path: '/%zz' })).status).toBe(400);
  },
  { without: HTTP2_ONLY },
);
