import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { configFromObject } from '../../src/config/load.ts';
import { forwardTo, type Route } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { deadPort, type Origin, origin } from '../kit/origin.ts';
import type { Script } from '../kit/script.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n';
const OUTLIERS = { consecutive: 3, errorRatio: 0 } as const;
const ONCE = { route: { retry: { attempts: 1 } } } as const;

type EndpointStatus = ReturnType<Front['gateway']['status']>['pools'][number]['endpoints'][number];

function endpointAt(front: Front, index: number): EndpointStatus {
  return front.gateway.status().pools[0]?.endpoints[index] as EndpointStatus;
}

/** Sends requests until one of the endpoints is aside; at most `most`. */
async function requestsUntilAside(
  front: Front,
  most: number,
  send: () => Promise<unknown> = () => front.send({}),
): Promise<number> {
  for (let sent = 1; sent <= most; sent += 1) {
    // Broken responses are what this is about.
    await send().catch(() => {});
    if (front.gateway.status().pools[0]?.endpoints.some(({ ejection }) => ejection !== null) === true) return sent;
  }
  return Number.POSITIVE_INFINITY;
}

/** The same where the sick one says nothing: time passes only while it has a request, and the others need none. */
async function sendPastSilence(front: Front, { clock, sick }: { clock: ManualClock; sick: Origin }): Promise<void> {
  const before = sick.requests;
  let over = false;
  const sent = front.send({}).finally(() => {
    over = true;
  });
  sent.catch(() => {});
  await until(() => {
    if (sick.requests > before) clock.advance(50);
    return over;
  }, 'the silence to be noticed');
}

const HEADLESS = { timeouts: { head: '500ms' } } as const;
const STOPPED = { timeouts: { head: 0, idle: '500ms' } } as const;

const misbehaviours: [what: string, script: Script, route?: Partial<Route>][] = [
  ['resets every connection', ['read head', 'reset']],
  ['closes every connection', ['read head', 'end']],
  ['resets at byte 12', ['read head', { send: 'HTTP/1.1 200' }, 'reset']],
  ['says what is not HTTP', ['read head', { send: 'SSH-2.0-x\r\n\r\n' }, 'silent']],
  ['never answers', ['read head', 'silent'], HEADLESS],
  ['cuts its bodies short', ['read head', { send: `${HEAD}four` }, 'reset']],
  ['stops within its bodies', ['read head', { send: `${HEAD}four` }, 'silent'], STOPPED],
  ['answers 503', ['respond 503']],
];

for (const [what, script, route] of misbehaviours) {
  matrix(
    `an endpoint that ${what} is put aside at the third failure in a row, and the others serve`,
    async ({ gateway }) => {
      const [sick, sound] = [await origin({ script }), await origin()];
      const over = { pool: { outliers: OUTLIERS }, route: { retry: { attempts: 1 }, ...route } };
      const clock = new ManualClock();
      const front = await gateway(forwardTo([sick, sound], over), { clock });
      const send = () => sendPastSilence(front, { clock, sick });
      expect(await requestsUntilAside(front, 6, ...(route === undefined ? [] : [send]))).toBeGreaterThanOrEqual(5);
      expect(endpointAt(front, 0)).toMatchObject({ ejection: { reason: 'consecutive-failures', inARow: 1 } });
      const asked = sick.requests;
      for (let i = 0; i < 6; i += 1) expect((await front.send({})).status).toBe(200);
      expect([asked, sick.requests]).toEqual([3, 3]);
    },
    { without: ONE_PROTOCOL },
  );
}

matrix('an endpoint that refuses connections is put aside', async ({ gateway }) => {
  const sound = await origin();
  const over = { pool: { outliers: OUTLIERS }, ...ONCE };
  const front = await gateway(forwardTo([{ port: await deadPort() }, sound], over));
  expect(await requestsUntilAside(front, 6)).toBeLessThanOrEqual(6);
  for (let i = 0; i < 4; i += 1) expect((await front.send({})).status).toBe(200);
});

