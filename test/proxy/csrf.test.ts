import { once } from 'node:events';
import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { HTTP1_ONLY, HTTP2_ONLY, matrix } from '../kit/matrix.ts';
import { handshake } from '../kit/upgrade.ts';

const EVIL = 'https://evil.test';

matrix('what another site makes a browser send is refused, and what its own page sends is not', async (stage) => {
  const shop = await stage.origin({ script: [{ respond: 200, body: 'done' }] });
  const front = await stage.gateway(forwardTo(shop, { route: { csrf: { origins: ['https://app.test'] } } }));
  const connection = await front.connect();
  const post = async (headers: readonly string[], method = 'POST') =>
    (await connection.send({ method, headers, body: 'a=b' })).status;
  const own = `${front.scheme}://shop.test`;
  expect(await post(['Origin', own])).toBe(200);
  expect(await post(['Referer', `${own}/form`])).toBe(200);
  expect(await post(['Sec-Fetch-Site', 'same-origin'])).toBe(200);
  expect(await post(['Origin', 'https://app.test', 'Sec-Fetch-Site', 'cross-site'])).toBe(200);
  expect(await post([])).toBe(200);
  expect(shop.requests).toBe(5);
  for (const headers of [
    ['Origin', EVIL],
    ['Origin', 'null'],
    ['Origin', `${own}.evil.test`],
    ['Origin', 'a'.repeat(12_000)],
    ['Sec-Fetch-Site', 'cross-site'],
    ['Sec-Fetch-Site', 'same-site', 'Origin', 'https://other.shop.test'],
    ['Referer', `${EVIL}/${own}`],
  ]) {
    expect([headers[0], await post(headers)]).toEqual([headers[0], 403]);
  }
  expect(await post(['Origin', EVIL], 'DELETE')).toBe(403);
  expect(await post(['Origin', EVIL], 'QUERY')).toBe(200);
  expect(shop.requests).toBe(6);
});

matrix('in a dry run the log says what would be refused', async (stage) => {
  const shop = await stage.origin({ script: [{ respond: 200 }] });
  const front = await stage.gateway(forwardTo(shop, { route: { csrf: { dryRun: true } } }));
  expect((await front.send({ method: 'POST', headers: ['Origin', EVIL] })).status).toBe(200);
  expect((await front.gateway.nextRecord()).notes).toEqual(['cross-origin-request']);
});

matrix(
  'a WebSocket of another site is refused before the endpoint hears of it',
  async (stage) => {
    const shop = await stage.origin({ script: ['read head', 'upgrade', 'echo'] });
    const front = await stage.gateway(forwardTo(shop, { route: { csrf: {} } }));
    const refused = await (await front.raw(handshake('/ws', `Origin: ${EVIL}\r\n`))).reply();
    expect(refused.status).toBe(403);
    expect(shop.accepted).toBe(0);
    const own = await front.raw(handshake('/ws', `Origin: ${front.scheme}://shop.test\r\n`));
    expect((await own.head()).status).toBe(101);
  },
  { without: HTTP1_ONLY },
);

matrix(
  'so is one over HTTP/2 (RFC 8441)',
  async (stage) => {
    const shop = await stage.origin();
    const front = await stage.gateway(forwardTo(shop, { route: { csrf: {} } }));
    const client = await front.connectHttp2();
    if (client.session.remoteSettings.enableConnectProtocol === undefined) await once(client.session, 'remoteSettings');
    const asks = [':method', 'CONNECT', ':protocol', 'websocket', ':path', '/ws', ':scheme', 'https'];
    const rest = [':authority', 'shop.test', 'sec-websocket-version', '13', 'origin', EVIL];
    const stream = client.stream([...asks, ...rest], { endStream: false });
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(403);
    stream.close();
    expect(shop.accepted).toBe(0);
  },
  { without: HTTP2_ONLY },
);
