import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { PEEK_BYTES } from '../../src/downstream/peek.ts';
import { certificateFor } from '../kit/certificate.ts';
import { helloBytes } from '../kit/client-hello.ts';
import { forwardTo } from '../kit/config.ts';
import { inTime, until } from '../kit/deadline.ts';
import { startTestGateway, type TestConfig, type TestGateway, testAuthority } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { Front } from '../kit/matrix.ts';
import { origin } from '../kit/origin.ts';
import { stopAfterTest } from '../kit/stop.ts';
import { TcpEnd, TcpOrigin } from '../kit/stream.ts';

/** A TLS service of its own: says its name over TLS and shows a certificate that nobody else has. */
async function service(name: string): Promise<{ readonly address: string; readonly ca: string }> {
  const { cert, key } = await certificateFor([name]);
  const sockets: Socket[] = [];
  const server = createTlsServer({ cert, key, ALPNProtocols: ['h2', 'own'] }, (socket) => {
    socket.on('error', () => {});
    socket.end(name);
  });
  server.on('tlsClientError', () => {});
  server.on('connection', (socket) => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return { address: `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, ca: cert };
}

/** Shakes hands and hears what the service says. Rejects as the handshake does. */
async function ask(port: number, servername: string, ca?: string): Promise<string> {
  const trust = ca === undefined ? { rejectUnauthorized: false } : { ca };
  const socket = connectTls({ port, host: '127.0.0.1', servername, ALPNProtocols: ['own'], ...trust });
  stopAfterTest(() => socket.destroy());
  await inTime(once(socket, 'secureConnect'), 'a handshake');
  return inTime(textOf(socket), 'an answer');
}

async function textOf(socket: TLSSocket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

async function refusals(gateway: TestGateway): Promise<string[]> {
  const response = await fetch(`${gateway.gateway.adminUrl}/metrics`);
  return [...(await response.text()).matchAll(/^headgate_refused_total\{listener="(.*)",reason="(.*)"\} (\d+)$/gm)].map(
    ([, listener, reason, count]) => `${listener} ${reason} ${count}`,
  );
}

function only(address: string, over: TestConfig = {}): TestConfig {
  const passthrough = [{ sni: 'shop.example', pool: 'shop' }];
  return {
    listeners: { edge: { port: 0, kind: 'tcp', passthrough } },
    pools: { shop: { endpoints: [address] } },
    ...over,
  };
}

test('a connection goes where its server name says, undecrypted', async () => {
  const [exact, deep, wild, rest] = await Promise.all(['exact', 'deep', 'wild', 'rest'].map(service));
  const gateway = await startTestGateway({
    listeners: {
      edge: {
        port: 0,
        kind: 'tcp',
        passthrough: [
          { sni: ['a.example', 'API.a.example'], pool: 'exact' },
          { sni: '*.b.example', pool: 'wild' },
          { sni: '*.deep.b.example', pool: 'deep' },
        ],
        pool: 'rest',
      },
    },
    pools: {
      exact: { endpoints: [exact?.address ?? ''] },
      deep: { endpoints: [deep?.address ?? ''] },
      wild: { endpoints: [wild?.address ?? ''] },
      rest: { endpoints: [rest?.address ?? ''] },
    },
  });
  const port = gateway.port('edge');
  const expected = [
    ['a.example', 'exact'],
    ['A.Example', 'exact'],
    ['api.a.example', 'exact'],
    ['x.b.example', 'wild'],
    ['x.y.b.example', 'wild'],
    ['x.deep.b.example', 'deep'],
    ['b.example', 'rest'],
    ['other.example', 'rest'],
    // No name at all.
    ['', 'rest'],
  ] as const;
  for (const [name, reached] of expected) expect([name, await ask(port, name)]).toEqual([name, reached]);
  for (const [name, reached] of expected) {
    const serverName = name === '' ? null : name.toLowerCase();
    expect(await gateway.nextStream()).toMatchObject({ serverName, pool: reached, end: { reason: 'complete' } });
  }
});

test('the endpoint shows its own certificate and agrees on its own protocol', async () => {
  const shop = await service('shop.example');
  const gateway = await startTestGateway(only(shop.address));
  expect(await ask(gateway.port('edge'), 'shop.example', shop.ca)).toBe('shop.example');
});

test('a name that leads nowhere is refused as TLS does', async () => {
  const shop = await service('shop.example');
  const gateway = await startTestGateway(only(shop.address));
  await expect(ask(gateway.port('edge'), 'other.example')).rejects.toMatchObject({
    code: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
  });
  await expect(ask(gateway.port('edge'), '')).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME' });
  expect(await refusals(gateway)).toEqual(['edge unknown-server-name 2']);
  expect(gateway.streams).toEqual([]);
  await until(() => gateway.status().listeners[0]?.connections === 0, 'the connections to close');
});

test('the refusal is an alert, the whole alert, and then an end', async () => {
  const shop = await TcpOrigin.start();
  const gateway = await startTestGateway(only(shop.address));
  const client = await TcpEnd.connect(gateway.port('edge'));
  client.send(helloBytes({ serverName: 'other.example' }));
  expect(Buffer.from(await client.untilEnd(), 'latin1').toString('hex')).toBe('15030300020270');
});

test('what is not TLS is closed without a word', async () => {
  const shop = await TcpOrigin.start();
  const gateway = await startTestGateway(only(shop.address));
  const client = await TcpEnd.connect(gateway.port('edge'));
  client.send('GET / HTTP/1.1\r\n');
  await until(() => client.ended || client.socket.closed, 'the connection to close');
  expect(client.length).toBe(0);
  expect(await refusals(gateway)).toEqual(['edge not-tls 1']);
  expect(shop.ends).toEqual([]);
});

test('what is not TLS goes to the pool for all others', async () => {
  const [shop, rest] = [await TcpOrigin.start(), await TcpOrigin.start()];
  const { listeners, pools } = only(shop.address);
  const gateway = await startTestGateway({
    listeners: { edge: { ...listeners?.['edge'], port: 0, kind: 'tcp', pool: 'rest' } },
    pools: { ...pools, rest: { endpoints: [rest.address] } },
  });
  const client = await TcpEnd.connect(gateway.port('edge'));
  client.socket.end('SSH-2.0-x\r\n');
  expect(await (await rest.accepted()).untilEnd()).toBe('SSH-2.0-x\r\n');
});

test.each([
  ['in one piece', 2 ** 14],
  ['in records of 11 bytes', 11],
])('a hello that comes byte by byte, %s, arrives as it was sent', async (_, fragment) => {
  const shop = await TcpOrigin.start();
  const gateway = await startTestGateway(only(shop.address));
  const client = await TcpEnd.connect(gateway.port('edge'));
  const hello = helloBytes({ alpn: ['h2'] }, fragment);
  for (const byte of hello) {
    client.send(Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const upstream = await shop.accepted();
  await upstream.text(hello.length);
  expect(upstream.received.equals(hello)).toBe(true);
});

test('what follows the hello at once, with the end behind it, arrives too', async () => {
  const shop = await TcpOrigin.start();
  const gateway = await startTestGateway(only(shop.address));
  const client = await TcpEnd.connect(gateway.port('edge'));
  const sent = Buffer.concat([helloBytes(), Buffer.alloc(300_000, 'x')]);
  client.socket.end(sent);
  const upstream = await shop.accepted();
  await upstream.untilEnd();
  expect(upstream.received.equals(sent)).toBe(true);
  upstream.socket.end('answer');
  expect(await client.untilEnd()).toBe('answer');
});

test('17 KiB of hello are forwarded, one without an end is not', async () => {
  const shop = await TcpOrigin.start();
  const gateway = await startTestGateway(only(shop.address));
  const large = helloBytes({ extensions: [[51, new Uint8Array(17 * 1024)]] });
  const client = await TcpEnd.connect(gateway.port('edge'));
  client.send(large);
  await (await shop.accepted()).text(large.length);
  const endless = await TcpEnd.connect(gateway.port('edge'));
  endless.send(helloBytes({ extensions: [[51, new Uint8Array(PEEK_BYTES)]] }));
  await until(() => endless.ended || endless.socket.closed, 'the connection to close');
  expect(await refusals(gateway)).toEqual(['edge client-hello-too-large 1']);
  expect(shop.ends).toHaveLength(1);
});

test('a hello that is not finished in time is closed', async () => {
  const clock = new ManualClock(Date.now());
  const shop = await TcpOrigin.start();
  const gateway = await startTestGateway(only(shop.address), { clock });
  const [silent, slow] = [await TcpEnd.connect(gateway.port('edge')), await TcpEnd.connect(gateway.port('edge'))];
  slow.send(helloBytes().subarray(0, 90));
  await until(() => gateway.status().listeners[0]?.connections === 2, 'both connections');
  clock.advance(9_000);
  expect(gateway.status().listeners[0]?.connections).toBe(2);
  clock.advance(3_000);
  for (const client of [silent, slow]) await until(() => client.ended || client.socket.closed, 'a close');
  expect(await refusals(gateway)).toEqual(['edge client-hello-timeout 2']);
});

test('one port terminates some names and passes others through', async () => {
  const bank = await service('bank.example');
  const shop = await origin();
  const config = forwardTo(shop);
  const gateway = await startTestGateway({
    ...config,
    listeners: {
      web: {
        port: 0,
        tls: { names: ['shop.test', 'localhost'] },
        passthrough: [{ sni: ['bank.example', '*.bank.example'], pool: 'bank' }],
      },
    },
    pools: { ...config.pools, bank: { endpoints: [bank.address] } },
  });
  const h1 = await new Front(gateway, 'lane-tls').send({});
  const h2 = await new Front(gateway, 'h2').send({});
  expect([h1.status, h2.status, shop.requests]).toEqual([200, 200, 2]);
  expect(await ask(gateway.port(), 'bank.example', bank.ca)).toBe('bank.example');
  expect(await ask(gateway.port(), 'pay.bank.example')).toBe('bank.example');
  expect(await gateway.nextStream()).toMatchObject({ pool: 'bank', serverName: 'bank.example' });
  expect(await gateway.nextStream()).toMatchObject({ pool: 'bank', serverName: 'pay.bank.example' });
  expect(shop.requests).toBe(2);
});

test('beside passthrough, plain HTTP on the TLS port still gets a readable answer', async () => {
  const bank = await TcpOrigin.start();
  const gateway = await startTestGateway({
    listeners: {
      web: { port: 0, tls: { names: ['shop.test'] }, passthrough: [{ sni: 'bank.example', pool: 'bank' }] },
    },
    pools: { bank: { endpoints: [bank.address] } },
  });
  const client = await TcpEnd.connect(gateway.port());
  client.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
  expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 400 /);
});

test('an endpoint that asks for it is told the client before the hello', async () => {
  const shop = await TcpOrigin.start();
  const pools = { shop: { endpoints: [shop.address], proxyProtocol: 'v1' as const } };
  const gateway = await startTestGateway(only('', { pools }));
  const client = await TcpEnd.connect(gateway.port('edge'), '127.0.0.3');
  const hello = helloBytes();
  client.send(hello);
  const port = gateway.port('edge');
  const header = `PROXY TCP4 127.0.0.3 127.0.0.1 ${client.socket.localPort} ${port}\r\n`;
  const upstream = await shop.accepted();
  expect(await upstream.text(header.length + hello.length)).toBe(header + hello.toString('latin1'));
  client.socket.end();
  upstream.socket.end();
  expect(await gateway.nextStream()).toMatchObject({ bytesIn: hello.length, clientAddress: '127.0.0.3' });
});

test('endpoints that speak no HTTP are checked by connecting to them', async () => {
  const clock = new ManualClock(Date.now());
  const [one, two] = [await TcpOrigin.start(false), await TcpOrigin.start(false)];
  const health = { type: 'tcp' as const, interval: '1s', timeout: 0 as const, fall: 1, rise: 1 };
  const gateway = await startTestGateway(
    {
      listeners: { db: { port: 0, kind: 'tcp', pool: 'db' } },
      pools: { db: { endpoints: [one.address, two.address], health } },
    },
    { clock },
  );
  const states = (): string[] => (gateway.status().pools[0]?.endpoints ?? []).map(({ health: state }) => state);
  await until(() => one.ends.length > 0 && two.ends.length > 0, 'the first checks');
  await until(() => one.open + two.open === 0, 'the checks to be over');
  expect(states()).toEqual(['up', 'up']);
  one.stop();
  while (states()[0] !== 'down') {
    const checks = two.ends.length;
    clock.advance(1_300);
    await until(() => two.ends.length > checks && two.open === 0, 'the next check');
  }
  expect(states()).toEqual(['down', 'up']);
  const before = two.ends.length;
  const client = await TcpEnd.connect(gateway.port('db'));
  client.send('hello');
  await until(() => two.ends.slice(before).some(({ length }) => length === 5), 'the client at the other endpoint');
  client.socket.resetAndDestroy();
  expect(await gateway.nextStream()).toMatchObject({ attempts: 1, endpoint: `http://${two.address}` });
});

test('the client that a PROXY header names is the one of the stream', async () => {
  const shop = await TcpOrigin.start();
  const gateway = await startTestGateway({
    listeners: {
      edge: {
        port: 0,
        kind: 'tcp',
        trustedProxies: ['127.0.0.1'],
        proxyProtocol: true,
        passthrough: [{ sni: 'shop.example', pool: 'shop' }],
      },
    },
    pools: { shop: { endpoints: [shop.address] } },
  });
  const client = await TcpEnd.connect(gateway.port('edge'));
  const hello = helloBytes();
  client.send(Buffer.concat([Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n'), hello]));
  const upstream = await shop.accepted();
  await upstream.text(hello.length);
  expect(upstream.received.equals(hello)).toBe(true);
  client.socket.resetAndDestroy();
  expect(await gateway.nextStream()).toMatchObject({ clientAddress: '203.0.113.9', serverName: 'shop.example' });
});

test('streams are counted by how they ended', async () => {
  const shop = await TcpOrigin.start(false);
  const gateway = await startTestGateway({
    listeners: { db: { port: 0, kind: 'tcp', pool: 'shop' } },
    pools: { shop: { endpoints: [shop.address] } },
  });
  (await TcpEnd.connect(gateway.port('db'))).socket.end();
  await gateway.nextStream();
  const metrics = await (await fetch(`${gateway.gateway.adminUrl}/metrics`)).text();
  expect(metrics).toContain('headgate_streams_total{listener="db",pool="shop",side="client",reason="complete"} 1');
  expect(gateway.status().listeners).toMatchObject([{ name: 'db', kind: 'tcp', url: gateway.url('db') }]);
  expect(gateway.url('db')).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
});

test('beside passthrough, a name that is terminated may come byte by byte as well', async () => {
  const bank = await TcpOrigin.start();
  const shop = await origin();
  const config = forwardTo(shop);
  const gateway = await startTestGateway({
    ...config,
    listeners: {
      web: { port: 0, tls: { names: ['shop.test'] }, passthrough: [{ sni: 'bank.example', pool: 'bank' }] },
    },
    pools: { ...config.pools, bank: { endpoints: [bank.address] } },
  });
  const relay = createTcpServer((near) => {
    const far = connectTcp({ port: gateway.port(), host: '127.0.0.1', noDelay: true });
    near.on('error', () => {});
    far.on('error', () => {});
    far.pipe(near);
    near.on('data', (chunk: Buffer) => {
      for (const byte of chunk) far.write(Uint8Array.of(byte));
    });
    near.on('close', () => far.destroy());
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const port = (relay.address() as AddressInfo).port;
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'shop.test', ca: await testAuthority() });
  stopAfterTest(() => {
    relay.close();
    socket.destroy();
  });
  await inTime(once(socket, 'secureConnect'), 'a handshake');
  socket.write('GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n');
  expect(await inTime(textOf(socket), 'an answer')).toMatch(/^HTTP\/1\.1 200 /);
});
