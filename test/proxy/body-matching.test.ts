import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inTime } from '../kit/deadline.ts';
import { startTestGateway, type TestConfig } from '../kit/gateway.ts';
import { http2Origin } from '../kit/http2-origin.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, HTTP1_ONLY, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { deadPort, origin } from '../kit/origin.ts';

type Route = NonNullable<TestConfig['routes']>[number];
type BodyMatch = object;

interface Over {
  readonly rest?: Omit<TestConfig, 'listeners' | 'pools' | 'routes'>;
  readonly listener?: object;
  readonly route?: Partial<Route>;
}

/** Requests that say so go to route `said`, all others to route `other`; both to the same endpoint. */
function saying(
  shop: { readonly port: number },
  body: BodyMatch,
  { rest = {}, listener = {}, route = {} }: Over = {},
): TestConfig {
  return {
    listeners: { web: { port: 0, ...listener } },
    pools: { shop: { endpoints: [`127.0.0.1:${shop.port}`] } },
    routes: [
      { name: 'said', pool: 'shop', match: { body }, ...route },
      { name: 'other', pool: 'shop' },
    ],
    ...rest,
  };
}

interface Held {
  readonly held: number;
  readonly waiting: number;
}

async function heldNow({ gateway }: Front): Promise<Held> {
  const text = await (await fetch(`${gateway.gateway.adminUrl}/metrics`)).text();
  const figure = (name: string): number =>
    Number(new RegExp(`^headgate_body_prefix_${name} (\\d+)$`, 'm').exec(text)?.[1]);
  return { held: figure('bytes'), waiting: figure('waiting') };
}

function heldUntil(front: Front, isSo: (held: Held) => boolean): Promise<void> {
  const look = async (): Promise<void> => (isSo(await heldNow(front)) ? undefined : look());
  return inTime(look(), 'bodies to be held');
}

const BUY = { json: { '/action': 'buy' } };
const JSON_TYPE = ['Content-Type', 'application/json'];
const buy = JSON.stringify({ action: 'buy', note: 'x'.repeat(40) });
const sell = JSON.stringify({ action: 'sell', note: 'x'.repeat(40) });

const SOAP_11 = 'http://schemas.xmlsoap.org/soap/envelope/';
const envelope = (operation: string): string =>
  `<?xml version="1.0"?><s:Envelope xmlns:s="${SOAP_11}"><s:Header><t/></s:Header><s:Body><${operation}/></s:Body></s:Envelope>`;
