import { expect, test } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { startTestGateway, type TestGateway } from '../kit/gateway.ts';
import { deadPort, origin } from '../kit/origin.ts';
import type { Script } from '../kit/script.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n';
const BODY = { body: { contains: 'ok' } } as const;
const LATE = { timeout: '60ms' } as const;

type Health = Readonly<Record<string, unknown>>;

const failures: [reason: string, what: string, script: Script, health?: Health][] = [
  ['timeout', 'a black hole', ['silent'], LATE],
  ['timeout', 'no answer', ['read head', 'silent'], LATE],
  ['timeout', 'a slow head', ['read head', { send: 'HTTP/1.1 200 OK\r\nX-Slow: ' }, 'silent'], LATE],
  ['timeout', 'a slow body that is looked at', ['read head', { send: `${HEAD}o` }, 'silent'], { ...LATE, ...BODY }],
  ['connection-closed-without-response', 'a FIN for an answer', ['read head', 'end']],
  ['connection-closed-without-response', 'a reset for an answer', ['read head', 'reset']],
  ['head-cut-short', 'a reset at byte 12', ['read head', { send: 'HTTP/1.1 200' }, 'reset']],
  ['body-cut-short', 'a body that is cut short', ['read head', { send: `${HEAD}ok` }, 'end'], BODY],
  ['malformed-response', 'what is not HTTP', ['read head', { send: 'SSH-2.0-OpenSSH_9.2\r\n\r\n' }, 'silent']],
  ['unexpected-status', 'another status', ['respond 500']],
  ['unexpected-status', 'another status, whatever the body', [{ respond: 404, body: 'ok' }], BODY],
  [
    'unexpected-status',
    'another status with a body that never ends',
    ['read head', { send: 'HTTP/1.1 503 x\r\nContent-Length: 9\r\n\r\n' }, 'silent'],
    BODY,
  ],
  ['unexpected-body', 'another body', [{ respond: 200, body: 'no' }], BODY],
];

function last(gateway: TestGateway): { readonly health?: string; readonly reason?: string | undefined } {
  const [endpoint] = gateway.status().pools[0]?.endpoints ?? [];
  return { ...(endpoint === undefined ? {} : { health: endpoint.health }), reason: endpoint?.check?.last?.reason };
}

async function checked(endpoint: { readonly port: number }, health: Health): Promise<TestGateway> {
  const often = { interval: '20ms', failingInterval: '20ms', fall: 1, timeout: '2s' };
  return startTestGateway(forwardTo(endpoint, { pool: { health: { ...often, ...health } as object } }));
}

test.each(failures)('the reason is %s for %s', async (reason, _, script, health = {}) => {
  const shop = await origin({ script });
  const gateway = await checked(shop, health);
  await until(() => last(gateway).health === 'down', 'the endpoint to be taken out');
  expect(last(gateway).reason).toBe(reason);
  // Later ones show the same: nothing is left over from the one before.
  await shop.connected(3);
  expect(last(gateway)).toEqual({ health: 'down', reason });
  await gateway.stop();
  await shop.idle();
});

test('the reason is connection-refused where nobody listens', async () => {
  const gateway = await checked({ port: await deadPort() }, {});
  await until(() => last(gateway).health === 'down', 'the endpoint to be taken out');
  expect(last(gateway).reason).toBe('connection-refused');
});

test.each([
  ['a slow body that nobody looks at', ['read head', { send: HEAD }, 'silent']],
  ['a body that is cut short, when nobody looks at it', ['read head', { send: `${HEAD}ok` }, 'end']],
  ['a body of a gigabyte that nobody looks at', ['read head', { send: 'HTTP/1.1 200 OK\r\n\r\n' }, { fill: 2 ** 30 }]],
] as const)('%s is no failure', async (_, script) => {
  const shop = await origin({ script });
  const gateway = await checked(shop, { start: 'down', rise: 3 });
  await until(() => last(gateway).health === 'up', 'the endpoint to be taken in');
  await gateway.stop();
  await shop.idle();
});

test('an endpoint that flaps goes in and out with its checks, no oftener than rise and fall allow', async () => {
  const statuses = [200, 500, 200, 500, 500, 200, 500, 200, 200, 500, 500];
  const scripts = statuses.map((status) => [`respond ${status}`, 'end'] as Script);
  const shop = await origin({ scripts: [...scripts, ['read head', 'silent']] });
  const health = { interval: '20ms', failingInterval: '20ms', jitter: 0, rise: 2, fall: 2, timeout: '0' };
  const gateway = await startTestGateway(forwardTo(shop, { pool: { health } }));
  const seen: string[] = [];
  await until(() => {
    const { health: state = '' } = last(gateway);
    if (seen.at(-1) !== state) seen.push(state);
    return shop.requests > statuses.length;
  }, 'all checks');
  expect(seen).toEqual(['up', 'down', 'up', 'down']);
});

test('status tells since when, why, how fast and when next', async () => {
  const shop = await origin({ script: ['respond 418'] });
  const gateway = await checked(shop, { interval: '1h', failingInterval: '1h' });
  await until(() => last(gateway).health === 'down', 'the endpoint to be taken out');
  const check = gateway.status().pools[0]?.endpoints[0]?.check;
  expect(check).toMatchObject({ contrary: 0, last: { healthy: false, reason: 'unexpected-status', status: 418 } });
  expect(check?.since).toBe(check?.last?.at);
  const wait = Date.parse(check?.next ?? '') - Date.parse(check?.last?.at ?? '');
  expect(Math.abs(wait - 3_600_000)).toBeLessThanOrEqual(0.2 * 3_600_000);
});
