import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configFromObject, servable } from '../../src/config/load.ts';
import type { Worker } from '../../src/gateway.ts';
import { until } from '../kit/deadline.ts';
import { startTestGateway, type TestConfig } from '../kit/gateway.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { deadPort, origin } from '../kit/origin.ts';
import { stopAfterTest } from '../kit/stop.ts';

matrix(
  'after a reload new requests go by the new configuration, on connections that were open before',
  async (stage) => {
    const [one, two] = await Promise.all(
      ['one', 'two'].map((body) => stage.origin({ script: [{ respond: 200, body }] })),
    );
    const front = await stage.gateway(site(one?.port));
    const connection = await front.connect();
    expect((await connection.send({})).text).toBe('one');
    expect(await front.reload(site(two?.port))).toMatchObject({ result: 'applied', diagnostics: [] });
    expect((await connection.send({})).text).toBe('two');
  },
);

matrix('a request under way ends as it began, whatever a reload does to its route', async (stage) => {
  const release = Promise.withResolvers<void>();
  const slow = await stage.origin({ script: ['read head', { wait: release.promise }, { respond: 200, body: 'slow' }] });
  const front = await stage.gateway(site(slow.port));
  const exchange = await front.begin({});
  await slow.request(0);
  await front.reload({ routes: [{ respond: { status: 410 } }] });
  expect((await front.send({})).status).toBe(410);
  release.resolve();
  expect((await exchange.reply()).text).toBe('slow');
});

matrix('a configuration that is refused changes nothing, and says where it is wrong', async (stage) => {
  const origin = await stage.origin({ script: [{ respond: 200, body: 'still here' }] });
  const front = await stage.gateway(site(origin.port));
  const report = await front.reload({ pools: {}, routes: [{ match: { path: '/**' }, pool: 'gone' }] });
  expect(report).toMatchObject({ result: 'refused', changes: null, diagnostics: [{ code: 'HG0103' }] });
  expect((await front.send({})).text).toBe('still here');
  expect(front.gateway.gateway.reloads.map(({ result }) => result)).toEqual(['refused']);
});

matrix(
  'a listener opens, changes and closes; its neighbours notice nothing',
  async (stage) => {
    const route = { respond: { status: 200, body: 'here' } };
    const front = await stage.gateway({ routes: [route] });
    const connection = await front.connect();
    expect((await connection.send({})).text).toBe('here');
    const more = await deadPort();
    const opened = await front.reload({ listeners: { more: { port: more, address: '127.0.0.1' } }, routes: [route] });
    expect(opened.changes?.listeners).toEqual({ opened: ['more'], changed: [], closed: [] });
    expect(await isListening(more)).toBe(true);
    const limits = { headerCount: 50 };
    const changed = await front.reload({
      listeners: { more: { port: more, address: '127.0.0.1', limits } },
      routes: [route],
    });
    expect(changed.changes?.listeners).toEqual({ opened: [], changed: ['more'], closed: [] });
    expect(await isListening(more)).toBe(true);
    const closed = await front.reload({ routes: [route] });
    expect(closed.changes?.listeners).toEqual({ opened: [], changed: [], closed: ['more'] });
    expect(await isListening(more)).toBe(false);
    expect((await connection.send({})).text).toBe('here');
  },
  { without: ONE_PROTOCOL },
);

matrix('a listener that can’t be opened refuses the reload, and nothing of it is left', async (stage) => {
  const front = await stage.gateway({ routes: [{ respond: { status: 200, body: 'here' } }] });
  const taken = await stage.origin();
  const free = await deadPort();
  const listeners = {
    free: { port: free, address: '127.0.0.1' },
    taken: { port: taken.port, address: '127.0.0.1' },
  };
  const report = await front.reload({ listeners, routes: [{ respond: { status: 410 } }] });
  expect(report).toMatchObject({ result: 'refused', obstacle: expect.stringContaining('in use') });
  expect(await isListening(free)).toBe(false);
  expect((await front.send({})).text).toBe('here');
});

const here = [{ respond: { status: 200, body: 'here' } }];

test('two listeners change places, and nobody is refused', async () => {
  const [one, two] = [await deadPort(), await deadPort()];
  const at = (a: number, b: number): TestConfig => ({
    listeners: { a: { port: a }, b: { port: b } },
    routes: [{ listeners: ['a'], respond: { status: 200, body: 'a' } }, { respond: { status: 200, body: 'b' } }],
  });
  const gateway = await startTestGateway(at(one, two));
  expect([await bodyAt(one), await bodyAt(two)]).toEqual(['a', 'b']);
  const report = await gateway.reload(at(two, one));
  expect(report.changes?.listeners).toEqual({ opened: [], changed: ['a', 'b'], closed: [] });
  expect([await bodyAt(one), await bodyAt(two)]).toEqual(['b', 'a']);
});

test('a listener with another name has the port of the one before', async () => {
  const port = await deadPort();
  const gateway = await startTestGateway({ listeners: { old: { port } }, routes: here });
  const report = await gateway.reload({ listeners: { new: { port } }, routes: here });
  expect(report.changes?.listeners).toEqual({ opened: [], changed: ['new'], closed: ['old'] });
  expect([await bodyAt(port), [...gateway.gateway.urls.keys()]]).toEqual(['here', ['new']]);
});

