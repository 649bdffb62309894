import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { HTTP1_ONLY, HTTP2_ONLY, matrix } from '../kit/matrix.ts';

/** What came through a tunnel of these would be requests that no rule has seen. */
const UNCHECKED = ['h2c', 'H2C', 'h2', 'HTTP/2.0', 'http', 'TLS/1.0', 'tls', 'websocket, h2c', 'a b'];

for (const protocol of UNCHECKED) {
  matrix(
    `an extended CONNECT for "${protocol}" is refused, and no endpoint hears of it`,
    async ({ gateway, origin }) => {
      const shop = await origin();
      const front = await gateway(forwardTo(shop));
      const connection = await front.connectHttp2();
      const pseudo = [':method', 'CONNECT', ':protocol', protocol, ':scheme', 'https', ':authority', 'shop.test'];
      const stream = connection.stream([...pseudo, ':path', '/'], { endStream: false });
      const status = await new Promise((resolve) => stream.once('response', (head) => resolve(head[':status'])));
      expect([status, shop.requests]).toEqual([501, 0]);
      expect((await connection.send({})).status).toBe(200);
    },
    { without: HTTP2_ONLY },
  );

  matrix(
    `"Upgrade: ${protocol}" is not passed on`,
    async ({ gateway, origin }) => {
      const shop = await origin();
      const front = await gateway(forwardTo(shop));
      const reply = await front.send({ headers: ['Connection', 'Upgrade', 'Upgrade', protocol] });
      expect([reply.status, (await shop.request(0)).all('upgrade')]).toEqual([200, []]);
    },
    { without: HTTP1_ONLY },
  );
}
