import { expect } from 'vitest';
import { byHand } from '../kit/by-hand.ts';
import type { ClientConnection } from '../kit/client.ts';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { type Front, matrix, ONE_PROTOCOL, type Stage } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';

const STICKY = { pool: { affinity: { cookie: 'sid', secret: 'a secret of sixteen or more' } } };

matrix('under load, draining fails no request, keeps sessions, and sends new ones elsewhere', async (stage) => {
  const [one, two] = await twoShops(stage);
  const front = await stage.gateway(forwardTo([one, two], STICKY));
  const visitors = await Promise.all(Array.from({ length: 6 }, () => Visitor.enter(front)));
  const load = Promise.all(visitors.map((visitor) => visitor.stay()));
  const strangers: string[] = [];
  await until(() => visitors.every(({ seen }) => seen.length >= 5), 'all visitors to be busy');
  expect(await byHand(front.gateway, 'drain', one)).toMatchObject({ status: 200, body: { standing: 'draining' } });
  for (let i = 0; i < 8; i += 1) strangers.push((await front.send({})).text);
  const since = visitors.map(({ seen }) => seen.length);
  await until(() => visitors.every(({ seen }, i) => seen.length >= (since[i] as number) + 5), 'them to go on');
  for (const visitor of visitors) visitor.leave();
  await load;
  expect(visitors.flatMap(({ failed }) => failed)).toEqual([]);
  expect(new Set(visitors.map(({ seen }) => seen[0]))).toEqual(new Set(['one', 'two']));
  for (const { seen } of visitors) expect(new Set(seen).size).toBe(1);
  expect(new Set(strangers)).toEqual(new Set(['two']));
});

matrix('a disabled endpoint finishes what it has begun, and its sessions move', async (stage) => {
  const release = Promise.withResolvers<void>();
  const slow = ['read head', { wait: release.promise }, { respond: 200, body: 'one' }] as const;
  const one = await stage.origin({ scripts: [[{ respond: 200, body: 'one' }], slow, [{ respond: 200, body: 'one' }]] });
  const two = await stage.origin({ script: [{ respond: 200, body: 'two' }] });
  const front = await stage.gateway(forwardTo([one, two], STICKY));
  await byHand(front.gateway, 'disable', two);
  const session = sessionOf((await front.send({})).all('set-cookie'));
  one.endConnections();
  await one.idle();
  const exchange = await front.begin({ headers: ['Cookie', session] });
  await one.request(1);
  await byHand(front.gateway, 'enable', two);
  const disabled = await byHand(front.gateway, 'disable', one);
  expect(disabled.body).toMatchObject({ standing: 'disabled', inFlight: 1, changed: true });
  const moved = await front.send({ headers: ['Cookie', session] });
  expect([moved.text, moved.all('set-cookie').length]).toEqual(['two', 1]);
  release.resolve();
  expect((await exchange.reply()).text).toBe('one');
  await byHand(front.gateway, 'enable', one);
  expect((await front.send({ headers: ['Cookie', sessionOf(moved.all('set-cookie'))] })).text).toBe('two');
});

