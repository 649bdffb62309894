import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { CacheDiskStatus } from '../../src/control/cache-disk/disk-status.ts';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { startTestGateway, type TestConfig, type TestGateway } from '../kit/gateway.ts';
import { type Front, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { type Origin, origin } from '../kit/origin.ts';

type Route = NonNullable<TestConfig['routes']>[number];

const SEGMENT = 64 * 1024;
const FRESH = ['Cache-Control', 'max-age=600', 'ETag', '"v1"', 'X-Own', 'a'];
const BIG = pattern(20 * SEGMENT + 123);

matrix('what was stored is served after a restart, without asking the endpoint', async (stage) => {
  const shop = await stage.origin({ script: [{ respond: 200, headers: FRESH, body: BIG }] });
  const path = await emptyDirectory();
  await stored(await stage.gateway(onDisk(shop, path)), '/a?b');
  const front = await found(await stage.gateway(onDisk(shop, path)));
  const reply = await front.send({ path: '/a?b' });
  expect([reply.status, reply.text === BIG, reply.ended, reply.header('x-own')]).toEqual([200, true, 'clean', 'a']);
  expect(reply.header('cache-status')).toMatch(/^headgate; hit; ttl=\d+$/);
  // From memory now.
  const reads = diskOf(front).reads;
  expect([(await front.send({ path: '/a?b' })).text === BIG, diskOf(front).reads - reads]).toEqual([true, 0]);
  expect([shop.requests, diskOf(front).openFiles]).toEqual([1, 0]);
});

matrix('what an unnamed route had stored is not served by another one that stands in its place', async (stage) => {
  const shop = await stage.origin({ script: [{ respond: 200, headers: FRESH, body: 'old' }] });
  const other = await stage.origin({ script: [{ respond: 200, headers: FRESH, body: 'new' }] });
  const path = await emptyDirectory();
  const rest = { cache: { disk: { path } } };
  const unnamed = (match: Route['match']): TestConfig['routes'] => [{ match, pool: 'shop', cache: true }];
  await stored(await stage.gateway({ ...forwardTo(shop, { rest }), routes: unnamed({ client: '127.0.0.0/8' }) }));
  const front = await found(await stage.gateway({ ...forwardTo(other, { rest }), routes: unnamed({ path: '/**' }) }));
  expect((await front.send({})).text).toBe('new');
});

matrix('a range of a response on disk is read alone', async (stage) => {
  const shop = await stage.origin({ script: [{ respond: 200, headers: FRESH, body: BIG }] });
  const path = await emptyDirectory();
  await stored(await stage.gateway(onDisk(shop, path)));
  const front = await found(await stage.gateway(onDisk(shop, path)));
  const from = 3 * SEGMENT - 5;
  const reply = await front.send({ headers: ['Range', `bytes=${from}-${from + 9}`] });
  expect([reply.status, reply.text, reply.header('content-range')]).toEqual([
    206,
    BIG.slice(from, from + 10),
    `bytes ${from}-${from + 9}/${BIG.length}`,
  ]);
  expect([diskOf(front).reads, shop.requests]).toEqual([2, 1]);
});

matrix('HEAD and a condition are answered from what is on disk without reading it', async (stage) => {
  const shop = await stage.origin({ script: [{ respond: 200, headers: FRESH, body: BIG }] });
  const path = await emptyDirectory();
  await stored(await stage.gateway(onDisk(shop, path)));
  const front = await found(await stage.gateway(onDisk(shop, path)));
  const head = await front.send({ method: 'HEAD' });
  expect([head.status, head.header('content-length')]).toEqual([200, String(BIG.length)]);
  expect((await front.send({ headers: ['If-None-Match', '"v1"'] })).status).toBe(304);
  expect([diskOf(front).reads, shop.requests]).toEqual([0, 1]);
});

matrix('a client that leaves lets go of the file', async (stage) => {
  const shop = await stage.origin({ script: [{ respond: 200, headers: FRESH, body: BIG }] });
  const path = await emptyDirectory();
  await stored(await stage.gateway(onDisk(shop, path)));
  const front = await found(await stage.gateway(onDisk(shop, path)));
  const gone = await front.begin({});
  expect((await gone.read(10)).toString('latin1')).toBe(BIG.slice(0, 10));
  gone.leave();
  (await front.begin({})).leave();
  await until(() => diskOf(front).openFiles === 0 && front.gateway.records.length >= 1, 'the file to be let go of');
  expect((await front.send({})).text === BIG).toBe(true);
  expect(shop.requests).toBe(1);
});

matrix('a response whose file was changed at its beginning is fetched anew', async (stage) => {
  const shop = await stage.origin({
    scripts: [[{ respond: 200, headers: FRESH, body: BIG }], [{ respond: 200, headers: FRESH, body: 'new' }]],
  });
  const path = await emptyDirectory();
  await stored(await stage.gateway(onDisk(shop, path)));
  const front = await found(await stage.gateway(onDisk(shop, path)));
  await damage(path, -BIG.length);
  const reply = await front.send({});
  expect([reply.status, reply.text === 'new']).toEqual([200, true]);
  expect(reply.header('cache-status')).toBe('headgate; fwd=uri-miss; fwd-status=200; stored');
  expect(diskOf(front).corrupt).toEqual({ checksum: 1 });
  expect((await front.send({})).text === 'new').toBe(true);
  await until(() => diskOf(front).queued === 0, 'the writes');
  expect(shop.requests).toBe(2);
});

matrix(
  'a response whose file was changed further on is cut short, never wrong, and then fetched anew',
  async (stage) => {
    const shop = await stage.origin({
      scripts: [[{ respond: 200, headers: FRESH, body: BIG }], [{ respond: 200, headers: FRESH, body: 'new' }]],
    });
    const path = await emptyDirectory();
    await stored(await stage.gateway(onDisk(shop, path)));
    const front = await found(await stage.gateway(onDisk(shop, path)));
    await damage(path, -2);
    const reply = await front.send({});
    expect([reply.status, reply.ended === 'clean']).toEqual([200, false]);
    expect(BIG.startsWith(reply.text)).toBe(true);
    expect((await front.gateway.nextRecord()).end).toMatchObject({ side: 'gateway', reason: 'stored-body-unreadable' });
    expect((await front.send({})).text === 'new').toBe(true);
    expect(shop.requests).toBe(2);
  },
);

matrix('a response that the endpoint confirms, and whose file can’t be read, is fetched anew', async (stage) => {
  const shop = await stage.origin({
    scripts: [
      [{ respond: 200, headers: ['Cache-Control', 'max-age=600', 'Age', '600', 'ETag', '"v1"'], body: BIG }],
      [
        { respond: 304, headers: ['Cache-Control', 'max-age=600', 'ETag', '"v1"'] },
        { respond: 200, headers: FRESH, body: 'new' },
      ],
    ],
  });
  const path = await emptyDirectory();
  await stored(await stage.gateway(onDisk(shop, path)));
  const front = await found(await stage.gateway(onDisk(shop, path)));
  await damage(path, -BIG.length);
  const reply = await front.send({});
  expect([reply.status, reply.text === 'new']).toEqual([200, true]);
  expect(reply.header('cache-status')).toBe('headgate; fwd=stale; fwd-status=200; stored');
  expect((await front.send({})).text === 'new').toBe(true);
  expect(shop.requests).toBe(3);
});

matrix('what was invalidated stays away after a restart', async (stage) => {
  const shop = await stage.origin({
    scripts: [
      [{ respond: 200, headers: FRESH, body: 'old' }],
      [{ respond: 204 }],
      [{ respond: 200, headers: FRESH, body: 'new' }],
    ],
  });
  const path = await emptyDirectory();
  await stored(await stage.gateway(onDisk(shop, path)));
  const second = await found(await stage.gateway(onDisk(shop, path)));
  expect((await second.send({})).text).toBe('old');
  expect((await second.send({ method: 'POST' })).status).toBe(204);
  await second.gateway.gateway.close();
  const third = await found(await stage.gateway(onDisk(shop, path)));
  expect((await third.send({})).text).toBe('new');
});

matrix(
  'what the endpoint confirmed is as fresh after a restart as before',
  async (stage) => {
    const shop = await stage.origin({
      scripts: [
        [{ respond: 200, headers: ['Cache-Control', 'max-age=600', 'Age', '600', 'ETag', '"v1"'], body: BIG }],
        [{ respond: 304, headers: ['Cache-Control', 'max-age=600', 'ETag', '"v1"', 'X-New', 'yes'] }],
      ],
    });
    const path = await emptyDirectory();
    await stored(await stage.gateway(onDisk(shop, path)));
    const second = await found(await stage.gateway(onDisk(shop, path)));
    const confirmed = await second.send({});
    expect(confirmed.text === BIG).toBe(true);
    expect(confirmed.header('cache-status')).toMatch(/^headgate; fwd=stale; fwd-status=304; stored; ttl=\d+$/);
    await second.gateway.gateway.close();
    const third = await found(await stage.gateway(onDisk(shop, path)));
    const hit = await third.send({});
    expect([hit.text === BIG, hit.header('x-new')]).toEqual([true, 'yes']);
    expect(hit.header('cache-status')).toMatch(/^headgate; hit; ttl=/);
    expect(shop.requests).toBe(2);
  },
  { without: ONE_PROTOCOL },
);

test('a directory belongs to one gateway at a time, and the other goes on without', async () => {
  const shop = await origin({ script: [{ respond: 200, headers: FRESH, body: 'stored' }] });
  const path = await emptyDirectory();
  const first = await foundBy(await startTestGateway(onDisk(shop, path)));
  const second = await startTestGateway(onDisk(shop, path));
  for (const gateway of [first, second]) {
    for (let i = 0; i < 3; i += 1) expect(await (await fetch(gateway.url())).text()).toBe('stored');
  }
  await until(() => diskOfGateway(first).writes === 1, 'the write');
  expect([diskOfGateway(second).phase, diskOfGateway(second).writes, shop.requests]).toEqual(['waiting', 0, 2]);
  await first.gateway.close();
});

function onDisk(shop: Origin, path: string): TestConfig {
  return forwardTo(shop, { route: { cache: true }, rest: { cache: { disk: { path } } } });
}

/** Has the answer stored, and stops the gateway. */
async function stored(front: Front, path = '/'): Promise<void> {
  const reply = await front.send({ path });
  expect(reply.header('cache-status')).toMatch(/stored$/);
  await front.gateway.gateway.close();
}

async function found(front: Front): Promise<Front> {
  await foundBy(front.gateway);
  return front;
}

async function foundBy(gateway: TestGateway): Promise<TestGateway> {
  await until(() => diskOfGateway(gateway).phase === 'ready', 'what is on disk to be found');
  return gateway;
}

function diskOf(front: Front): CacheDiskStatus {
  return diskOfGateway(front.gateway);
}

function diskOfGateway(gateway: TestGateway): CacheDiskStatus {
  const { cacheDisk } = gateway.status();
  if (cacheDisk === null) throw new Error('The gateway has no cache on disk');
  return cacheDisk;
}

async function emptyDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'headgate-disk-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Flips the bits of one byte of the only entry, counted from its end. */
async function damage(path: string, fromEnd: number): Promise<void> {
  const names = (await readdir(path, { recursive: true })).filter((name) => name.endsWith('.entry'));
  expect(names).toHaveLength(1);
  const name = join(path, names[0] ?? '');
  const at = (await stat(name)).size + fromEnd;
  const file = await open(name, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 0xff;
  await file.write(byte, 0, 1, at);
  await file.close();
}

function pattern(bytes: number): string {
  let text = '';
  for (let i = 0; text.length < bytes; i += 1) text += `${i};`;
  return text.slice(0, bytes);
}
