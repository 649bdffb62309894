import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import type { CertificateStatus } from '../../src/control/certificates/certificate-status.ts';
import { type Quarantined, quarantineStatus } from '../../src/control/quarantine.ts';
import { logQuarantine } from '../../src/gateway/quarantine-log.ts';
import type { Logger } from '../../src/observe/log.ts';
import { startTestGateway, type TestConfig } from '../kit/gateway.ts';
import { Front } from '../kit/matrix.ts';
import { origin } from '../kit/origin.ts';

const directory = mkdtempSync(join(tmpdir(), 'headgate-quarantine-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Pool and route of their own for each name; `more` may be anything. */
async function site(more: {
  readonly pools?: Record<string, unknown>;
  readonly routes?: readonly unknown[];
}): Promise<TestConfig> {
  const shop = await origin({ script: [{ respond: 200, body: 'shop' }] });
  return {
    pools: { shop: { endpoints: [`127.0.0.1:${shop.port}`] }, ...more.pools },
    routes: [...(more.routes ?? []), { name: 'shop', match: { path: '/shop/**' }, pool: 'shop' }],
  } as TestConfig;
}

async function broken(more: Parameters<typeof site>[0]): Promise<Front> {
  return new Front(await startTestGateway(await site(more), { tolerance: 'start' }), 'lane');
}

function verdicts(front: Front): unknown[] {
  return front.gateway.gateway.quarantined.map(({ kind, name, effect }) => `${kind} ${name} ${effect}`);
}

describe('at the start, a broken route', () => {
  test.each([
    ['leads to a pool that does not exist', { pool: 'shpo' }],
    ['has no deed', {}],
    ['has an unknown key', { pool: 'shop', bodyLimit: '1k' }],
    ['has a value of the wrong type', { pool: 'shop', limits: { body: 'much' } }],
    ['has a template that can’t be filled in', { pool: 'shop', requestHeaders: { set: { 'X-A': '{nobody}' } } }],
    ['has a pattern that is none', { pool: 'shop', rewrite: { regex: '(', replace: '' } }],
    ['has a test that is none', { pool: 'shop', match: { path: '/a/**', headers: { 'X-A': { regx: 'a' } } } }],
    ['has a network that is none', { pool: 'shop', match: { path: '/a/**', client: '10.0.0.0/99' } }],
  ])('that %s answers 503 to its own requests, and nobody else’s', async (_, route) => {
    const front = await broken({ routes: [{ name: 'a', match: { path: '/a/**' }, ...route }] });
    const reply = await front.send({ path: '/a/b' });
    expect([reply.status, reply.header('proxy-status')]).toEqual([503, 'headgate; error=proxy_configuration_error']);
    expect(reply.header('retry-after')).toBeNull();
    expect((await front.gateway.nextRecord()).end).toMatchObject({ side: 'gateway', reason: 'route-quarantined' });
    expect((await front.send({ path: '/shop/b' })).text).toBe('shop');
    expect((await front.send({ path: '/b' })).status).toBe(404);
    expect(verdicts(front)).toEqual(['route a refused']);
  });

  test.each([
    ['timeouts', { head: 'soon' }],
    ['retry', { attempts: 0 }],
    ['mirror', { pool: 'nobody' }],
    ['fallback', [{ pool: 'nobody' }]],
    ['cache', { bypass: [{ headers: { A: { regex: '(' } } }] }],
    ['importance', 'utmost'],
    ['tracing', 'often'],
    ['tests', 'none'],
    ['name', '-'],
    ['cahce', true],
  ])('goes on without its %s', async (key, value) => {
    const front = await broken({ routes: [{ match: { path: '/a/**' }, pool: 'shop', [key]: value }] });
    expect((await front.send({ path: '/a/b' })).text).toBe('shop');
    expect(verdicts(front)).toEqual(['route <inline>:6 reduced']);
  });

  test.each([
    ['path', { path: 'a' }],
    ['path, whose pattern is none', { path: { regex: '(' } }],
    ['path, whose key is misspelt', { pth: '/a/**' }],
    ['host', { host: 'a b', path: '/a/**' }],
    ['host, whose key is misspelt', { hots: 'a.test', path: '/a/**' }],
    ['match', '/a/**'],
    ['conditions', { headers: { A: { regex: '(' } } }],
  ])('is left out when nobody can read its %s', async (_, match) => {
    const front = await broken({ routes: [{ name: 'a', match, pool: 'shop' }] });
    expect((await front.send({ path: '/a/b' })).status).toBe(404);
    expect((await front.send({ path: '/shop/b' })).text).toBe('shop');
    expect(verdicts(front)).toEqual(['route a left-out']);
  });

  test('takes nothing from routes that are more specific, and lets nothing pass to those that are less so', async () => {
    const front = await broken({
      routes: [
        { name: 'guard', match: { path: '/a/**', client: { not: 'a list' } }, respond: { status: 403 } },
        { name: 'exact', match: { path: '/a/b' }, respond: { body: 'exact' } },
        { name: 'asked', match: { path: '/a/**', method: 'PUT' }, respond: { body: 'asked' } },
        { name: 'rest', match: { path: '/**' }, respond: { body: 'rest' } },
      ],
    });
    expect((await front.send({ path: '/a/b' })).text).toBe('exact');
    expect((await front.send({ path: '/a/c', method: 'PUT' })).text).toBe('asked');
    expect((await front.send({ path: '/a/c' })).status).toBe(503);
    expect((await front.send({ path: '/b' })).text).toBe('rest');
  });

  test('keeps the hosts and listeners of a list that can be read', async () => {
    const front = await broken({
      routes: [{ match: { host: ['a b', 'c.test'] }, listeners: ['web', 'wbe'], pool: 'shop' }],
    });
    expect((await front.send({ authority: 'c.test' })).status).toBe(503);
    expect((await front.send({ authority: 'd.test' })).status).toBe(404);
  });

  test('whose cache is broken lets no PURGE pass', async () => {
    const cache = { purge: { from: ['127.0.0.1'] }, objectSize: 'huge' };
    const front = await broken({ routes: [{ name: 'a', match: { path: '/a/**' }, pool: 'shop', cache }] });
    expect((await front.send({ path: '/a/b', method: 'PURGE' })).status).toBe(403);
    expect((await front.send({ path: '/a/b' })).text).toBe('shop');
  });

  test('that another one hides is told of, and changes nothing', async () => {
    const route = { match: { path: '/a/**' }, respond: { body: 'first' } };
    const front = await broken({
      routes: [
        { name: 'a', ...route },
        { name: 'b', ...route },
      ],
    });
    expect((await front.send({ path: '/a/b' })).text).toBe('first');
    expect(verdicts(front)).toEqual(['route b never-chosen']);
  });

  test('of the name of another one serves without a name', async () => {
    const front = await broken({ routes: [{ name: 'shop', match: { path: '/a/**' }, respond: { body: 'other' } }] });
    expect((await front.send({ path: '/a/b' })).text).toBe('other');
    expect((await front.send({ path: '/shop/b' })).text).toBe('shop');
    expect(verdicts(front)).toEqual(['route <inline>:11 reduced']);
  });
});

describe('at the start, a broken pool', () => {
  const tls = { ca: join(directory, 'absent.pem') };

  test.each([
    ['the schemas refuse', { endpoints: ['nowhere'] }],
    ['says what means nothing', { endpoints: ['127.0.0.1:1'], health: { type: 'tcp', path: '/' } }],
    ['names files that can’t be read', { endpoints: ['https://127.0.0.1:1'], tls }],
  ])('that %s leaves its routes with 503, or with their fallback', async (_, pool) => {
    const front = await broken({
      pools: { broken: pool },
      routes: [
        { match: { path: '/a/**' }, pool: 'broken' },
        { match: { path: '/b/**' }, pool: 'broken', fallback: [{ pool: 'shop' }] },
        { match: { path: '/c/**' }, pool: 'shop', mirror: { pool: 'broken' } },
        {
          match: { path: '/d/**' },
          split: [
            { pool: 'broken', weight: 1 },
            { pool: 'shop', weight: 0 },
          ],
        },
      ],
    });
    const reply = await front.send({ path: '/a/b' });
    expect([reply.status, reply.header('proxy-status')]).toEqual([503, 'headgate; error=destination_unavailable']);
    expect((await front.gateway.nextRecord()).end).toMatchObject({ reason: 'pool-quarantined' });
    const others = ['/b/', '/c/', '/shop/'].map((path) => front.send({ path }));
    expect((await Promise.all(others)).map(({ text }) => text)).toEqual(['shop', 'shop', 'shop']);
    expect((await front.send({ path: '/d/' })).status).toBe(503);
    expect(verdicts(front)).toEqual(['pool broken refused']);
    expect(front.gateway.status().pools.find(({ name }) => name === 'broken')).toMatchObject({ endpoints: [] });
  });

  test('refuses the connections of a listener that forwards to it', async () => {
    const config = await site({ pools: { broken: { endpoints: [] } } });
    const listeners = { raw: { kind: 'tcp', port: 0, pool: 'broken' }, web: { port: 0 } } as const;
    const front = new Front(await startTestGateway({ ...config, listeners }, { tolerance: 'start' }), 'lane');
    // It is reset, perhaps before it is open.
    connect(front.gateway.port('raw'), '127.0.0.1').on('error', () => {});
    expect((await front.gateway.nextStream()).end).toMatchObject({ reason: 'pool-quarantined' });
  });
});

test('status and metrics say what is quarantined, and why the last reload was refused', async () => {
  const pools = { broken: { endpoints: ['nowhere'] } };
  const front = await broken({
    pools,
    routes: [{ name: 'a', match: { path: '/a/**' }, cache: 1, query: 1, pool: 'shop' }],
  });
  const { quarantined, lastReload } = front.gateway.status();
  expect(quarantined.map(({ kind, name, line, code }) => [kind, name, line, code])).toEqual([
    ['pool', 'broken', 7, 'HG0102'],
    ['route', 'a', 12, 'HG0102'],
    ['route', 'a', 13, 'HG0102'],
  ]);
  expect(lastReload).toBeNull();
  await front.reload(await site({ routes: [{ pool: 'nobody' }] }));
  expect(front.gateway.status().lastReload).toMatchObject({ result: 'refused', diagnostics: [{ code: 'HG0103' }] });
  const metrics = await (await fetch(`${front.gateway.gateway.adminUrl}/metrics`)).text();
  expect(metrics.split('\n').filter((line) => line.startsWith('headgate_quarantined{'))).toEqual([
    'headgate_quarantined{kind="route"} 1',
    'headgate_quarantined{kind="pool"} 1',
    'headgate_quarantined{kind="certificate"} 0',
  ]);
});

describe('the log', () => {
  const one = { line: 1, column: 1, length: 1, suggestion: null, notes: [], code: 'HG0102', file: 'a.yaml' } as const;
  const part = (kind: Quarantined['kind'], name: string, message = 'wrong'): Quarantined => ({
    ...{ ...one, kind, name, message, effect: 'refused' },
  });

  function lines(before: readonly Quarantined[], now: readonly Quarantined[]): string[] {
    const said: string[] = [];
    const say =
      (level: string) =>
      ({ kind, name, problem }: { kind: string; name: string; problem?: string }): void => {
        said.push([level, kind, name, ...(problem === undefined ? [] : [problem])].join(' '));
      };
    logQuarantine({ error: say('error'), info: say('info') } as unknown as Logger, before, now);
    return said;
  }

  test('has a line for what is wrong when it is new, and for each part that serves again', () => {
    const before = [part('route', 'a'), part('route', 'b'), part('pool', 'p', 'one'), part('pool', 'p', 'two')];
    const now = [part('route', 'b'), part('route', 'c'), part('pool', 'p', 'three')];
    expect(lines([], before)).toHaveLength(4);
    expect(lines(before, before)).toEqual([]);
    expect(lines(before, now)).toEqual(['error route c wrong', 'error pool p three', 'info route a']);
  });

  test('and the status tell of a certificate for as long as it can’t be used', () => {
    const broken = [part('certificate', 'a.pem'), part('route', 'a')];
    const now = (state: CertificateStatus['state']): unknown =>
      quarantineStatus(broken, [{ from: 'a.pem', state } as CertificateStatus]).map(({ kind }) => kind);
    expect(now('quarantined')).toEqual(['certificate', 'route']);
    expect(now('ok')).toEqual(['route']);
  });
});

describe('what makes the whole configuration unusable', () => {
  test.each([
    ['an unknown section', { listener: {} }],
    ['a broken listener', { listeners: { web: { port: 'high' } } }],
    ['a listener that leads nowhere', { listeners: { raw: { kind: 'tcp', port: 0, pool: 'nobody' } } }],
    ['a broken default', { defaults: { timeouts: { head: 'soon' } } }],
  ])('is still %s', async (_, more) => {
    const config = { ...(await site({})), ...more } as TestConfig;
    await expect(startTestGateway(config, { tolerance: 'start' })).rejects.toThrow();
  });

  test('is every mistake when nothing may be left out', async () => {
    const config = await site({ routes: [{ name: 'a', match: { path: '/a/**' }, pool: 'nobody' }] });
    await expect(startTestGateway(config, { tolerance: 'strict' })).rejects.toThrow('pool “nobody” does not exist');
  });
});

describe('over a reload', () => {
  test('a slip refuses the whole, and everything serves as before', async () => {
    const front = await broken({});
    const config = await site({ routes: [{ name: 'a', match: { path: '/a/**' }, pool: 'nobody' }] });
    expect(await front.reload(config)).toMatchObject({ result: 'refused', diagnostics: [{ code: 'HG0103' }] });
    expect((await front.send({ path: '/shop/' })).text).toBe('shop');
    expect((await front.send({ path: '/a/' })).status).toBe(404);
    expect(verdicts(front)).toEqual([]);
  });

  test('files that can’t be read quarantine their pool, until a reload finds them good', async () => {
    const front = await broken({});
    const file = join(directory, 'later.pem');
    const pools = { late: { endpoints: ['https://127.0.0.1:1'], tls: { ca: file } } };
    const config = await site({ pools, routes: [{ match: { path: '/a/**' }, pool: 'late' }] });
    const report = await front.reload(config);
    expect(report.changes?.quarantined).toMatchObject([{ kind: 'pool', name: 'late', code: 'HG0101' }]);
    expect((await front.send({ path: '/shop/' })).text).toBe('shop');
    expect((await front.send({ path: '/a/' })).status).toBe(503);
    writeFileSync(file, rootCertificates[0] ?? '');
    await front.reload(config);
    expect(verdicts(front)).toEqual([]);
    expect((await front.send({ path: '/a/' })).status).toBe(502);
  });

  test('a pool whose files can’t be read any more serves with what they held', async () => {
    const front = await broken({});
    const file = join(directory, 'gone.pem');
    writeFileSync(file, rootCertificates[0] ?? '');
    const late = { endpoints: ['https://127.0.0.1:1'], tls: { ca: file } };
    const config = await site({ pools: { late }, routes: [{ match: { path: '/a/**' }, pool: 'late' }] });
    await front.reload(config);
    rmSync(file);
    const report = await front.reload(config);
    expect(report.changes?.quarantined).toMatchObject([{ kind: 'pool', name: 'late', effect: 'kept' }]);
    expect((await front.send({ path: '/a/' })).status).toBe(502);
    await front.reload(config);
    expect((await front.send({ path: '/a/' })).status).toBe(502);
    const moved = { endpoints: ['https://127.0.0.1:2'], tls: { ca: file } };
    await front.reload(await site({ pools: { late: moved }, routes: [{ match: { path: '/a/**' }, pool: 'late' }] }));
    expect((await front.send({ path: '/a/' })).status).toBe(503);
    expect(verdicts(front)).toMatchObject(['pool late refused']);
  });

  test('nothing is quarantined where the configuration says so', async () => {
    const front = await broken({});
    const late = { endpoints: ['https://127.0.0.1:1'], tls: { ca: join(directory, 'absent.pem') } };
    const strict = { ...(await site({ pools: { late } })), reload: { strict: true } };
    expect(await front.reload(strict)).toMatchObject({ result: 'refused', diagnostics: [{ code: 'HG0101' }] });
    expect((await front.send({ path: '/shop/' })).text).toBe('shop');
  });

  test('what goes on without a part of it may not become a 503', async () => {
    const front = await broken({ routes: [{ name: 'a', match: { path: '/a/**' }, pool: 'shop', cache: 1 }] });
    const worse = await site({ routes: [{ name: 'a', match: { path: '/a/**' }, pool: 'nobody', cache: 1 }] });
    expect(await front.reload(worse)).toMatchObject({ result: 'refused' });
    expect((await front.send({ path: '/a/' })).text).toBe('shop');
  });

  test('what is quarantined already keeps nobody from changing the rest', async () => {
    const a = { name: 'a', match: { path: '/a/**' }, pool: 'nobody' };
    const front = await broken({ routes: [a] });
    const b = { name: 'b', match: { path: '/b/**' }, respond: { body: 'b' } };
    expect(await front.reload(await site({ routes: [a, b] }))).toMatchObject({ result: 'applied' });
    expect((await front.send({ path: '/b/' })).text).toBe('b');
    expect((await front.send({ path: '/a/' })).status).toBe(503);
  });

  test('a route without a name that is quarantined already stays so wherever it stands, and excuses no other one', async () => {
    const a = { match: { path: '/a/**' }, pool: 'nobody' };
    const front = await broken({ routes: [a] });
    const b = { match: { path: '/b/**' }, respond: { body: 'b' } };
    expect(await front.reload(await site({ routes: [b, a] }))).toMatchObject({ result: 'applied' });
    expect((await front.send({ path: '/b/' })).text).toBe('b');
    const worse = await site({ routes: [b, { match: { path: '/shop/**' }, pool: 'nobody' }] });
    expect(await front.reload(worse)).toMatchObject({ result: 'refused' });
    expect((await front.send({ path: '/shop/' })).text).toBe('shop');
  });
});