const part = (name: string, value: string): string =>
  `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const file = '--x\r\nContent-Disposition: form-data; name="kind"; filename="kind"\r\n\r\nvip\r\n';

const kinds: readonly (readonly [string, BodyMatch, string, string, string])[] = [
  ['json-value', BUY, 'application/json', buy, sell],
  ['form-field', { form: { kind: 'vip' } }, 'application/x-www-form-urlencoded', 'a=1&kind=vip', 'a=1&kind=no'],
  [
    'form-part',
    { form: { kind: 'vip' } },
    'multipart/form-data; boundary=x',
    `${part('kind', 'vip')}--x--`,
    `${file}--x--`,
  ],
  [
    'graphql-mutation',
    { graphql: { operation: 'mutation', field: { oneOf: ['createOrder'] } } },
    'application/json',
    JSON.stringify({ query: 'mutation M { c: createOrder { id } }' }),
    JSON.stringify({ query: 'query M { createOrder }', operationName: 'M' }),
  ],
  ['graphql-name', { graphql: { name: 'Top' } }, 'application/graphql', 'query Top { a }', 'query Low { a }'],
  [
    'json-rpc-method',
    { jsonRpc: { method: { prefix: 'eth_' } } },
    'application/json',
    '[{"jsonrpc":"2.0","id":1,"method":"eth_call"},{"jsonrpc":"2.0","id":2,"method":"eth_gas"}]',
    '[{"jsonrpc":"2.0","id":1,"method":"eth_call"},{"jsonrpc":"2.0","id":2,"method":"net_peers"}]',
  ],
  ['xml-root', { xml: { root: 'order', namespace: 'urn:o' } }, 'text/xml', '<o:order xmlns:o="urn:o"/>', '<order/>'],
  ['soap-operation', { soap: { operation: 'Buy' } }, 'text/xml; charset=utf-8', envelope('Buy'), envelope('Sell')],
];

matrix('each kind of condition decides which route a request takes, and every byte is forwarded', async (stage) => {
  const shop = await stage.origin();
  const routes = kinds.map(([name, body], i) => ({ name, pool: 'shop', match: { path: `/${i}`, body } }));
  const front = await stage.gateway({ ...saying(shop, BUY), routes: [...routes, { name: 'other', pool: 'shop' }] });
  const connection = await front.connect();
  for (const [i, [name, , type, said, other]] of kinds.entries()) {
    for (const [body, route] of [
      [said, name],
      [other, 'other'],
    ] as const) {
      for (const chunked of [false, true]) {
        const request = { method: 'POST', path: `/${i}`, headers: ['Content-Type', type], body, chunked };
        expect((await connection.send(request)).status).toBe(200);
        expect((await front.gateway.nextRecord()).route, body).toBe(route);
        const received = await shop.complete(shop.requests - 1);
        expect(received.text).toBe(body);
        expect(received.header('content-length')).toBe(chunked ? null : String(body.length));
      }
    }
  }
});

matrix('a body that comes byte by byte says the same, with its trailers', async (stage) => {
  const shop = await stage.origin({ script: ['read body', 'respond 200'] });
  const front = await stage.gateway(saying(shop, BUY));
  for (const [index, body] of ['{"action":"buy"}', '{"action":"no"}'].entries()) {
    const exchange = await front.begin({ method: 'POST', headers: JSON_TYPE, chunked: true, trailers: ['X-Sum', '1'] });
    for (const byte of body) await exchange.write(byte);
    exchange.end();
    expect((await exchange.reply()).status).toBe(200);
    expect((await front.gateway.nextRecord()).route).toBe(index === 0 ? 'said' : 'other');
    expect((await shop.complete(index)).text).toBe(body);
  }
});

describe('what decides without a body', () => {
  matrix('a request without one is not kept waiting', async (stage) => {
    const front = await stage.gateway(saying(await stage.origin(), BUY));
    expect((await front.send({})).status).toBe(200);
    expect((await front.gateway.nextRecord()).route).toBe('other');
  });

  matrix('a body that no candidate asks about streams as ever', async (stage) => {
    const shop = await stage.origin({ script: ['read head', 'read 3 bytes', 'read body', 'respond 200'] });
    const front = await stage.gateway(saying(shop, BUY, { route: { match: { path: '/orders/**', body: BUY } } }));
    for (const headers of [JSON_TYPE, ['Content-Type', 'text/plain']]) {
      const exchange = await front.begin({ method: 'PUT', length: 6, headers });
      await exchange.write('abc');
      const index = shop.requests;
      await shop.request(index === 0 ? 0 : 1);
      await exchange.write('def');
      exchange.end();
      expect((await exchange.reply()).status).toBe(200);
      expect((await front.gateway.nextRecord()).route).toBe('other');
    }
  });

  matrix('a body of another type, or encoded, or announced as too large, is not waited for', async (stage) => {
    const shop = await stage.origin({ script: ['read head', 'read 3 bytes', 'read body', 'respond 200'] });
    const front = await stage.gateway(saying(shop, BUY, { rest: { bodyMatching: { limit: 5 } } }));
    for (const [index, headers, note] of [
      [0, ['Content-Type', 'text/plain'], 'match-body:other-type'],
      [1, [...JSON_TYPE, 'Content-Encoding', 'gzip'], 'match-body:encoded'],
      [2, JSON_TYPE, 'match-body:too-large'],
    ] as const) {
      const exchange = await front.begin({ method: 'PUT', length: 6, headers });
      await exchange.write('abc');
      await shop.request(index);
      await exchange.write('def');
      exchange.end();
      expect((await exchange.reply()).status).toBe(200);
      expect(await front.gateway.nextRecord()).toMatchObject({ route: 'other', notes: [note] });
    }
  });

  matrix(
    'GraphQL over GET, and SOAPAction, are in the head',
    async (stage) => {
      const shop = await stage.origin({ script: ['read head', 'respond 200'] });
      const front = await stage.gateway({
        ...saying(shop, BUY),
        routes: [
          { name: 'said', pool: 'shop', match: { any: [{ body: { graphql: { operation: 'query', field: 'a' } } }] } },
          { name: 'soap', pool: 'shop', match: { body: { soap: { action: { prefix: 'urn:buy' } } } } },
          { name: 'other', pool: 'shop' },
        ],
      });
      await front.send({ path: '/graphql?query=%7Ba%7D' });
      expect((await front.gateway.nextRecord()).route).toBe('said');
      await front.send({ path: '/graphql?query=mutation%7Ba%7D' });
      expect((await front.gateway.nextRecord()).route).toBe('other');
      const headers = ['SOAPAction', '"urn:buy:1"', 'Content-Type', 'text/xml'];
      const exchange = await front.begin({ method: 'POST', length: 5, headers });
      await shop.request(2);
      await exchange.write('<a/>\n');
      exchange.end();
      await exchange.reply();
      expect((await front.gateway.nextRecord()).route).toBe('soap');
    },
    { without: ONE_PROTOCOL },
  );
});

matrix('the body is asked for only where it decides', async (stage) => {
  const shop = await stage.origin({ script: ['read body', 'respond 200'] });
  const front = await stage.gateway({
    ...saying(shop, BUY),
    routes: [
      { name: 'said', pool: 'shop', match: { path: '/orders', body: BUY } },
      { name: 'gone', respond: { status: 410 } },
    ],
  });
  const EXPECT = [...JSON_TYPE, 'Expect', '100-continue'];
  const elsewhere = await (await front.begin({ method: 'POST', path: '/x', headers: EXPECT, length: 16 })).reply();
  expect([elsewhere.status, elsewhere.informational.length]).toEqual([410, 0]);
  const exchange = await front.begin({ method: 'POST', path: '/orders', headers: EXPECT, length: 16 });
  expect((await exchange.interim(0)).status).toBe(100);
  await exchange.write('{"action":"buy"}');
  exchange.end();
  const reply = await exchange.reply();
  expect([reply.status, reply.informational.length]).toEqual([200, 1]);
  expect((await shop.complete()).text).toBe('{"action":"buy"}');
});

describe('the bound', () => {
  const document = (bytes: number): string => `{"action":"buy","x":"${'x'.repeat(bytes - 23)}"}`;
  const small = { bodyMatching: { limit: 1_000 } };

  matrix('a body of up to the limit is looked at, one more is not', async (stage) => {
    const shop = await stage.origin();
    const front = await stage.gateway(saying(shop, BUY, { rest: small }));
    for (const [bytes, route] of [
      [999, 'said'],
      [1_000, 'said'],
      [1_001, 'other'],
      [100_000, 'other'],
    ] as const) {
      for (const chunked of [false, true]) {
        const body = document(bytes);
        expect(body.length).toBe(bytes);
        expect((await front.send({ method: 'POST', headers: JSON_TYPE, body, chunked })).status).toBe(200);
        expect((await front.gateway.nextRecord()).route).toBe(route);
        expect((await shop.complete(shop.requests - 1)).text === body).toBe(true);
      }
    }
  });

  matrix(
    'a larger one takes the branch that the route states',
    async (stage) => {
      const shop = await stage.origin();
      for (const [whenTooLarge, status, route] of [
        ['match', 200, 'said'],
        ['no-match', 200, 'other'],
        ['refuse', 413, 'said'],
      ] as const) {
        const front = await stage.gateway(saying(shop, { ...BUY, whenTooLarge }, { rest: small }));
        for (const chunked of [false, true]) {
          const request = { method: 'POST', headers: JSON_TYPE, body: document(1_500), chunked };
          expect((await front.send(request)).status).toBe(status);
          const record = await front.gateway.nextRecord();
          expect([record.route, record.notes]).toEqual([route, ['match-body:too-large']]);
          if (status === 413) expect(record.end.reason).toBe('body-too-large-to-match');
        }
      }
    },
    { without: ONE_PROTOCOL },
  );

  matrix(
    'what the beginning says, it says of any body',
    async (stage) => {
      const shop = await stage.origin();
      const rest = { bodyMatching: { limit: 2_000 } };
      const long = 'x'.repeat(5_000);
      const front = await stage.gateway({
        ...saying(shop, BUY, { rest }),
        routes: [
          { name: 'xml', pool: 'shop', match: { path: '/xml', body: { xml: { root: 'order' } } } },
          { name: 'soap', pool: 'shop', match: { path: '/soap', body: { soap: { operation: 'Buy' } } } },
          { name: 'form', pool: 'shop', match: { path: '/form', body: { form: { kind: 'vip' } } } },
          { name: 'absent', pool: 'shop', match: { path: '/absent', body: { form: { kind: { absent: true } } } } },
          { name: 'other', pool: 'shop' },
        ],
      });
      for (const [path, type, body, route] of [
        ['/xml', 'text/xml', `<order>${long}</order>`, 'xml'],
        ['/xml', 'text/xml', `<!--${long}--><order/>`, 'other'],
        ['/soap', 'text/xml', envelope('Buy') + long, 'soap'],
        ['/form', 'multipart/form-data; boundary=x', `${part('kind', 'vip')}${part('long', long)}--x--`, 'form'],
        ['/form', 'multipart/form-data; boundary=x', `${part('long', long)}${part('kind', 'vip')}--x--`, 'other'],
        ['/form', 'application/x-www-form-urlencoded', `kind=vip&long=${long}`, 'form'],
        ['/absent', 'application/x-www-form-urlencoded', `long=${long}`, 'other'],
        ['/absent', 'application/x-www-form-urlencoded', 'a=1', 'absent'],
      ] as const) {
        await front.send({ method: 'POST', path, headers: ['Content-Type', type], body });
        expect((await front.gateway.nextRecord()).route, `${path} ${body.slice(0, 40)}`).toBe(route);
        expect((await shop.complete(shop.requests - 1)).text === body).toBe(true);
      }
    },
    { without: ONE_PROTOCOL },
  );

  matrix('a body that no route would take is refused before it is looked at', async (stage) => {
    const shop = await stage.origin();
    const front = await stage.gateway(saying(shop, BUY, { listener: { limits: { bodyBytes: 100 } } }));
    const exchange = await front.begin({
      method: 'POST',
      headers: [...JSON_TYPE, 'Expect', '100-continue'],
      length: 101,
    });
    const reply = await exchange.reply();
    expect([reply.status, reply.informational.length]).toEqual([413, 0]);
    expect((await front.gateway.nextRecord()).end.reason).toBe('body-too-large');
    expect(shop.accepted).toBe(0);
  });
});

matrix(
  'a body that is not what its type says it is says nothing, or is refused',
  async (stage) => {
    const shop = await stage.origin();
    const front = await stage.gateway({
      ...saying(shop, BUY),
      routes: [
        { name: 'strict', pool: 'shop', match: { path: '/strict', body: { ...BUY, whenMalformed: 'refuse' } } },
        { name: 'said', pool: 'shop', match: { body: BUY } },
        { name: 'other', pool: 'shop' },
      ],
    });
    const utf16 = Buffer.from('{"action":"buy"}', 'utf16le');
    for (const body of ['{"action":"buy"', utf16, '', '['.repeat(50_000), '{"action":"buy"}{}']) {
      const request = { method: 'POST', headers: JSON_TYPE, body, chunked: true };
      expect((await front.send(request)).status).toBe(200);
      expect(await front.gateway.nextRecord()).toMatchObject({ route: 'other', notes: ['match-body:malformed'] });
      expect((await front.send({ ...request, path: '/strict' })).status).toBe(400);
      const refused = { route: 'strict', end: { reason: 'body-malformed-to-match' } };
      expect(await front.gateway.nextRecord()).toMatchObject(refused);
    }
  },
  { without: ONE_PROTOCOL },
);

matrix('a client that leaves while its body is read ends it, and nothing is kept of it', async (stage) => {
  const shop = await stage.origin();
  // Room for one body at a time: what leaks is missed.
  const rest = { bodyMatching: { limit: 1_000, memory: 1_000 } };
  const front = await stage.gateway(saying(shop, BUY, { rest }));
  for (const chunked of [true, false]) {
    const connection = await front.connect();
    const exchange = await connection.begin({
      method: 'POST',
      headers: JSON_TYPE,
      ...(chunked ? { chunked } : { length: 900 }),
    });
    await exchange.write('{"action"');
    await heldUntil(front, ({ held }) => held > 0);
    connection.close();
    expect(await front.gateway.nextRecord()).toMatchObject({ status: 499, route: null });
    expect(await heldNow(front)).toEqual({ held: 0, waiting: 0 });
  }
  expect((await front.send({ method: 'POST', headers: JSON_TYPE, body: buy })).status).toBe(200);
  expect((await front.gateway.nextRecord()).route).toBe('said');
  expect(shop.accepted).toBe(1);
  expect(await heldNow(front)).toEqual({ held: 0, waiting: 0 });
});

matrix('a body that is too slow is answered with 408, and one without room waits its turn', async (stage) => {
  const clock = new ManualClock();
  const shop = await stage.origin();
  const rest = { bodyMatching: { limit: 100, memory: 100, timeout: '5s' } };
  const front = await stage.gateway(
    saying(shop, BUY, { rest, listener: { limits: { bodyRate: 0, headTimeout: '1h' } } }),
    { clock },
  );
  const slow = await front.begin({ method: 'POST', headers: JSON_TYPE, length: buy.length });
  await slow.write(buy.slice(0, 5));
  await heldUntil(front, ({ held }) => held > 0);
  const next = await front.begin({ method: 'POST', headers: JSON_TYPE, length: buy.length });
  await next.write(buy.slice(0, 5));
  await heldUntil(front, ({ waiting }) => waiting === 1);
  clock.advance(2_000);
  const last = await front.begin({ method: 'POST', headers: JSON_TYPE, length: buy.length });
  await last.write(buy.slice(0, 5));
  await heldUntil(front, ({ waiting }) => waiting === 2);
  clock.advance(3_000);
  const late = await slow.reply();
  expect([late.status, JSON.parse(late.text).reason]).toEqual([408, 'body-prefix-timeout']);
  clock.advance(2_000);
  const unlucky = await last.reply();
  expect([unlucky.status, JSON.parse(unlucky.text).reason]).toEqual([503, 'body-prefix-memory']);
  await next.write(buy.slice(5));
  next.end();
  expect((await next.reply()).status).toBe(200);
  expect((await shop.complete()).text).toBe(buy);
  expect(await heldNow(front)).toEqual({ held: 0, waiting: 0 });
});

matrix(
  'a reload leaves a body that is being read to the routes that it came to',
  async (stage) => {
    const shop = await stage.origin();
    const front = await stage.gateway(saying(shop, BUY));
    const exchange = await front.begin({ method: 'POST', headers: JSON_TYPE, length: buy.length });
    await exchange.write(buy.slice(0, 20));
    await heldUntil(front, ({ held }) => held > 0);
    const next = saying(shop, { json: { '/action': 'sell' } }, { rest: { bodyMatching: { limit: 50, memory: 50 } } });
    expect((await front.reload(next)).result).toBe('applied');
    await exchange.write(buy.slice(20));
    exchange.end();
    expect((await exchange.reply()).status).toBe(200);
    expect((await front.gateway.nextRecord()).route).toBe('said');
    expect((await front.send({ method: 'POST', headers: JSON_TYPE, body: sell.slice(0, 16).concat('}') })).status).toBe(
      200,
    );
    expect((await front.gateway.nextRecord()).route).toBe('said');
    expect(await heldNow(front)).toEqual({ held: 0, waiting: 0 });
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a body that is being read when the gateway drains is served all the same',
  async (stage) => {
    const shop = await stage.origin();
    const front = await stage.gateway(saying(shop, BUY));
    const exchange = await front.begin({ method: 'POST', headers: JSON_TYPE, length: buy.length });
    await exchange.write(buy.slice(0, 20));
    await heldUntil(front, ({ held }) => held > 0);
    const drained = front.gateway.gateway.drain();
    await exchange.write(buy.slice(20));
    exchange.end();
    expect((await exchange.reply()).status).toBe(200);
    await drained;
    expect((await shop.complete()).text).toBe(buy);
  },
  { without: ONE_PROTOCOL },
);

matrix('trailers reach an endpoint that takes them, behind the same bytes', async (stage) => {
  const shop = await http2Origin();
  const front = await stage.gateway({
    ...saying(shop, BUY, { rest: { bodyMatching: { limit: 100 } } }),
    pools: { shop: { endpoints: [`127.0.0.1:${shop.port}`], protocol: 'http2' } },
  });
  for (const body of [buy, `{"x":"${'x'.repeat(300)}"}`]) {
    const exchange = await front.begin({
      method: 'POST',
      headers: JSON_TYPE,
      chunked: true,
      body,
      trailers: ['x-sum', '9'],
    });
    const arrival = await shop.next();
    expect(await arrival.body()).toBe(body);
    arrival.stream.respond({ ':status': 200 }, { endStream: true });
    expect((await exchange.reply()).status).toBe(200);
    expect(arrival.trailers).toEqual(['x-sum', '9']);
  }
});

matrix('an answer that comes before the rest of the body reaches the client', async (stage) => {
  const refusal = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nstop';
  const shop = await stage.origin({ script: ['read head', 'read 4 bytes', { send: refusal }, 'end', 'read end'] });
  const rest = { bodyMatching: { limit: 100 } };
  const front = await stage.gateway(saying(shop, { xml: { root: 'order' } }, { rest }));
  const exchange = await front.begin({ method: 'POST', length: 10_000_000, headers: ['Content-Type', 'text/xml'] });
  await exchange.write(`<order>${'x'.repeat(200)}`);
  const reply = await exchange.reply();
  expect([reply.status, reply.text]).toEqual([413, 'stop']);
  expect(await front.gateway.nextRecord()).toMatchObject({ route: 'said', status: 413 });
  expect(await heldNow(front)).toEqual({ held: 0, waiting: 0 });
});

matrix(
  'a body that was read is sent again where the route repeats requests',
  async (stage) => {
    const [bad, good] = [await stage.origin({ script: ['read body', 'respond 503'] }), await stage.origin()];
    const retry = { on: [503], attempts: 2 };
    const front = await stage.gateway({
      ...saying(good, BUY, { route: { retry } }),
      pools: { shop: { endpoints: [`127.0.0.1:${bad.port}`, `127.0.0.1:${good.port}`] } },
    });
    for (let i = 0; i < 2; i += 1) {
      expect((await front.send({ method: 'PUT', headers: JSON_TYPE, body: buy })).status).toBe(200);
      expect((await good.complete(i)).text).toBe(buy);
    }
    expect((await bad.complete()).text).toBe(buy);
  },
  { without: ONE_PROTOCOL },
);

matrix('an endpoint that refuses the connection costs nothing of the body', async (stage) => {
  const shop = await stage.origin();
  const config = saying(shop, BUY);
  const front = await stage.gateway({
    ...config,
    pools: { shop: { endpoints: [`127.0.0.1:${await deadPort()}`, `127.0.0.1:${shop.port}`] } },
  });
  for (let i = 0; i < 3; i += 1) {
    expect((await front.send({ method: 'POST', headers: JSON_TYPE, body: buy })).status).toBe(200);
    expect((await shop.complete(i)).text).toBe(buy);
  }
});

matrix(
  'pipelined requests each go where their own body says',
  async (stage) => {
    const shop = await stage.origin();
    const front = await stage.gateway(saying(shop, BUY));
    const request = (body: string): string =>
      `POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const client = await front.connectHttp1();
    client.write([buy, sell, buy].map(request).join(''));
    for (const route of ['said', 'other', 'said']) {
      expect((await client.expect().reply()).status).toBe(200);
      expect((await front.gateway.nextRecord()).route).toBe(route);
    }
  },
  { without: HTTP1_ONLY },
);

