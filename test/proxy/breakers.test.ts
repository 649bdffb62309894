import { expect, test } from 'vitest';
import { configFromObject } from '../../src/config/load.ts';
import { forwardTo } from '../kit/config.ts';
import { startTestGateway } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { deadPort, origin } from '../kit/origin.ts';

/** Whether or not the connection is kept while time passes. */
const FINE = ['respond 200', 'respond 200', 'respond 200', 'respond 200'] as const;

const TRIPS_AFTER_TWO = { consecutive: 2, open: '5s', successes: 1 } as const;

matrix(
  'a pool whose breaker has tripped refuses at once, says for how long, and asks no endpoint until it probes',
  async (stage) => {
    const shop = await stage.origin({ scripts: [['respond 503', 'respond 503', ...FINE], FINE] });
    const clock = new ManualClock();
    const front = await stage.gateway(forwardTo(shop, { pool: { breaker: { ...TRIPS_AFTER_TWO, open: '20s' } } }), {
      clock,
    });
    expect([(await front.send({})).status, (await front.send({})).status]).toEqual([503, 503]);
    expect(front.gateway.status().pools[0]?.breaker).toMatchObject({
      state: 'tripped',
      reason: 'consecutive-failures',
      trips: 1,
    });
    const refused = await front.send({});
    expect([refused.status, refused.header('proxy-status')]).toEqual([503, 'headgate; error=destination_unavailable']);
    expect(Number(refused.header('retry-after'))).toBeGreaterThanOrEqual(16);
    expect(Number(refused.header('retry-after'))).toBeLessThanOrEqual(24);
    expect(shop.requests).toBe(2);
    expect(front.gateway.records[2]).toMatchObject({
      status: 503,
      attempts: 0,
      end: { side: 'upstream', reason: 'breaker-open', error: 'destination_unavailable' },
    });
    clock.advance(24_000);
    expect(front.gateway.status().pools[0]?.breaker?.state).toBe('probing');
    expect((await front.send({})).status).toBe(200);
    expect(front.gateway.status().pools[0]?.breaker?.state).toBe('passing');
  },
);

matrix('a POST with a body is refused before its body is asked for', async ({ gateway, origin }) => {
  const shop = await origin({ script: ['respond 503'] });
  const front = await gateway(forwardTo(shop, { pool: { breaker: { consecutive: 1 } } }));
  await front.send({});
  const reply = await front.send({ method: 'POST', headers: ['Expect', '100-continue'], body: 'abc' });
  expect([reply.status, reply.informational.length, shop.requests]).toEqual([503, 0, 1]);
});

