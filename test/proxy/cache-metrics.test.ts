import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { fickleOrigin } from '../kit/fickle-origin.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, matrix } from '../kit/matrix.ts';
import { purge } from '../kit/purge.ts';

async function cacheMetrics(front: Front): Promise<readonly string[]> {
  const response = await fetch(`${front.gateway.gateway.adminUrl}/metrics`);
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith('headgate_cache_'));
  // Most of the results are none; what did not happen is left out here.
  return lines.filter((line) => !line.endsWith(' 0'));
}

matrix(
  'what the cache did is counted by route, result and reason, with the bytes that it saved',
  async ({ gateway }) => {
    const clock = new ManualClock(Date.now());
    const fresh = { 'cache-control': 'max-age=10', etag: '"1"' };
    const shop = await fickleOrigin('http1', [
      { status: 200, headers: fresh, body: '0123456789' },
      { status: 304, headers: fresh },
      { status: 200, headers: { 'cache-control': 'private' }, body: 'own' },
      { status: 200, body: 'posted' },
    ]);
    const front = await gateway(forwardTo(shop, { route: { cache: true } }), { clock });
    const connection = await front.connect();
    await connection.send({ path: '/a' });
    await connection.send({ path: '/a' });
    clock.advance(11_000);
    await connection.send({ path: '/a' });
    await connection.send({ path: '/own' });
    await connection.send({ method: 'POST', path: '/posted' });
    await connection.send({ path: '/b', headers: ['Cache-Control', 'only-if-cached'] });
    for (let i = 0; i < 6; i += 1) await front.gateway.nextRecord();
    const lines = await cacheMetrics(front);
    for (const [result, count] of [
      ['hit', 1],
      ['revalidated', 1],
      ['miss', 2],
      ['bypass', 1],
      ['unsatisfiable', 1],
    ]) {
      expect(lines).toContain(`headgate_cache_requests_total{route="all",result="${result}"} ${count}`);
    }
    expect(lines).toContain('headgate_cache_bypass_total{route="all",reason="method"} 1');
    expect(lines).toContain('headgate_cache_not_stored_total{route="all",reason="private"} 1');
    expect(lines).toContain('headgate_cache_stored_total{route="all"} 1');
    expect(lines).toContain('headgate_cache_served_bytes_total{route="all",from="store"} 20');
    expect(lines).toContain('headgate_cache_served_bytes_total{route="all",from="upstream"} 19');
    expect(lines).toContain('headgate_cache_entries 1');
    expect(lines.filter((line) => line.startsWith('headgate_cache_fills'))).toEqual([]);
  },
);

matrix(
  'an answer that outgrows the bound on its way is counted as not stored, and is on its way no more',
  async ({ gateway, origin }) => {
    const shop = await origin({
      script: [
        'read head',
        {
          send:
            'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n' +
            `1388\r\n${'x'.repeat(5000)}\r\n0\r\n\r\n`,
        },
      ],
    });
    const front = await gateway(forwardTo(shop, { route: { cache: true }, rest: { cache: { objectSize: '1k' } } }));
    expect((await front.send({})).body.length).toBe(5000);
    await front.gateway.nextRecord();
    const lines = await cacheMetrics(front);
    expect(lines).toContain('headgate_cache_not_stored_total{route="all",reason="too-large"} 1');
    expect(lines.filter((line) => line.startsWith('headgate_cache_fills'))).toEqual([]);
  },
);

matrix('what is evicted is counted', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [{ respond: 200, headers: ['Cache-Control', 'max-age=60'], body: 'x'.repeat(4000) }],
  });
  const front = await gateway(forwardTo(shop, { route: { cache: true }, rest: { cache: { size: '64k' } } }));
  for (let i = 0; i < 20; i += 1) {
    await front.send({ path: `/${i}` });
    await front.gateway.nextRecord();
  }
  const counts = new Map((await cacheMetrics(front)).map((line) => line.split(' ') as [string, string]));
  const count = (name: string): number => Number(counts.get(name));
  const evictions = count('headgate_cache_evictions_total');
  expect(evictions).toBeGreaterThan(0);
  expect(evictions + count('headgate_cache_entries')).toBe(count('headgate_cache_stored_total{route="all"}'));
});

matrix('what is purged is counted by kind and mode', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [{ respond: 200, headers: ['Cache-Control', 'max-age=60', 'Cache-Tag', 't'] }],
  });
  const front = await gateway(forwardTo(shop, { route: { cache: true } }));
  await front.send({ path: '/1' });
  await front.send({ path: '/2' });
  await purge(front.gateway, { tag: 't' });
  await purge(front.gateway, { all: true, hard: true });
  await purge(front.gateway, { all: true, hard: true });
  expect((await cacheMetrics(front)).filter((line) => line.startsWith('headgate_cache_purged_total'))).toEqual([
    'headgate_cache_purged_total{kind="tag",mode="soft"} 2',
    'headgate_cache_purged_total{kind="all",mode="hard"} 2',
  ]);
});
