import { expect } from 'vitest';
import type { ClientRequest, Reply } from '../kit/client.ts';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';
import type { Step } from '../kit/script.ts';

const FRESH = ['Cache-Control', 'max-age=60', 'ETag', '"v1"'];
const TEXT = '0123456789';

const range = (value: string, more: readonly string[] = []): ClientRequest => ({ headers: ['Range', value, ...more] });

/** Bytes `from` to `last` of TEXT. */
function part(from: number, last: number, headers: readonly string[] = FRESH, total = 10): Step {
  const body = TEXT.slice(from, last + 1);
  return { respond: 206, headers: [...headers, 'Content-Range', `bytes ${from}-${last}/${total}`], body };
}

function seen(reply: Reply): readonly unknown[] {
  return [reply.status, reply.text, reply.header('content-range'), reply.ended];
}

matrix('a part is stored and serves what lies inside of it (RFC 9111 §3.3)', async ({ gateway, origin }) => {
  const shop = await origin({ script: [part(2, 7, [...FRESH, 'X-Own', 'a']), part(8, 9)] });
  const front = await gateway(cached(shop));
  const first = await front.send(range('bytes=2-7'));
  expect(seen(first)).toEqual([206, '234567', 'bytes 2-7/10', 'clean']);
  expect(first.header('cache-status')).toBe('headgate; fwd=uri-miss; fwd-status=206; stored');
  for (const [asked, text, contentRange] of [
    ['bytes=2-7', '234567', 'bytes 2-7/10'],
    ['bytes=3-4', '34', 'bytes 3-4/10'],
    ['bytes=7-7', '7', 'bytes 7-7/10'],
  ] as const) {
    const reply = await front.send(range(asked));
    expect(seen(reply)).toEqual([206, text, contentRange, 'clean']);
    expect([reply.header('x-own'), reply.header('content-length')]).toEqual(['a', String(text.length)]);
    expect(reply.header('cache-status')).toMatch(/^headgate; hit; ttl=/);
  }
  expect((await front.send(range('bytes=10-'))).status).toBe(416);
  expect((await front.send({ headers: ['If-None-Match', '"v1"'] })).status).toBe(304);
  expect(shop.requests).toBe(1);
  const beyond = await front.send(range('bytes=8-'));
  expect(seen(beyond)).toEqual([206, '89', 'bytes 8-9/10', 'clean']);
  expect(beyond.header('cache-status')).toBe('headgate; fwd=partial; fwd-status=206; stored');
});

matrix('parts of one version are put together, and complete are a 200 (RFC 9111 §3.4)', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [part(0, 3, [...FRESH, 'X-A', '1', 'X-B', '1']), part(6, 9), part(2, 6, [...FRESH, 'X-A', '2'])],
  });
  const front = await gateway(cached(shop));
  for (const asked of ['bytes=0-3', 'bytes=-4', 'bytes=2-6']) await front.send(range(asked));
  const whole = await front.send({});
  expect(seen(whole)).toEqual([200, TEXT, null, 'clean']);
  expect(['x-a', 'x-b', 'content-length'].map((name) => whole.all(name))).toEqual([['2'], ['1'], ['10']]);
  expect(whole.header('cache-status')).toMatch(/^headgate; hit;/);
  expect((await front.send({ method: 'HEAD' })).header('content-length')).toBe('10');
  expect(shop.requests).toBe(3);
});

matrix('a range from the first byte to the last is the whole', async ({ gateway, origin }) => {
  const shop = await origin({ script: [part(0, 9)] });
  const front = await gateway(cached(shop));
  expect(seen(await front.send(range('bytes=0-')))).toEqual([206, TEXT, 'bytes 0-9/10', 'clean']);
  expect(seen(await front.send({}))).toEqual([200, TEXT, null, 'clean']);
  expect(shop.requests).toBe(1);
});