describe('one that is aside', () => {
  matrix(
    'comes back when its time is over, the longer the oftener',
    async ({ gateway }) => {
      const clock = new ManualClock(Date.now());
      const [sick, sound] = [await origin({ script: ['respond 502'] }), await origin()];
      const outliers = { ...OUTLIERS, ejection: '30s' };
      const front = await gateway(forwardTo([sick, sound], { pool: { outliers }, ...ONCE }), { clock });
      const times: number[] = [];
      for (const inARow of [1, 2, 3]) {
        expect(await requestsUntilAside(front, 8)).toBeLessThanOrEqual(8);
        const { ejection } = endpointAt(front, 0);
        expect(ejection?.inARow).toBe(inARow);
        const forMs = Date.parse(ejection?.until ?? '') - Date.parse(ejection?.since ?? '');
        times.push(forMs);
        clock.advance(forMs - 1);
        expect(endpointAt(front, 0).ejection).not.toBeNull();
        clock.advance(1);
        expect(endpointAt(front, 0).ejection).toBeNull();
      }
      expect(times).toEqual([30_000, 60_000, 120_000]);
    },
    { without: ONE_PROTOCOL },
  );

  matrix(
    'comes back early when its checks have seen it fall and rise',
    async ({ gateway }) => {
      // Its checks only connect, so that they don't see what requests do.
      const [sick, sound] = [await origin({ script: ['respond 502'] }), await origin()];
      const health = { interval: '20ms', failingInterval: '20ms', rise: 1, fall: 1, type: 'tcp' } as const;
      const front = await gateway(forwardTo([sick, sound], { pool: { outliers: OUTLIERS, health }, ...ONCE }));
      expect(await requestsUntilAside(front, 8)).toBeLessThanOrEqual(8);
      const accepted = sick.accepted;
      await sick.connected(accepted + 3);
      expect(endpointAt(front, 0)).toMatchObject({ health: 'up', ejection: { reason: 'consecutive-failures' } });
      const { port } = sick;
      await sick.close();
      await until(() => endpointAt(front, 0).health === 'down', 'its checks to fail');
      expect(endpointAt(front, 0).ejection).not.toBeNull();
      await sick.listen(port, '127.0.0.1');
      await until(() => endpointAt(front, 0).health === 'up', 'its checks to pass');
      expect(endpointAt(front, 0).ejection).toBeNull();
    },
    { without: ONE_PROTOCOL },
  );

  matrix(
    'is in the metrics, with the reason',
    async ({ gateway }) => {
      const [sick, sound] = [await origin({ script: ['respond 502'] }), await origin()];
      const front = await gateway(forwardTo([sick, sound], { pool: { outliers: OUTLIERS }, ...ONCE }));
      await requestsUntilAside(front, 8);
      const text = await (await fetch(`${front.gateway.gateway.adminUrl}/metrics`)).text();
      const labels = `pool="shop",endpoint="http://127.0.0.1:${sick.port}"`;
      expect(text).toContain(`headgate_endpoint_ejected{${labels}} 1`);
      expect(text).toContain(`headgate_endpoint_up{${labels}} 0`);
      expect(text).toContain(`headgate_endpoint_ejections_total{${labels},reason="consecutive-failures"} 1`);
    },
    { without: ONE_PROTOCOL },
  );
});

describe('nobody is put aside', () => {
  matrix('for a client that leaves', async ({ gateway }) => {
    const [shop, other] = [
      await origin({ script: ['read head', 'silent'] }),
      await origin({ script: ['read head', 'silent'] }),
    ];
    const front = await gateway(forwardTo([shop, other], { pool: { outliers: { consecutive: 1 } }, ...ONCE }));
    for (let i = 0; i < 4; i += 1) {
      const exchange = await front.begin({});
      await (i % 2 === 0 ? shop : other).request(Math.floor(i / 2));
      exchange.leave();
      expect((await front.gateway.nextRecord()).end).toMatchObject({ side: 'client' });
    }
    expect([0, 1].map((index) => endpointAt(front, index).ejection)).toEqual([null, null]);
  });

  matrix(
    'from a pool of one',
    async ({ gateway }) => {
      const front = await gateway(
        forwardTo(await origin({ script: ['respond 503'] }), { pool: { outliers: { consecutive: 1 } }, ...ONCE }),
      );
      for (let i = 0; i < 5; i += 1) expect((await front.send({})).status).toBe(503);
    },
    { without: ONE_PROTOCOL },
  );

  matrix(
    'for a kept-alive connection that it closed just then',
    async ({ gateway }) => {
      const racing = await origin({ script: ['respond 200', 'read head', 'reset'] });
      const [shop, other] = [racing, await origin()];
      const front = await gateway(forwardTo([shop, other], { pool: { outliers: { consecutive: 1 } } }));
      for (let i = 0; i < 12; i += 1) expect((await front.send({})).status).toBe(200);
      expect(racing.accepted).toBeGreaterThan(1);
      expect([0, 1].map((index) => endpointAt(front, index).ejection)).toEqual([null, null]);
    },
    { without: ONE_PROTOCOL },
  );

  matrix(
    'when all of them fail alike',
    async ({ gateway }) => {
      const clock = new ManualClock(Date.now());
      const failing = { script: ['respond 502'] } as const;
      const endpoints = [await origin(failing), await origin(failing), await origin(failing)];
      const outliers = { consecutive: 0, minimum: 2, interval: '1s' };
      const front = await gateway(forwardTo(endpoints, { pool: { outliers }, ...ONCE }), { clock });
      for (let i = 0; i < 12; i += 1) {
        clock.advance(200);
        await front.send({});
      }
      expect(front.gateway.status().pools[0]?.available).toBe(3);
    },
    { without: ONE_PROTOCOL },
  );
});

