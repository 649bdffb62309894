import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../kit/deadline.ts';
import { startTestGateway, type TestConfig, type TestGateway } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { deadPort } from '../kit/origin.ts';
import { TcpEnd, TcpOrigin } from '../kit/stream.ts';

interface Ends {
  readonly gateway: TestGateway;
  readonly client: TcpEnd;
  readonly upstream: TcpEnd;
}

function config(endpoints: readonly string[], over: Partial<TestConfig> = {}, limits: object = {}): TestConfig {
  return {
    listeners: { db: { port: 0, kind: 'tcp', pool: 'db', limits } },
    pools: { db: { endpoints: [...endpoints] } },
    ...over,
  };
}

async function joined(clock?: ManualClock, limits: object = {}): Promise<Ends> {
  const origin = await TcpOrigin.start();
  const gateway = await startTestGateway(config([origin.address], {}, limits), clock === undefined ? {} : { clock });
  const client = await TcpEnd.connect(gateway.port('db'));
  return { gateway, client, upstream: await origin.accepted() };
}

test('bytes go both ways as they are, whoever speaks first', async () => {
  const { gateway, client, upstream } = await joined();
  upstream.send('220 ready\r\n');
  expect(await client.text(11)).toBe('220 ready\r\n');
  client.send(Buffer.from([0, 1, 2, 255]));
  expect(await upstream.text(4)).toBe('\0\x01\x02\xff');
  client.socket.end();
  upstream.socket.end();
  expect(await gateway.nextStream()).toMatchObject({
    listener: 'db',
    clientAddress: '127.0.0.1',
    serverName: null,
    bytesIn: 4,
    bytesOut: 11,
    pool: 'db',
    attempts: 1,
    end: { side: 'client', reason: 'complete', error: null },
  });
});

test('a client that has said its last still gets the answer', async () => {
  const { gateway, client, upstream } = await joined();
  client.socket.end('question');
  expect(await upstream.untilEnd()).toBe('question');
  upstream.send('an');
  upstream.socket.end('swer');
  expect(await client.untilEnd()).toBe('answer');
  expect((await gateway.nextStream()).end).toMatchObject({ side: 'client', reason: 'complete' });
});

test('an endpoint that has said its last still gets what the client has to say', async () => {
  const { gateway, client, upstream } = await joined();
  upstream.socket.end('hello');
  expect(await client.untilEnd()).toBe('hello');
  client.send('I ');
  client.socket.end('know');
  expect(await upstream.untilEnd()).toBe('I know');
  expect((await gateway.nextStream()).end).toMatchObject({ side: 'upstream', reason: 'complete' });
});

test('one that has half-closed may wait for its answer for hours', async () => {
  const clock = new ManualClock(Date.now());
  const { client, upstream } = await joined(clock, { streamIdleTimeout: '3h' });
  client.socket.end('question');
  await upstream.untilEnd();
  clock.advance(2 * 3_600_000);
  upstream.socket.end('answer');
  expect(await client.untilEnd()).toBe('answer');
});

test('a reset by the client is one for the endpoint', async () => {
  const { gateway, client, upstream } = await joined();
  client.send('x');
  await upstream.text(1);
  client.socket.resetAndDestroy();
  expect(await upstream.closed()).toBe('reset');
  expect((await gateway.nextStream()).end).toMatchObject({
    side: 'client',
    reason: 'client-gone',
    error: 'http_request_error',
  });
});

test('a reset by the endpoint is one for the client', async () => {
  const { gateway, client, upstream } = await joined();
  upstream.send('x');
  await client.text(1);
  upstream.socket.resetAndDestroy();
  expect(await client.closed()).toBe('reset');
  expect((await gateway.nextStream()).end).toMatchObject({
    side: 'upstream',
    reason: 'endpoint-gone',
    error: 'connection_terminated',
  });
});

test.each(['client', 'upstream'] as const)('a %s that reads nothing holds the other side back', async (stalled) => {
  const ends = await joined();
  const sender = stalled === 'client' ? ends.upstream : ends.client;
  const reader = ends[stalled];
  reader.socket.pause();
  const chunks = 1_024;
  let taken = 0;
  const chunk = Buffer.alloc(64 << 10, 'x');
  const send = (): void => {
    taken += 1;
    if (taken < chunks) sender.socket.write(chunk, send);
    else sender.socket.end(chunk);
  };
  sender.socket.write(chunk, send);
  await standstill(() => taken);
  expect(taken).toBeLessThan(chunks);
  const streams = ends.gateway.status().pools[0]?.endpoints[0]?.connections;
  expect(streams).toEqual({ open: 1, busy: 1, queued: 0 });
  reader.socket.resume();
  await reader.untilEnd();
  expect(reader.length).toBe((chunks + 1) * chunk.length);
  reader.socket.end();
  const record = await ends.gateway.nextStream();
  expect(stalled === 'client' ? record.bytesOut : record.bytesIn).toBe(reader.length);
});