for (const [where, stored, rest, asked] of [
  ['end', part(0, 3), part(4, 9), 'bytes=4-'],
  ['beginning', part(4, 9), part(0, 3), 'bytes=0-3'],
] as const) {
  matrix(`a GET of everything asks only for what is missing at the ${where}`, async ({ gateway, origin }) => {
    const shop = await origin({ script: [stored, rest] });
    const front = await gateway(cached(shop));
    await front.send(range('bytes=0-3'));
    const whole = await front.send({});
    expect(seen(whole)).toEqual([200, TEXT, null, 'clean']);
    expect([whole.header('content-length'), whole.header('cache-status')]).toEqual([
      '10',
      'headgate; fwd=partial; fwd-status=206; stored',
    ]);
    const received = await shop.request(1);
    expect([received.header('range'), received.header('if-range')]).toEqual([asked, '"v1"']);
    expect(seen(await front.send({}))).toEqual([200, TEXT, null, 'clean']);
    expect(seen(await front.send(range('bytes=3-4')))).toEqual([206, '34', 'bytes 3-4/10', 'clean']);
    expect(shop.requests).toBe(2);
  });
}

matrix('a stale part is completed too, because its tag goes along', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin({ script: [part(0, 3), part(4, 9)] });
  const front = await gateway(cached(shop), { clock });
  const connection = await front.connect();
  await connection.send(range('bytes=0-3'));
  clock.advance(61_000);
  expect(seen(await connection.send({}))).toEqual([200, TEXT, null, 'clean']);
  expect((await connection.send({})).header('cache-status')).toBe('headgate; hit; ttl=60');
});

matrix('a stale part is validated by a request for the same range', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin({ script: [part(0, 3), 'read head', { respond: 304, headers: FRESH }] });
  const front = await gateway(cached(shop), { clock });
  const connection = await front.connect();
  await connection.send(range('bytes=0-3'));
  clock.advance(61_000);
  const confirmed = await connection.send(range('bytes=1-2'));
  expect(seen(confirmed)).toEqual([206, '12', 'bytes 1-2/10', 'clean']);
  expect(confirmed.header('cache-status')).toBe('headgate; fwd=stale; fwd-status=304; stored; ttl=60');
  expect((await connection.send(range('bytes=0-3'))).header('cache-status')).toBe('headgate; hit; ttl=60');
});

matrix('a new version takes the place of the parts of the old one', async ({ gateway, origin }) => {
  const v2 = ['Cache-Control', 'max-age=60', 'ETag', '"v2"'];
  const shop = await origin({
    script: [part(0, 3), { respond: 206, headers: [...v2, 'Content-Range', 'bytes 4-7/8'], body: 'efgh' }],
  });
  const front = await gateway(cached(shop));
  await front.send(range('bytes=0-3'));
  expect(seen(await front.send(range('bytes=4-')))).toEqual([206, 'efgh', 'bytes 4-7/8', 'clean']);
  // Nothing of the old one is left.
  await front.send(range('bytes=0-3'));
  expect(shop.requests).toBe(3);
});

const changed: readonly { what: string; answer: Step; store?: boolean }[] = [
  { what: 'another version of it', answer: part(4, 9, ['Cache-Control', 'max-age=60', 'ETag', '"v2"']) },
  { what: 'a weak tag', answer: part(4, 9, ['Cache-Control', 'max-age=60', 'ETag', 'W/"v1"']) },
  { what: 'no tag', answer: part(4, 9, ['Cache-Control', 'max-age=60']) },
  { what: 'another part', answer: part(3, 9) },
  { what: 'less than was asked for', answer: part(4, 8) },
  { what: 'another length of the whole', answer: part(4, 9, FRESH, 11) },
  { what: 'no Content-Range', answer: { respond: 206, headers: FRESH, body: '456789' } },
  {
    what: 'a length that is not that of the range',
    answer: { respond: 206, headers: [...FRESH, 'Content-Range', 'bytes 4-9/10'], body: '45678' },
  },
  { what: 'a refusal', answer: { respond: 416, headers: ['Content-Range', 'bytes */4'] } },
  {
    what: 'much too much',
    answer: { respond: 206, headers: [...FRESH, 'Content-Range', 'bytes 0-199999/200000'], body: 'x'.repeat(200_000) },
  },
];