matrix(
  'with every endpoint drained there is nobody for new clients, and 503 says so',
  async (stage) => {
    const [one, two] = await twoShops(stage);
    const front = await stage.gateway(forwardTo([one, two], STICKY));
    const session = sessionOf((await front.send({})).all('set-cookie'));
    for (const shop of [one, two]) await byHand(front.gateway, 'drain', shop);
    expect(await front.send({})).toMatchObject({ status: 503 });
    expect(await front.send({ headers: ['Cookie', session] })).toMatchObject({ status: 200 });
    expect(front.gateway.status().pools[0]).toMatchObject({ available: 0, endpoints: [{ standing: 'draining' }, {}] });
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a weight by hand counts at once, and the configuration’s is back when it is taken away',
  async (stage) => {
    const [one, two] = await twoShops(stage);
    const front = await stage.gateway(forwardTo([one, two]));
    expect(await byHand(front.gateway, { weight: 3 }, one)).toMatchObject({ body: { weight: 1, weightByHand: 3 } });
    expect(await textsOf(front, 8)).toEqual({ one: 6, two: 2 });
    await byHand(front.gateway, { weight: 0 }, one);
    expect(await textsOf(front, 4)).toEqual({ one: 0, two: 4 });
    await byHand(front.gateway, { weight: null }, one);
    expect(await textsOf(front, 4)).toEqual({ one: 2, two: 2 });
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'status and metrics tell what is wanted by hand',
  async (stage) => {
    const [one, two] = await twoShops(stage);
    const front = await stage.gateway(forwardTo([one, two]));
    await byHand(front.gateway, 'drain', one);
    await byHand(front.gateway, { weight: 7 }, `http://127.0.0.1:${two.port}`);
    const { adminUrl } = front.gateway.gateway;
    expect(await (await fetch(`${adminUrl}/status`)).json()).toMatchObject({
      pools: [
        {
          available: 1,
          endpoints: [
            { standing: 'draining', weight: 1, weightByHand: null },
            { standing: 'enabled', weight: 1, weightByHand: 7 },
          ],
        },
      ],
    });
    const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
    const label = (shop: Origin): string => `pool="shop",endpoint="http://127.0.0.1:${shop.port}"`;
    expect(metrics).toContain(`headgate_endpoint_standing{${label(one)},standing="draining"} 1`);
    expect(metrics).toContain(`headgate_endpoint_standing{${label(two)},standing="enabled"} 1`);
    expect(metrics).toContain(`headgate_endpoint_weight{${label(two)}} 7`);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'the same is there for the program that runs the gateway',
  async (stage) => {
    const [one, two] = await twoShops(stage);
    const front = await stage.gateway(forwardTo([one, two]));
    const { control } = front.gateway.gateway;
    expect(control.disable('shop', `127.0.0.1:${one.port}`)).toMatchObject({ ok: true, changed: true });
    expect(await textsOf(front, 3)).toEqual({ one: 0, two: 3 });
    expect(control.enable('shop', '127.0.0.1:1')).toMatchObject({ ok: false, reason: 'unknown-endpoint' });
  },
  { without: ONE_PROTOCOL },
);

/** A client with a session who asks again and again. */
class Visitor {
  /** Who answered, in order. */
  readonly seen: string[] = [];
  readonly failed: number[] = [];
  readonly #connection: ClientConnection;
  readonly #session: string;
  #staying = true;

  static async enter(front: Front): Promise<Visitor> {
    const connection = await front.connect();
    return new Visitor(connection, sessionOf((await connection.send({})).all('set-cookie')));
  }

  constructor(connection: ClientConnection, session: string) {
    this.#connection = connection;
    this.#session = session;
  }

  async stay(): Promise<void> {
    while (this.#staying) {
      const reply = await this.#connection.send({ headers: ['Cookie', this.#session] });
      if (reply.status === 200) this.seen.push(reply.text);
      else this.failed.push(reply.status);
    }
    this.#connection.close();
  }

  leave(): void {
    this.#staying = false;
  }
}

function twoShops({ origin }: Stage): Promise<[Origin, Origin]> {
  return Promise.all([
    origin({ script: [{ respond: 200, body: 'one' }] }),
    origin({ script: [{ respond: 200, body: 'two' }] }),
  ]);
}

function sessionOf([cookie = '']: readonly string[]): string {
  return cookie.split(';')[0] as string;
}

/** How often each of the shops answers so many requests. */
async function textsOf(front: Front, requests: number): Promise<Record<'one' | 'two', number>> {
  const count = { one: 0, two: 0 };
  for (let i = 0; i < requests; i += 1) count[(await front.send({})).text as 'one' | 'two'] += 1;
  return count;
}