matrix(
  'while a pool probes, one request is let through and the others are refused',
  async (stage) => {
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const shop = await stage.origin({
      scripts: [
        ['respond 503', 'read head', { wait: answered }, ...FINE],
        ['read head', { wait: answered }, ...FINE],
      ],
    });
    const clock = new ManualClock();
    const front = await stage.gateway(forwardTo(shop, { pool: { breaker: { consecutive: 1, successes: 1 } } }), {
      clock,
    });
    await front.send({});
    clock.advance(6_000);
    const probe = await front.begin({});
    await shop.request(1);
    const other = await front.send({});
    expect([other.status, other.header('retry-after')]).toEqual([503, '1']);
    answer();
    expect((await probe.reply()).status).toBe(200);
    expect((await front.send({})).status).toBe(200);
    expect(shop.requests).toBe(3);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a probe that fails trips the breaker for longer, and one whose client leaves says nothing',
  async (stage) => {
    const shop = await stage.origin({
      scripts: [
        [{ respond: 503, headers: ['Connection', 'close'] }, 'close'],
        ['read head', 'silent'],
        ['read head', 'reset'],
        ['respond 200'],
      ],
    });
    const clock = new ManualClock();
    const breaker = { consecutive: 1, successes: 1, open: '4s', maxOpen: '60s' } as const;
    const front = await stage.gateway(forwardTo(shop, { pool: { breaker } }), { clock });
    await front.send({});
    clock.advance(5_000);
    const left = await front.begin({});
    await shop.request(1);
    left.leave();
    await shop.closed(2);
    expect(front.gateway.status().pools[0]?.breaker?.state).toBe('probing');
    expect((await front.send({})).status).toBe(502);
    expect(front.gateway.status().pools[0]?.breaker).toMatchObject({
      state: 'tripped',
      reason: 'probe-failed',
      trips: 2,
    });
    clock.advance(6_000);
    expect((await front.send({})).status).toBe(503);
    clock.advance(4_000);
    expect((await front.send({})).status).toBe(200);
  },
  { without: ONE_PROTOCOL },
);

test('an endpoint whose breaker has tripped is passed over, probed, and comes back', async () => {
  const bad = await origin({ scripts: [['respond 503', 'respond 503', ...FINE], FINE] });
  const good = await origin();
  const clock = new ManualClock();
  const breaker = { ...TRIPS_AFTER_TWO, scope: 'endpoint' } as const;
  const gateway = await startTestGateway(forwardTo([bad, good], { pool: { breaker } }), { clock });
  const ask = async () => (await fetch(gateway.url())).status;
  expect([await ask(), await ask(), await ask(), await ask()].sort()).toEqual([200, 200, 503, 503]);
  expect(gateway.status().pools[0]).toMatchObject({
    available: 1,
    breaker: null,
    endpoints: [{ breaker: { state: 'tripped' } }, { breaker: { state: 'passing' } }],
  });
  for (let i = 0; i < 5; i += 1) expect(await ask()).toBe(200);
  expect([bad.requests, good.requests]).toEqual([2, 7]);
  clock.advance(6_000);
  for (let i = 0; i < 4; i += 1) expect(await ask()).toBe(200);
  expect(bad.requests).toBeGreaterThan(2);
  expect(gateway.status().pools[0]?.endpoints[0]?.breaker?.state).toBe('passing');
});

test('a probing endpoint gets as many requests at once as configured, the others go elsewhere', async () => {
  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const bad = await origin({
    scripts: [
      ['respond 503', 'read head', { wait: answered }, ...FINE],
      ['read head', { wait: answered }, ...FINE],
    ],
  });
  const good = await origin();
  const clock = new ManualClock();
  const breaker = { consecutive: 1, successes: 1, scope: 'endpoint' } as const;
  const gateway = await startTestGateway(forwardTo([bad, good], { pool: { breaker } }), { clock });
  const ask = async () => (await fetch(gateway.url())).status;
  expect([await ask(), await ask()].sort()).toEqual([200, 503]);
  clock.advance(6_000);
  const some = [ask(), ask()];
  await bad.request(1);
  for (let i = 0; i < 5; i += 1) expect(await ask()).toBe(200);
  expect(bad.requests).toBe(2);
  answer();
  expect(await Promise.all(some)).toEqual([200, 200]);
});

test('a breaker that trips in the middle of an exchange ends its retries', async () => {
  const dead = [{ port: await deadPort() }, { port: await deadPort() }, { port: await deadPort() }];
  const gateway = await startTestGateway(
    forwardTo(dead, { pool: { breaker: { consecutive: 2 } }, route: { retry: { attempts: 3 } } }),
  );
  expect((await fetch(gateway.url())).status).toBe(502);
  expect((await gateway.nextRecord()).attempts).toBe(2);
});

test('connections that are forwarded as they are trip a breaker too, and are then reset at once', async () => {
  const gateway = await startTestGateway({
    listeners: { web: { kind: 'tcp', port: 0, pool: 'db' } },
    pools: { db: { endpoints: [`127.0.0.1:${await deadPort()}`], breaker: { consecutive: 1 } } },
  });
  const visit = async () => {
    const { connect } = await import('node:net');
    const socket = connect(gateway.port(), '127.0.0.1');
    socket.on('error', () => {});
    await new Promise((resolve) => socket.on('close', resolve));
  };
  await visit();
  expect(await gateway.nextStream()).toMatchObject({ attempts: 1, end: { reason: 'connection-refused' } });
  await visit();
  expect(await gateway.nextStream()).toMatchObject({ attempts: 0, end: { reason: 'breaker-open' } });
});

test('metrics tell the state of a breaker, how often it tripped and why, and what it turned away', async () => {
  const shop = await origin({ script: ['respond 503'] });
  const breaker = { consecutive: 1, scope: 'both' } as const;
  const gateway = await startTestGateway(forwardTo(shop, { pool: { breaker } }));
  for (let i = 0; i < 3; i += 1) await fetch(gateway.url());
  const text = await (await fetch(`${gateway.gateway.adminUrl}/metrics`)).text();
  expect(text).toContain('headgate_pool_breaker_state{pool="shop",state="tripped"} 1');
  expect(text).toContain('headgate_pool_breaker_state{pool="shop",state="passing"} 0');
  expect(text).toContain('headgate_pool_breaker_trips_total{pool="shop",reason="consecutive-failures"} 1');
  expect(text).toContain('headgate_pool_breaker_refusals_total{pool="shop"} 2');
  expect(text).toMatch(
    /headgate_endpoint_breaker_state\{pool="shop",endpoint="http:\/\/127.0.0.1:\d+",state="tripped"\} 1/,
  );
  expect(text).toMatch(/headgate_endpoint_breaker_trips_total\{.*reason="consecutive-failures"\} 1/);
});

test('a breaker that would be open for longer than its longest is told so, not that a key is missing', () => {
  const told = (breaker: object): string => {
    const result = configFromObject({ pools: { shop: { endpoints: ['a:1'], breaker } } } as never);
    return result.ok ? '' : result.diagnostics.map(({ message }) => message).join('\n');
  };
  expect(told({})).toBe('');
  expect(told({ open: '2m' })).toBe('“maxOpen” is shorter than “open”');
});
