import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import { helloBytes } from '../kit/client-hello.ts';
import { until } from '../kit/deadline.ts';
import { startTestGateway, type TestConfig, type TestGateway } from '../kit/gateway.ts';
import { headerV2, PROXIED_V1, PROXIED_V2 } from '../kit/proxy-protocol.ts';
import { exchangeRaw } from '../kit/raw-client.ts';
import { stopAfterTest } from '../kit/stop.ts';
import { TcpEnd, TcpOrigin } from '../kit/stream.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n';
const LISTENERS = ['plain', 'prior', 'tls', 'tcp'] as const;

/** What a client says first. */
async function realHello(servername: string): Promise<Buffer> {
  const ears = createServer();
  ears.listen(0, '127.0.0.1');
  await once(ears, 'listening');
  const socket = connectTls({ port: (ears.address() as AddressInfo).port, host: '127.0.0.1', servername });
  socket.on('error', () => {});
  const [accepted] = (await once(ears, 'connection')) as [Socket];
  const [bytes] = (await once(accepted, 'data')) as [Buffer];
  stopAfterTest(() => {
    for (const open of [socket, accepted]) open.destroy();
    ears.close();
  });
  return bytes;
}

function onEveryStage(address: string): TestConfig {
  const behindProxy = { port: 0, proxyProtocol: true, trustedProxies: ['127.0.0.1'] };
  const passthrough = [{ sni: 'pass.test', pool: 'shop' }];
  return {
    listeners: {
      plain: behindProxy,
      prior: { ...behindProxy, h2c: true },
      tls: { ...behindProxy, tls: {}, passthrough },
      tcp: { ...behindProxy, kind: 'tcp', passthrough, pool: 'shop' },
    },
    pools: { shop: { endpoints: [address] } },
    routes: [{ respond: { body: 'fine' } }],
  };
}

function open(gateway: TestGateway): number {
  return gateway.status().listeners.reduce((sum, { connections }) => sum + connections, 0);
}

/** Listeners accept in order: when this client is gone, all before it have been there. */
async function everybodyWasThere(gateway: TestGateway): Promise<void> {
  for (const listener of LISTENERS) {
    const last = await TcpEnd.connect(gateway.port(listener));
    last.socket.end();
    await last.closed();
  }
}

/** Beginnings of connections, cut wherever something else is being waited for. */
async function beginnings(): Promise<Buffer[]> {
  const hellos = [
    await realHello('pass.test'),
    await realHello('a.localhost'),
    helloBytes({ serverName: 'pass.test' }, 100),
  ];
  const rests = [...hellos, Buffer.from(REQUEST), Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')];
  return [PROXIED_V1, PROXIED_V2, headerV2(0x20, 0)].flatMap((header) =>
    rests.flatMap((rest) => {
      const whole = Buffer.concat([header, rest]);
      const { length } = header;
      return [0, 1, length - 1, length, length + 1, length + 6, whole.length].map((cut) => whole.subarray(0, cut));
    }),
  );
}

test.each(['reset', 'end'] as const)(
  'of a client that leaves early nothing stays, whatever was being waited for, and the next one is served: %s',
  async (how) => {
    const origin = await TcpOrigin.start(false);
    const gateway = await startTestGateway(onEveryStage(origin.address));
    const all = await beginnings();
    for (const listener of LISTENERS) {
      await Promise.all(
        all.map(async (bytes) => {
          const { socket } = await TcpEnd.connect(gateway.port(listener));
          if (how === 'end') socket.end(bytes);
          else socket.write(bytes, () => socket.resetAndDestroy());
        }),
      );
    }
    await everybodyWasThere(gateway);
    await until(() => open(gateway) === 0, 'every connection to be gone');
    await until(() => origin.open === 0, 'every connection to the endpoint to be gone');
    const reply = await exchangeRaw({ port: gateway.port('plain') }, `${PROXIED_V1}${REQUEST}`);
    expect(reply.status).toBe(200);
  },
);

test('a gateway that closes lets go of connections at every stage', async () => {
  const origin = await TcpOrigin.start(false);
  const gateway = await startTestGateway(onEveryStage(origin.address));
  const clients: TcpEnd[] = [];
  for (const bytes of await beginnings()) {
    for (const listener of LISTENERS) {
      const client = await TcpEnd.connect(gateway.port(listener));
      client.send(bytes);
      clients.push(client);
    }
  }
  await everybodyWasThere(gateway);
  await gateway.gateway.close();
  for (const { socket } of clients) socket.end();
  for (const client of clients) await client.closed();
  expect(open(gateway)).toBe(0);
});