/** Resolves once `progress` has not changed for 200 turns of the event loop. */
async function standstill(progress: () => number): Promise<void> {
  let before = progress();
  for (let quiet = 0; quiet < 200; quiet += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (progress() !== before) quiet = 0;
    before = progress();
  }
}

test('what the client says before there is a connection waits for it, its end included', async () => {
  const first = await deadPort();
  const origin = await TcpOrigin.start();
  const gateway = await startTestGateway(config([`127.0.0.1:${first}`, origin.address]));
  const client = await TcpEnd.connect(gateway.port('db'));
  client.socket.end('question');
  const upstream = await origin.accepted();
  expect(await upstream.untilEnd()).toBe('question');
  upstream.socket.end('answer');
  expect(await client.untilEnd()).toBe('answer');
  expect(await gateway.nextStream()).toMatchObject({
    attempts: 2,
    endpoint: `http://${origin.address}`,
    end: { reason: 'complete' },
  });
});

test('a client of endpoints that are all down is reset, and the log says why', async () => {
  const ports = [await deadPort(), await deadPort()];
  const gateway = await startTestGateway(config(ports.map((port) => `127.0.0.1:${port}`)));
  const client = await TcpEnd.connect(gateway.port('db'));
  expect(await client.closed()).toBe('reset');
  expect(await gateway.nextStream()).toMatchObject({
    attempts: 2,
    connectMs: null,
    bytesOut: 0,
    end: { side: 'upstream', reason: 'connection-refused', error: 'connection_refused' },
  });
});

test('an endpoint gets no more streams than it may have; the next endpoint does', async () => {
  const [one, two] = [await TcpOrigin.start(), await TcpOrigin.start()];
  const endpoints = [
    { address: one.address, weight: 1000 },
    { address: two.address, weight: 1 },
  ];
  const pools = { db: { endpoints, connections: { max: 2 } } };
  const gateway = await startTestGateway(config([], { pools }));
  const clients: TcpEnd[] = [];
  for (let i = 0; i < 4; i += 1) {
    clients.push(await TcpEnd.connect(gateway.port('db')));
    await until(() => one.ends.length + two.ends.length === i + 1, 'a connection to an endpoint');
  }
  expect([one.open, two.open]).toEqual([2, 2]);
  const fifth = await TcpEnd.connect(gateway.port('db'));
  expect(await fifth.closed()).toBe('reset');
  expect((await gateway.nextStream()).end).toMatchObject({ side: 'gateway', reason: 'too-many-streams' });
  clients[0]?.socket.resetAndDestroy();
  await gateway.nextStream();
  await TcpEnd.connect(gateway.port('db'));
  await until(() => one.ends.length + two.ends.length === 5, 'another one');
});

test('the same client goes to the same endpoint where the pool says so', async () => {
  const origins = [await TcpOrigin.start(), await TcpOrigin.start(), await TcpOrigin.start()];
  const pools = { db: { endpoints: origins.map(({ address }) => address), balance: 'source-ip' as const } };
  const gateway = await startTestGateway(config([], { pools }));
  for (let i = 0; i < 6; i += 1) (await TcpEnd.connect(gateway.port('db'))).socket.end();
  await until(() => origins.some(({ ends }) => ends.length === 6), 'six connections at one endpoint');
});

test('streams are counted where they are balanced', async () => {
  const origins = [await TcpOrigin.start(), await TcpOrigin.start()];
  const pools = { db: { endpoints: origins.map(({ address }) => address), balance: 'least-connections' as const } };
  const gateway = await startTestGateway(config([], { pools }));
  for (let i = 0; i < 6; i += 1) await TcpEnd.connect(gateway.port('db'));
  await until(() => origins.every(({ ends }) => ends.length === 3), 'three connections each');
  expect(gateway.status().pools[0]?.endpoints.map(({ inFlight }) => inFlight)).toEqual([3, 3]);
});