for (const { what, answer } of changed) {
  matrix(`${what} instead of the rest makes the gateway ask for everything`, async ({ gateway, origin }) => {
    const all: Step = { respond: 200, headers: ['Cache-Control', 'max-age=60'], body: 'all of it' };
    const script = [part(0, 3), answer, all];
    // The connection of an answer that is too long to be dropped is closed.
    const shop = await origin({ scripts: [script, [all]] });
    const front = await gateway(cached(shop));
    await front.send(range('bytes=0-3'));
    const whole = await front.send({});
    expect(seen(whole)).toEqual([200, 'all of it', null, 'clean']);
    expect(whole.header('cache-status')).toBe('headgate; fwd=partial; fwd-status=200; stored');
    expect((await shop.request(2)).header('range')).toBeNull();
    expect(seen(await front.send({}))).toEqual([200, 'all of it', null, 'clean']);
    expect(shop.requests).toBe(3);
  });
}

matrix('an endpoint that has another version sends all of it, and that is stored', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [part(0, 3), { respond: 200, headers: ['Cache-Control', 'max-age=60', 'ETag', '"v2"'], body: 'new' }],
  });
  const front = await gateway(cached(shop));
  await front.send(range('bytes=0-3'));
  for (let i = 0; i < 2; i += 1) expect(seen(await front.send({}))).toEqual([200, 'new', null, 'clean']);
  expect(shop.requests).toBe(2);
});

matrix('a rest that is cut short is visible to the client, and the part stays', async ({ gateway, origin }) => {
  const shop = await origin({
    scripts: [
      [part(0, 3), 'end'],
      [
        'read head',
        {
          send: `HTTP/1.1 206 Partial Content\r\nETag: "v1"\r\nCache-Control: max-age=60\r\nContent-Range: bytes 4-9/10\r\nContent-Length: 6\r\n\r\n45`,
        },
        'end',
      ],
      [part(4, 9)],
    ],
  });
  const front = await gateway(cached(shop));
  await front.send(range('bytes=0-3'));
  const broken = await front.send({});
  expect(broken.ended).not.toBe('clean');
  expect('012345'.startsWith(broken.text)).toBe(true);
  expect(seen(await front.send(range('bytes=1-3')))).toEqual([206, '123', 'bytes 1-3/10', 'clean']);
  expect(seen(await front.send({}))).toEqual([200, TEXT, null, 'clean']);
  expect(shop.requests).toBe(3);
});

const garbage: readonly { what: string; headers: readonly string[]; why: string; body?: string }[] = [
  { what: 'without a Content-Range', headers: FRESH, why: 'content-range' },
  { what: 'of an unknown whole', headers: [...FRESH, 'Content-Range', 'bytes 0-3/*'], why: 'content-range' },
  { what: 'beyond the whole', headers: [...FRESH, 'Content-Range', 'bytes 0-3/3'], why: 'content-range' },
  { what: 'that ends before it begins', headers: [...FRESH, 'Content-Range', 'bytes 3-0/10'], why: 'content-range' },
  { what: 'with no numbers', headers: [...FRESH, 'Content-Range', 'bytes x-y/z'], why: 'content-range' },
  {
    what: 'of another length than it says',
    headers: [...FRESH, 'Content-Range', 'bytes 0-4/10'],
    why: 'content-range',
  },
  {
    what: 'of several parts',
    headers: [...FRESH, 'Content-Type', 'multipart/byteranges; boundary=x'],
    why: 'content-range',
  },
  { what: 'of another unit', headers: [...FRESH, 'Content-Range', 'lines 0-3/10'], why: 'content-range' },
  {
    what: 'with a weak tag',
    headers: ['Cache-Control', 'max-age=60', 'ETag', 'W/"v1"', 'Content-Range', 'bytes 0-3/10'],
    why: 'weak-validator',
  },
  {
    what: 'without a validator',
    headers: ['Cache-Control', 'max-age=60', 'Content-Range', 'bytes 0-3/10'],
    why: 'weak-validator',
  },
  {
    what: 'that may not be stored',
    headers: ['Cache-Control', 'no-store', 'ETag', '"v1"', 'Content-Range', 'bytes 0-3/10'],
    why: 'no-store',
  },
];