test('a listener that changes twice before it has drained still serves whom it has', async () => {
  const port = await deadPort();
  const release = Promise.withResolvers<void>();
  const slow = await origin({ script: ['read head', { wait: release.promise }, { respond: 200, body: 'slow' }] });
  const of = (headerCount: number): TestConfig => ({
    listeners: { web: { port, limits: { headerCount } } },
    ...site(slow.port),
  });
  const gateway = await startTestGateway(of(50));
  const waiting = bodyAt(port);
  await slow.request(0);
  for (const headerCount of [51, 52]) {
    expect((await gateway.reload(of(headerCount))).changes?.listeners.changed).toEqual(['web']);
  }
  release.resolve();
  expect(await waiting).toBe('slow');
});

test('another mode of its Unix socket counts at once', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-reload-'));
  stopAfterTest(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'front.sock');
  const of = (mode: string): TestConfig => ({
    listeners: { web: { address: `unix:${path}`, port: undefined, mode } },
    routes: here,
  });
  const gateway = await startTestGateway(of('0600'));
  expect((await gateway.reload(of('0666'))).result).toBe('applied');
  await until(() => (statSync(path).mode & 0o777) === 0o666, 'the other mode');
});

test('a listener that is to have every address of its port says why that can’t be', async () => {
  const port = await deadPort();
  const gateway = await startTestGateway({ listeners: { web: { port } }, routes: here });
  const report = await gateway.reload({ listeners: { web: { port, address: '0.0.0.0' } }, routes: here });
  expect(report).toMatchObject({ result: 'refused', obstacle: expect.stringContaining('listener “web” has the port') });
  expect(await bodyAt(port)).toBe('here');
});

test('endpoints that have to be found are known before the first request comes for them', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-reload-'));
  stopAfterTest(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'endpoints.yaml');
  const found = await origin({ script: [{ respond: 200, body: 'found' }] });
  writeFileSync(file, JSON.stringify([`127.0.0.1:${found.port}`]));
  const gateway = await startTestGateway({ routes: here });
  await gateway.reload({ pools: { shop: { discover: { file } } }, routes: [{ pool: 'shop' }] });
  expect(gateway.status().pools[0]?.endpoints.map(({ origin }) => origin)).toEqual([`http://127.0.0.1:${found.port}`]);
  expect(await bodyAt(gateway.port())).toBe('found');
});

async function bodyAt(port: number): Promise<string> {
  const reply = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  return reply.text();
}

function site(port: number | undefined): TestConfig {
  return { pools: { site: { endpoints: [`127.0.0.1:${port}`] } }, routes: [{ pool: 'site' }] };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
}

matrix(
  'a plan says what a reload would change, and changes nothing; its mistakes are those of the reload',
  async (stage) => {
    const [one, two] = await Promise.all(
      ['one', 'two'].map((body) => stage.origin({ script: [{ respond: 200, body }] })),
    );
    const front = await stage.gateway(site(one?.port));
    front.source(site(two?.port));
    const planned = await front.gateway.gateway.plan();
    const endpoints = { added: [`127.0.0.1:${two?.port}`], removed: [`127.0.0.1:${one?.port}`] };
    expect(planned).toMatchObject({
      result: 'planned',
      plan: { same: false, pools: { changed: [{ name: 'site', keys: ['endpoints'], endpoints }] } },
    });
    expect((await front.send({})).text).toBe('one');
    front.source({ routes: [{ pool: 'gone' }] });
    expect(await front.gateway.gateway.plan()).toMatchObject({ result: 'refused', diagnostics: [{ code: 'HG0103' }] });
    expect((await front.reload(site(two?.port))).changes).toMatchObject({
      pools: { added: 0, removed: 0, changed: 1 },
      routes: { added: 0, removed: 0, changed: 0, reordered: 0 },
    });
    expect((await front.send({})).text).toBe('two');
  },
  { without: ONE_PROTOCOL },
);

test('a plan that is asked for while another configuration is ready to serve takes nothing from that one', async () => {
  const shop = await origin({ script: [{ respond: 204 }] });
  const listeners = { web: { port: 0, address: '127.0.0.1' } };
  const front = await startTestGateway({ listeners, routes: [{ respond: { status: 204 } }] });
  const pools = { shop: { endpoints: [`127.0.0.1:${shop.port}`], health: { start: 'down', rise: 1 } } } as const;
  const loaded = configFromObject({ admin: { port: 0 }, listeners, pools, routes: [{ pool: 'shop' }] });
  const next = servable(loaded);
  if (next === null) throw new Error('It should be sound');
  front.found(loaded);
  const prepared = await (front.gateway as Worker).prepare(next);
  const plan = front.gateway.plan();
  // As far as it comes by itself.
  for (let i = 0; i < 50; i += 1) await new Promise((resolve) => setImmediate(resolve));
  prepared.commit();
  expect(await plan).toMatchObject({ result: 'planned', plan: { same: true } });
  await until(() => front.status().pools[0]?.endpoints[0]?.health === 'up', 'the check of the endpoint');
});