test('a stream on which nothing is said for too long is reset on both sides', async () => {
  const clock = new ManualClock(Date.now());
  const { gateway, client, upstream } = await joined(clock, { streamIdleTimeout: '10m' });
  clock.advance(9 * 60_000);
  client.send('x');
  await upstream.text(1);
  clock.advance(9 * 60_000);
  upstream.send('y');
  await client.text(1);
  clock.advance(9 * 60_000);
  expect(gateway.streams).toEqual([]);
  clock.advance(2 * 60_000);
  expect(await client.closed()).toBe('reset');
  expect(await upstream.closed()).toBe('reset');
  expect((await gateway.nextStream()).end).toMatchObject({ side: 'gateway', reason: 'tunnel-idle-timeout' });
});

test('a drain waits for streams to end by themselves', async () => {
  const { gateway, client, upstream } = await joined();
  client.send('x');
  await upstream.text(1);
  const drained = gateway.gateway.drain();
  upstream.send('still here');
  expect(await client.text(10)).toBe('still here');
  client.socket.end();
  upstream.socket.end();
  await drained;
  expect((await gateway.nextStream()).end.reason).toBe('complete');
});

test('a drain resets the streams that are left at its deadline', async () => {
  const clock = new ManualClock(Date.now());
  const { gateway, client, upstream } = await joined(clock);
  const drained = gateway.gateway.drain();
  clock.advance(29_000);
  expect(gateway.streams).toEqual([]);
  clock.advance(2_000);
  expect((await gateway.nextStream()).end).toMatchObject({ side: 'gateway', reason: 'drain-timeout' });
  expect(await upstream.closed()).toBe('reset');
  expect(await client.closed()).toBe('reset');
  await drained;
});

test('a thousand streams that were broken off, at whatever stage, leave nothing open', async () => {
  const origin = await TcpOrigin.start(false);
  const pools = { db: { endpoints: [origin.address], connections: { max: 1_000 } } };
  const gateway = await startTestGateway(config([], { pools }));
  for (let round = 0; round < 20; round += 1) {
    const clients = await Promise.all(Array.from({ length: 50 }, () => TcpEnd.connect(gateway.port('db'))));
    for (const [index, client] of clients.entries()) {
      if (index % 3 > 0) client.send('x'.repeat(index * 100));
      if (index % 5 === 0) await origin.accepted(round * 50);
      if (index % 2 === 0) client.socket.resetAndDestroy();
      else client.socket.destroy();
    }
  }
  await until(() => gateway.streams.length === 1_000, 'every stream to end');
  await until(() => origin.open === 0, 'every connection to the origin to close');
  await until(() => gateway.status().listeners[0]?.connections === 0, 'every client connection to close');
  expect(gateway.status().pools[0]?.endpoints[0]).toMatchObject({ inFlight: 0, connections: { open: 0, busy: 0 } });
});

test('the connections of one address are limited as everywhere', async () => {
  const origin = await TcpOrigin.start();
  const gateway = await startTestGateway(config([origin.address], {}, { connectionsPerAddress: 1 }));
  await TcpEnd.connect(gateway.port('db'));
  await origin.accepted();
  const second = await TcpEnd.connect(gateway.port('db'));
  await second.untilEnd();
  const other = await TcpEnd.connect(gateway.port('db'), '127.0.0.2');
  other.send('x');
  expect(await (await origin.accepted(1)).text(1)).toBe('x');
});

test('Unix sockets carry streams too, on both sides', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-streams-'));
  const [near, far] = [join(directory, 'near.sock'), join(directory, 'far.sock')];
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  server.listen(far);
  await once(server, 'listening');
  const gateway = await startTestGateway({
    listeners: { db: { address: `unix:${near}`, kind: 'tcp', pool: 'db', mode: '600' } },
    pools: { db: { endpoints: [`unix:${far}`] } },
  });
  const client = new TcpEnd(connect({ path: near, allowHalfOpen: true }));
  client.socket.end('echo');
  expect(await client.untilEnd()).toBe('echo');
  expect(await gateway.nextStream()).toMatchObject({ endpoint: `unix:${far}`, end: { reason: 'complete' } });
  const broken = new TcpEnd(connect({ path: near, allowHalfOpen: true }));
  broken.send('x');
  await broken.text(1);
  const drained = gateway.gateway.close();
  await broken.untilEnd();
  broken.socket.destroy();
  await drained;
  server.close();
  await rm(directory, { recursive: true });
});