for (const { what, headers, why } of garbage) {
  matrix(`a part ${what} is passed on, and not stored`, async ({ gateway, origin }) => {
    const shop = await origin({ script: [{ respond: 206, headers, body: '0123' }] });
    const front = await gateway(cached(shop));
    for (let i = 1; i <= 2; i += 1) {
      const reply = await front.send(range('bytes=0-3'));
      expect([reply.status, reply.text]).toEqual([206, '0123']);
      expect(reply.header('cache-status')).toBe(`headgate; fwd=uri-miss; fwd-status=206; detail=${why}`);
      expect(shop.requests).toBe(i);
    }
  });
}

const lies: readonly { what: string; body: string }[] = [
  { what: 'fewer', body: '3\r\n012\r\n0\r\n\r\n' },
  { what: 'more', body: '5\r\n01234\r\n0\r\n\r\n' },
];

for (const { what, body } of lies) {
  matrix(`a part of ${what} bytes than its Content-Range says is not stored`, async ({ gateway, origin }) => {
    const head =
      'HTTP/1.1 206 Partial Content\r\nETag: "v1"\r\nCache-Control: max-age=60\r\nContent-Range: bytes 0-3/10\r\n';
    const shop = await origin({
      scripts: [['read head', { send: `${head}Transfer-Encoding: chunked\r\n\r\n${body}` }, 'end'], [part(0, 3)]],
    });
    const front = await gateway(cached(shop));
    expect((await front.send(range('bytes=0-3'))).ended).not.toBe('clean');
    expect(seen(await front.send(range('bytes=0-3')))).toEqual([206, '0123', 'bytes 0-3/10', 'clean']);
    expect(shop.requests).toBe(2);
  });
}

matrix('a part that was cut short is not stored', async ({ gateway, origin }) => {
  const head =
    'HTTP/1.1 206 Partial Content\r\nETag: "v1"\r\nCache-Control: max-age=60\r\nContent-Range: bytes 0-3/10\r\n';
  const shop = await origin({
    scripts: [['read head', { send: `${head}Content-Length: 4\r\n\r\n01` }, 'end'], [part(0, 3)]],
  });
  const front = await gateway(cached(shop));
  expect((await front.send(range('bytes=0-3'))).ended).not.toBe('clean');
  expect(seen(await front.send(range('bytes=0-1')))).toEqual([206, '0123', 'bytes 0-3/10', 'clean']);
  expect(shop.requests).toBe(2);
});

matrix('parts are kept by what Vary names', async ({ gateway, origin }) => {
  const vary = [...FRESH, 'Vary', 'Accept-Language'];
  const shop = await origin({ script: [part(0, 3, vary), part(4, 7, vary)] });
  const front = await gateway(cached(shop));
  await front.send(range('bytes=0-3', ['Accept-Language', 'en']));
  const other = await front.send(range('bytes=4-7', ['Accept-Language', 'de']));
  expect(other.header('cache-status')).toBe('headgate; fwd=vary-miss; fwd-status=206; stored');
  expect(seen(await front.send(range('bytes=0-1', ['Accept-Language', 'en'])))).toEqual([
    206,
    '01',
    'bytes 0-1/10',
    'clean',
  ]);
  expect(seen(await front.send(range('bytes=4-5', ['Accept-Language', 'de'])))).toEqual([
    206,
    '45',
    'bytes 4-5/10',
    'clean',
  ]);
  expect(shop.requests).toBe(2);
});

matrix(
  'with ranges: whole the endpoint is asked for everything, and the range served as it arrives',
  async ({ gateway, origin }) => {
    const { promise: more, resolve: go } = Promise.withResolvers<void>();
    const head = `HTTP/1.1 200 OK\r\nETag: "v1"\r\nCache-Control: max-age=60\r\nContent-Length: 10\r\n\r\n`;
    const shop = await origin({ script: ['read head', { send: `${head}01234` }, { wait: more }, { send: '56789' }] });
    const front = await gateway(cached(shop, { route: { cache: { ranges: 'whole' } } }));
    const first = await front.send(range('bytes=1-3', ['If-Range', '"v1"']));
    expect(seen(first)).toEqual([206, '123', 'bytes 1-3/10', 'clean']);
    expect(first.header('cache-status')).toBe('headgate; fwd=uri-miss; fwd-status=200; stored');
    const received = await shop.request();
    expect([received.header('range'), received.header('if-range')]).toEqual([null, null]);
    go();
    await front.gateway.nextRecord();
  },
);

