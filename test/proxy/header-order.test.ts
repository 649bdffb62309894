import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { HTTP1_ONLY, HTTP2_ONLY, isHttp2, matrix } from '../kit/matrix.ts';

/** What the gateway adds, and what the transport says to its own hop. */
const ADDED = /^(Connection|X-Forwarded-|Forwarded|Via|X-Request-Id|Host)/i;

matrix(
  'request fields keep their order, case and repeats',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    await front.send({ headers: ['x-b', '1', 'X-A', 'one', 'X-a', 'two', 'ACCEPT', '*/*', 'x-B', '2', 'X-Empty', ''] });
    const lines = (await shop.request()).lines.slice(1).filter((line) => !ADDED.test(line));
    expect(lines).toEqual(['x-b: 1', 'X-A: one', 'X-a: two', 'ACCEPT: */*', 'x-B: 2', 'X-Empty: ']);
  },
  { without: { h2: 'HTTP/2 has lower case only' } },
);

matrix(
  'request fields keep their order and repeats',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    await front.send({ headers: ['x-b', '1', 'x-a', 'one', 'x-a', 'two', 'x-b', '2'] });
    const lines = (await shop.request()).lines.slice(1).filter((line) => !ADDED.test(line));
    expect(lines).toEqual(['x-b: 1', 'x-a: one', 'x-a: two', 'x-b: 2']);
  },
  { without: HTTP2_ONLY },
);

matrix('response fields keep their order and repeats', async ({ gateway, origin, downstream }) => {
  const headers = [
    ...['Set-Cookie', 'a=1', 'X-Dup', '1', 'WWW-Authenticate', 'Basic realm="x"', 'Set-Cookie', 'b=2; Path=/'],
    ...['WWW-Authenticate', 'Bearer', 'x-dup', '2', 'Set-Cookie', 'c=3', 'Content-Length', '2'],
  ];
  const shop = await origin({
    script: ['read head', { send: `HTTP/1.1 200 OK\r\n${lines(headers)}\r\nok` }],
  });
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({});
  const own = /^(connection|keep-alive|date)$/i;
  const received = reply.fields.list.filter((_, i, all) => !own.test(all[i - (i % 2)] as string));
  expect(received).toEqual(
    isHttp2(downstream) ? headers.map((part, i) => (i % 2 ? part : part.toLowerCase())) : headers,
  );
});

matrix(
  'octets above ASCII in a field go through unchanged both ways',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: [{ respond: 200, headers: ['X-Name', 'M\xfcller \xe2\x82\xac'] }] });
    const front = await gateway(forwardTo(shop));
    const reply = await front.send({ headers: ['X-City', 'K\xf6ln'] });
    expect((await shop.request()).header('x-city')).toBe('K\xf6ln');
    expect(reply.header('x-name')).toBe('M\xfcller \xe2\x82\xac');
  },
  { without: { h2: 'Node’s HTTP/2 client reads octets of fields as UTF-8' } },
);

matrix(
  'the crumbs of an HTTP/2 cookie become one field again',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    await front.send({ headers: ['cookie', 'a=1', 'x-between', 'yes', 'cookie', 'b=2', 'cookie', 'c=3'] });
    expect((await shop.request()).all('cookie')).toEqual(['a=1; b=2; c=3']);
  },
  { without: HTTP2_ONLY },
);

matrix(
  'the endpoint sees Host first and once',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    await (await front.raw('GET / HTTP/1.1\r\nX-First: 1\r\nHoSt: shop.test\r\n\r\n')).reply();
    const received = await shop.request();
    expect(received.lines[1]?.toLowerCase()).toBe('host: shop.test');
    expect(received.all('host')).toHaveLength(1);
  },
  { without: HTTP1_ONLY },
);

function lines(list: readonly string[]): string {
  return list.map((part, i) => (i % 2 === 0 ? `${part}: ` : `${part}\r\n`)).join('');
}