matrix(
  'one that fails more often than the others is put aside at the end of the interval',
  async ({ gateway }) => {
    const clock = new ManualClock(Date.now());
    const sick = await origin({ script: ['respond 200', 'respond 503', 'respond 503'] });
    const endpoints = [sick, await origin(), await origin()];
    const outliers = { consecutive: 0, minimum: 4, interval: '10s' };
    const front = await gateway(forwardTo(endpoints, { pool: { outliers }, ...ONCE }), { clock });
    for (let i = 0; i < 24; i += 1) await front.send({});
    expect(endpointAt(front, 0).ejection).toBeNull();
    clock.advance(10_000);
    await front.send({});
    expect(endpointAt(front, 0).ejection).toMatchObject({ reason: 'error-ratio' });
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'one that is slower than the others is put aside at the end of the interval, if that is asked for',
  async ({ gateway }) => {
    const clock = new ManualClock(Date.now());
    const later = () => Promise.resolve(clock.advance(200));
    const slow = await origin({ script: ['read head', { wait: later }, 'respond 200'] });
    const endpoints = [slow, await origin(), await origin()];
    const outliers = { minimum: 4, interval: '10s', latency: {} };
    const front = await gateway(forwardTo(endpoints, { pool: { outliers }, ...ONCE }), { clock });
    for (let i = 0; i < 12; i += 1) expect((await front.send({})).status).toBe(200);
    clock.advance(10_000);
    await front.send({});
    expect(endpointAt(front, 0).ejection).toMatchObject({ reason: 'latency' });
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'endpoints of connections that are forwarded as they are can be put aside too',
  async ({ gateway }) => {
    const sound = await origin({ script: ['echo'] });
    const front = await gateway({
      ...forwardTo([{ port: await deadPort() }, sound], { pool: { outliers: OUTLIERS } }),
      listeners: { web: { port: 0 }, db: { port: 0, kind: 'tcp', pool: 'shop' } },
    });
    for (let i = 0; i < 6; i += 1) {
      const socket = connect(front.gateway.port('db'), '127.0.0.1');
      const echoed = new Promise((resolve) => socket.once('data', resolve));
      socket.end('ping');
      await echoed;
      await front.gateway.nextStream();
    }
    expect(endpointAt(front, 0).ejection).toMatchObject({ reason: 'consecutive-failures' });
    expect(endpointAt(front, 1).ejection).toBeNull();
  },
  { without: ONE_PROTOCOL },
);

test('a misspelt or impossible setting is told', () => {
  const told = (outliers: object): string => {
    const result = configFromObject({ pools: { shop: { endpoints: ['a:1'], outliers } } } as never);
    return result.ok ? '' : result.diagnostics.map(({ message }) => message).join('\n');
  };
  expect(told({})).toBe('');
  expect(told({ consecutives: 3 })).toContain('unknown key “consecutives”');
  expect(told({ maxEjected: '200%' })).toContain('is not a share');
  expect(told({ ejection: '10m' })).toContain('“maxEjection” is shorter than “ejection”');
});
