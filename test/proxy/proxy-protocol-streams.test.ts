import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { expect, test } from 'vitest';
import { certificateFor } from '../kit/certificate.ts';
import { startTestGateway, testAuthority } from '../kit/gateway.ts';
import { PROXIED_V1, PROXIED_V2 } from '../kit/proxy-protocol.ts';
import { RawClient } from '../kit/raw-client.ts';
import { stopAfterTest } from '../kit/stop.ts';
import { TcpEnd, TcpOrigin } from '../kit/stream.ts';

const introduced = { port: 0, proxyProtocol: true, trustedProxies: ['127.0.0.1'] };

test.each([
  ['v1', PROXIED_V1],
  ['v2', PROXIED_V2],
] as const)(
  'a connection that is forwarded as it is loses its PROXY header, and gets one (%s) of the pool’s',
  async (version, header) => {
    const origin = await TcpOrigin.start();
    const gateway = await startTestGateway({
      listeners: { db: { ...introduced, kind: 'tcp', pool: 'db' } },
      pools: { db: { endpoints: [origin.address], proxyProtocol: version } },
    });
    for (const [index, cut] of [0, 5, header.length].entries()) {
      const client = await TcpEnd.connect(gateway.port('db'));
      client.send(header.subarray(0, cut));
      client.send(Buffer.concat([header.subarray(cut), Buffer.from('hello')]));
      client.socket.end();
      const upstream = await origin.accepted(index);
      expect(await upstream.untilEnd()).toBe(`${header.toString('latin1')}hello`);
      upstream.socket.end('world');
      expect(await client.untilEnd()).toBe('world');
      expect(await gateway.nextStream()).toMatchObject({ clientAddress: '203.0.113.9', bytesIn: 5, bytesOut: 5 });
    }
  },
);

test('everybody else’s connections are forwarded as they are, headers of theirs included', async () => {
  const origin = await TcpOrigin.start();
  const gateway = await startTestGateway({
    listeners: { db: { ...introduced, kind: 'tcp', pool: 'db' } },
    pools: { db: { endpoints: [origin.address] } },
  });
  const client = await TcpEnd.connect(gateway.port('db'), '127.0.0.2');
  client.send(PROXIED_V1);
  client.socket.end();
  const upstream = await origin.accepted();
  expect(await upstream.untilEnd()).toBe(PROXIED_V1.toString());
  upstream.socket.end();
  expect((await gateway.nextStream()).clientAddress).toBe('127.0.0.2');
});

test('one port with PROXY headers passes some names through and terminates the others', async () => {
  const certificate = await certificateFor(['kept.test']);
  const secrets = createTlsServer({ cert: certificate.cert, key: certificate.key }, (socket) => {
    socket.on('error', () => {});
    socket.end(`for ${socket.servername}`);
  });
  const origin = await TcpOrigin.start();
  const gateway = await startTestGateway({
    listeners: {
      web: { ...introduced, tls: { names: ['shop.test'] }, passthrough: [{ sni: 'kept.test', pool: 'kept' }] },
    },
    pools: { kept: { endpoints: [origin.address] } },
    routes: [{ respond: { body: '{client.address} {port}' } }],
  });
  const port = gateway.port();
  const tls = { serverName: 'shop.test', ca: await testAuthority() };
  const terminated = await RawClient.connect({ port, preamble: [PROXIED_V2], tls });
  terminated.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
  expect((await terminated.response('GET')).text).toBe('203.0.113.9 8443');
  const end = await TcpEnd.connect(port);
  end.socket.removeAllListeners('data');
  end.send(PROXIED_V2);
  const passed = connectTls({ socket: end.socket, servername: 'kept.test', ca: certificate.cert });
  stopAfterTest(() => passed.destroy());
  const said = new Promise<string>((resolve, reject) => {
    passed.on('data', (bytes: Buffer) => resolve(bytes.toString()));
    passed.on('error', reject);
  });
  const upstream = await origin.accepted();
  const [first] = upstream.received;
  expect(first === undefined || first === 0x16).toBe(true);
  upstream.socket.removeAllListeners('data');
  upstream.socket.pause();
  upstream.socket.unshift(upstream.received);
  secrets.emit('connection', upstream.socket);
  expect(await said).toBe('for kept.test');
});
