import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { HTTP1_ONLY, matrix } from '../kit/matrix.ts';

const UPGRADE = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
const NEXT = 'GET /next HTTP/1.1\r\nHost: shop.test\r\n\r\n';

const without = { without: HTTP1_ONLY };

matrix(
  'a request whose upgrade is ignored keeps its connection',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    const client = await front.connectHttp1();
    for (const path of ['/1', '/2']) {
      client.write(`GET ${path} HTTP/1.1\r\nHost: shop.test\r\n${UPGRADE}\r\n`);
      const reply = await client.expect().reply();
      expect([reply.status, reply.header('connection')]).toEqual([200, 'keep-alive']);
    }
    expect(shop.received.map(({ target }) => target)).toEqual(['/1', '/2']);
  },
  without,
);

/** Node's parser drops what came in one packet behind such a request: what follows would be read from the middle. */
const doubtful: readonly { what: string; packets: readonly string[] }[] = [
  {
    what: 'another request in the same packet',
    packets: [`GET /1 HTTP/1.1\r\nHost: shop.test\r\n${UPGRADE}\r\n${NEXT}`],
  },
  {
    what: 'another request in the packet that ends it',
    packets: [`GET /1 HTTP/1.1\r\nHost: shop.test\r\n${UPGRADE}\r`, `\n${NEXT}`],
  },
  {
    what: 'a body and another request',
    packets: [`POST /1 HTTP/1.1\r\nHost: shop.test\r\n${UPGRADE}Content-Length: 3\r\n\r\nabc${NEXT}`],
  },
  {
    what: 'half a request in the same packet',
    packets: [
      `GET /1 HTTP/1.1\r\nHost: shop.test\r\n${UPGRADE}\r\nPOST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 44\r\n\r\n`,
      NEXT,
    ],
  },
];

for (const { what, packets } of doubtful) {
  matrix(
    `a request whose upgrade is ignored, with ${what} behind it, is the last of its connection`,
    async ({ gateway, origin }) => {
      const shop = await origin();
      const front = await gateway(forwardTo(shop));
      const client = await front.connectHttp1();
      const taken = client.expect(packets[0]?.slice(0, 4).trim());
      for (const packet of packets) {
        client.write(packet);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const reply = await taken.reply();
      expect([reply.status, reply.header('connection')]).toEqual([200, 'close']);
      await client.dismissed();
      expect(shop.received.map(({ target }) => target)).toEqual(['/1']);
    },
    without,
  );
}