matrix(
  'a copy for another pool has all of the body',
  async (stage) => {
    const [shop, copy] = [await stage.origin(), await stage.origin()];
    const config = saying(shop, BUY, { route: { mirror: { pool: 'copy' } } });
    const front = await stage.gateway({
      ...config,
      pools: { ...config.pools, copy: { endpoints: [`127.0.0.1:${copy.port}`] } },
    });
    await front.send({ method: 'POST', headers: JSON_TYPE, body: buy });
    expect((await copy.complete()).text).toBe(buy);
    expect((await shop.complete()).text).toBe(buy);
  },
  { without: ONE_PROTOCOL },
);

test('any body arrives byte for byte, however it is cut', async () => {
  const shop = await origin();
  const gateway = await startTestGateway(saying(shop, BUY, { rest: { bodyMatching: { limit: 300 } } }));
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 6 });
  let index = 0;
  await fc.assert(
    fc.asyncProperty(pieces, fc.boolean(), async (list, isChunked) => {
      await sentInPieces(gateway.port(), list, isChunked);
      const received = await shop.complete(index);
      index += 1;
      expect(received.body.equals(Buffer.concat(list))).toBe(true);
    }),
    { seed: 20_261_121, numRuns: 40 },
  );
});

/** One write for each piece, so that they arrive one by one as far as the system lets them. */
function sentInPieces(port: number, pieces: readonly Uint8Array[], isChunked: boolean): Promise<void> {
  const length = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`;
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  socket.write(
    `POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Type: application/json\r\n${framing}\r\n\r\n`,
  );
  for (const piece of pieces) {
    if (isChunked) socket.write(`${piece.byteLength.toString(16)}\r\n`);
    socket.write(piece);
    if (isChunked) socket.write('\r\n');
  }
  if (isChunked) socket.write('0\r\n\r\n');
  return new Promise((resolve, reject) => {
    socket
      .on('error', reject)
      .on('close', () => resolve())
      .resume();
  });
}