matrix('with ranges: whole, what can’t be stored is passed on whole', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: ['Cache-Control', 'no-store'], body: TEXT }] });
  const front = await gateway(cached(shop, { route: { cache: { ranges: 'whole' } } }));
  expect(seen(await front.send(range('bytes=1-3')))).toEqual([200, TEXT, null, 'clean']);
});

matrix('a client that leaves in the middle of a range leaves what is stored as it is', async ({ gateway, origin }) => {
  const body = 'x'.repeat(4_000_000);
  const shop = await origin({ script: [{ respond: 200, headers: FRESH, body }] });
  const front = await gateway(cached(shop));
  await front.send({});
  const exchange = await front.begin(range('bytes=10-'));
  await exchange.read(1000);
  exchange.leave();
  expect((await front.send(range('bytes=-5'))).text).toBe('xxxxx');
  expect(shop.requests).toBe(1);
});

matrix(
  'a HEAD that agrees with what is stored makes it fresh again, with its fields (RFC 9111 §4.3.5)',
  async ({ gateway, origin }) => {
    const clock = new ManualClock(Date.now());
    const shop = await origin({
      script: [
        { respond: 200, headers: [...FRESH, 'X-A', '1', 'X-B', '1'], body: TEXT },
        'read head',
        { send: 'HTTP/1.1 200 OK\r\nETag: "v1"\r\nContent-Length: 10\r\nCache-Control: max-age=30\r\nX-A: 2\r\n\r\n' },
      ],
    });
    const front = await gateway(cached(shop), { clock });
    const connection = await front.connect();
    await connection.send({});
    clock.advance(61_000);
    const head = await connection.send({ method: 'HEAD' });
    expect(head.header('cache-status')).toBe('headgate; fwd=stale; fwd-status=200; detail=method');
    const reply = await connection.send({});
    expect([reply.text, reply.header('x-a'), reply.header('x-b'), reply.header('cache-status')]).toEqual([
      TEXT,
      '2',
      '1',
      'headgate; hit; ttl=30',
    ]);
    expect(shop.requests).toBe(2);
  },
);

for (const [what, fields] of [
  ['tag', 'ETag: "v2"\r\nContent-Length: 10'],
  ['length', 'ETag: "v1"\r\nContent-Length: 11'],
] as const) {
  matrix(`a HEAD with another ${what} makes what is stored stale`, async ({ gateway, origin }) => {
    const shop = await origin({
      script: [
        { respond: 200, headers: FRESH, body: TEXT },
        'read head',
        { send: `HTTP/1.1 200 OK\r\n${fields}\r\nCache-Control: max-age=60\r\n\r\n` },
        'read head',
        { respond: 200, headers: FRESH, body: 'new' },
      ],
    });
    const front = await gateway(cached(shop));
    const connection = await front.connect();
    await connection.send({});
    await connection.send({ method: 'HEAD', headers: ['Cache-Control', 'no-cache'] });
    const reply = await connection.send({});
    expect([reply.text, reply.header('cache-status')]).toEqual(['new', 'headgate; fwd=stale; fwd-status=200; stored']);
  });
}

matrix('what a HEAD brings is no response to GET', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [
      'read head',
      { send: `HTTP/1.1 200 OK\r\nETag: "v1"\r\nCache-Control: max-age=60\r\nContent-Length: 10\r\n\r\n` },
      'read head',
      { respond: 200, headers: FRESH, body: TEXT },
    ],
  });
  const front = await gateway(cached(shop));
  const connection = await front.connect();
  expect((await connection.send({ method: 'HEAD' })).header('cache-status')).toMatch(/detail=method$/);
  expect((await connection.send({})).text).toBe(TEXT);
  expect(shop.requests).toBe(2);
});

function cached(shop: Origin, over: Forwarding = {}): TestConfig {
  // Scripts go on over minutes of the manual clock, on one connection: it must not be idle for too long.
  const connections = { keepAlive: '1h' };
  return forwardTo(shop, { ...over, pool: { connections, ...over.pool }, route: { cache: true, ...over.route } });
}
