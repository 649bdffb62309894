import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { inTime, until } from '../kit/deadline.ts';
import { startTestGateway } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, HTTP1_ONLY, HTTP2_ONLY, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';

matrix('a gateway that drains finishes what it has begun, and takes no new connection', async (stage) => {
  const release = Promise.withResolvers<void>();
  const shop = await stage.origin({ script: ['read head', { wait: release.promise }, 'respond 200'] });
  const front = await stage.gateway(forwardTo(shop));
  const exchange = await front.begin({});
  await shop.request();
  const drained = front.gateway.gateway.drain();
  const late = connect(front.gateway.port(), '127.0.0.1');
  const [error] = await once(late, 'error');
  expect((error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED');
  release.resolve();
  const reply = await exchange.reply();
  expect([reply.status, reply.text, reply.ended]).toEqual([200, 'ok\n', 'clean']);
  await inTime(drained, 'the drain to end');
  await shop.idle();
});

test('after a drain was asked for, readiness fails first, and what comes within drainDelay is served', async () => {
  const clock = new ManualClock();
  const gateway = await startTestGateway(
    { routes: [{ respond: { status: 200, body: 'still here' } }], drainDelay: '5s' },
    { clock },
  );
  const drained = gateway.gateway.drain();
  const readiness = await fetch(`${gateway.gateway.adminUrl}/readyz`);
  expect([readiness.status, await readiness.json()]).toEqual([503, { status: 'draining' }]);
  clock.advance(4_999);
  const headers = { connection: 'close' };
  expect(await (await fetch(gateway.url(), { headers })).text()).toBe('still here');
  clock.advance(1);
  await inTime(drained, 'the drain to end');
  await expect(fetch(gateway.url())).rejects.toThrow();
});

test('a gateway that is closed while it waits for drainDelay waits no longer', async () => {
  const gateway = await startTestGateway({ drainDelay: '1h' }, { clock: new ManualClock() });
  const drained = gateway.gateway.drain();
  await gateway.gateway.close();
  await inTime(drained, 'the drain to end');
});

matrix('no request fails under load while a gateway drains', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop));
  const outcomes: Outcome[] = [];
  const clients = Array.from({ length: 8 }, () => requestUntilDismissed(front, outcomes));
  await until(() => outcomes.length === 8 && outcomes.every(({ served }) => served >= 5), 'all clients to be busy');
  const drained = front.gateway.gateway.drain();
  await Promise.all(clients);
  await inTime(drained, 'the drain to end');
  for (const { failed } of outcomes) expect(failed).toEqual([]);
  expect(front.gateway.records.every(({ status, end }) => status === 200 && end.reason === 'complete')).toBe(true);
});

matrix(
  'the last response on a connection says so',
  async ({ gateway, origin }) => {
    const release = Promise.withResolvers<void>();
    const shop = await origin({ script: ['read head', { wait: release.promise }, 'respond 200'] });
    const front = await gateway(forwardTo(shop));
    const exchange = await front.begin({});
    await shop.request();
    const drained = front.gateway.gateway.drain();
    release.resolve();
    expect((await exchange.reply()).header('connection')).toBe('close');
    await inTime(drained, 'the drain to end');
  },
  { without: HTTP1_ONLY },
);

matrix(
  'a client of HTTP/2 is told to go, and its streams finish',
  async ({ gateway, origin }) => {
    const release = Promise.withResolvers<void>();
    const shop = await origin({ script: ['read head', { wait: release.promise }, 'respond 200'] });
    const front = await gateway(forwardTo(shop));
    const connection = await front.connect();
    const exchanges = [connection.begin({}), connection.begin({})];
    await shop.request(1);
    const drained = front.gateway.gateway.drain();
    await connection.dismissed();
    release.resolve();
    for (const exchange of exchanges) expect((await exchange.reply()).ended).toBe('clean');
    await inTime(drained, 'the drain to end');
  },
  { without: HTTP2_ONLY },
);

matrix('idle connections are closed by a drain', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const front = await gateway(forwardTo(await origin()), { clock });
  const unused = await front.connect();
  const used = await front.connect();
  expect((await used.send({})).status).toBe(200);
  const drained = front.gateway.gateway.drain();
  clock.advance(5_000);
  await Promise.all([unused.dismissed(), used.dismissed()]);
  await inTime(drained, 'the drain to end');
});

matrix('what does not finish in time is cut off', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin({ script: ['read head', 'silent'] });
  const config = forwardTo(shop, { route: { timeouts: { head: 0 } }, rest: { drainTimeout: '20s' } });
  const front = await gateway(config, { clock });
  const exchange = await front.begin({});
  await shop.request();
  const drained = front.gateway.gateway.drain();
  clock.advance(19_000);
  expect(front.gateway.status().listeners[0]?.connections).toBe(1);
  clock.advance(2_000);
  expect((await exchange.reply()).ended).not.toBe('clean');
  await inTime(drained, 'the drain to end');
  await shop.idle();
});

matrix(
  'readiness fails as soon as a drain begins, while liveness does not',
  async ({ gateway, origin }) => {
    const release = Promise.withResolvers<void>();
    const shop = await origin({ script: ['read head', { wait: release.promise }, 'respond 200'] });
    const front = await gateway(forwardTo(shop));
    const { adminUrl } = front.gateway.gateway;
    const probe = async (path: string): Promise<number> => (await fetch(`${adminUrl}${path}`)).status;
    expect([await probe('/readyz'), await probe('/healthz')]).toEqual([200, 200]);
    const exchange = await front.begin({});
    await shop.request();
    const drained = front.gateway.gateway.drain();
    expect([await probe('/readyz'), await probe('/healthz')]).toEqual([503, 200]);
    release.resolve();
    await exchange.reply();
    await inTime(drained, 'the drain to end');
  },
  { without: ONE_PROTOCOL },
);

matrix('a gateway that is closed leaves no timer and no connection behind', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin();
  const front = await gateway(forwardTo(shop), { clock });
  await front.send({});
  await front.connect();
  await front.gateway.gateway.close();
  await shop.idle();
  // Coarse clocks look once more and find nothing to do.
  clock.advance(1_000);
  expect(clock.pending).toBe(0);
});

interface Outcome {
  served: number;
  readonly failed: unknown[];
}

/** Requests one after another on one connection until the gateway dismisses it. */
async function requestUntilDismissed(front: Front, outcomes: Outcome[]): Promise<void> {
  const outcome: Outcome = { served: 0, failed: [] };
  outcomes.push(outcome);
  const connection = await front.connect();
  let dismissed = false;
  connection.dismissed().then(
    () => {
      dismissed = true;
    },
    () => {},
  );
  while (!dismissed) {
    const reply = await connection.send({});
    if (reply.status !== 200 || reply.ended !== 'clean') outcome.failed.push(reply);
    else outcome.served += 1;
    if (reply.header('connection') === 'close') break;
  }
  connection.close();
}
