import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { Redis } from 'iovalkey';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SCRIPT, scriptArguments } from '../../src/control/policies/redis/script.ts';
import { admits, gcraOf, owedAt, ticksAt } from '../../src/policy/rate-limit/gcra.ts';
import { certificateFor } from '../kit/certificate.ts';
import { startTestGateway, type TestConfig, type TestGateway } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { deadPort } from '../kit/origin.ts';
import { eventually } from './kit/patience.ts';
import { requirePrograms } from './kit/programs.ts';
import { Spawned } from './kit/spawned.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const { 'redis-server': program } = requirePrograms('redis-server');
const directory = temporaryDirectory();

let port = 0;
let server: Spawned;

/** Keeps nothing on the disk, and nothing of what was before. */
async function startRedis(): Promise<Spawned> {
  const started = new Spawned(
    program,
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory],
    {
      cwd: directory,
    },
  );
  await eventually(
    () => (started.stdout.text.includes('Ready to accept connections') ? true : null),
    'redis to be ready',
  );
  return started;
}

/** Runs commands on a connection of its own. */
async function redis<T>(use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({ host: '127.0.0.1', port });
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

beforeAll(async () => {
  port = await deadPort();
  server = await startRedis();
});

afterAll(() => server.stop());

interface Setting {
  readonly name?: string;
  readonly rate?: string;
  readonly burst?: number;
  readonly timeout?: string;
  readonly password?: string;
}

function sharing({ name = 'api', rate = '1/h', burst = 10, timeout = '1s', password }: Setting = {}): TestConfig {
  const credentials = password === undefined ? {} : { password };
  return {
    stores: { shared: { redis: { url: `redis://127.0.0.1:${port}`, timeout, ...credentials } } },
    routes: [{ name: 'shop', respond: {}, rateLimit: { name, rate, burst, key: '{header.x-who}', store: 'shared' } }],
  };
}

interface PolicyStatus {
  readonly id: string;
  readonly figures: Readonly<Record<string, unknown>>;
}

async function policiesOf({ gateway }: TestGateway): Promise<readonly PolicyStatus[]> {
  const answer = await fetch(new URL('/policies', gateway.adminUrl));
  return (await answer.json()) as readonly PolicyStatus[];
}

/** Waits until the store of every gateway is up, or lost. */
async function stores(gateways: readonly TestGateway[], up: boolean): Promise<readonly PolicyStatus[]> {
  return eventually(
    async () => {
      const all = (await Promise.all(gateways.map(policiesOf))).flat();
      const found = all.filter((state) => state.id.startsWith('store '));
      return found.length === gateways.length &&
        found.every(({ figures }) => figures['up'] === up && figures['why'] !== 'not connected yet')
        ? found
        : null;
    },
    `the stores to be ${up ? 'up' : 'lost'}`,
  );
}

async function start(count: number, setting: Setting = {}): Promise<readonly TestGateway[]> {
  const gateways = await Promise.all(Array.from({ length: count }, () => startTestGateway(sharing(setting))));
  await stores(gateways, true);
  return gateways;
}

/** Statuses of so many requests, all at once, by turns to each gateway. */
async function ask(gateways: readonly TestGateway[], count: number, who: string): Promise<readonly number[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const gateway = gateways[index % gateways.length] as TestGateway;
      const response = await fetch(gateway.url(), { headers: { 'X-Who': who } });
      await response.arrayBuffer();
      return response.status;
    }),
  );
}

function admittedIn(statuses: readonly number[]): number {
  expect(statuses.filter((status) => status !== 200 && status !== 429)).toEqual([]);
  return statuses.filter((status) => status === 200).length;
}

describe('gateways that share a store', () => {
  test('admit together exactly what one would, however the requests are spread', async () => {
    const gateways = await start(2, { burst: 50 });
    expect(admittedIn(await ask(gateways, 300, 'exact'))).toBe(50);
    expect(admittedIn(await ask(gateways, 20, 'exact'))).toBe(0);
    expect(admittedIn(await ask(gateways, 60, 'another'))).toBe(50);
  });

  test('go by its clock, whatever their own say', async () => {
    const name = 'clocks';
    const [ours] = await start(1, { name, burst: 20 });
    const theirs = await startTestGateway(sharing({ name, burst: 20 }), {
      clock: new ManualClock(Date.UTC(2001, 0, 1)),
    });
    await stores([theirs], true);
    expect(admittedIn(await ask([ours as TestGateway, theirs], 100, 'clocks'))).toBe(20);
  });

  test('keep nothing at it that tells who asks, and nothing for longer than it says something', async () => {
    const gateways = await start(1, { name: 'short', rate: '10/s', burst: 1 });
    await ask(gateways, 1, 'a very secret key');
    const { keys, lives } = await redis(async (client) => {
      const found = await client.keys('headgate:rate:*');
      return { keys: found, lives: await Promise.all(found.map((key) => client.pttl(key))) };
    });
    expect(keys.join()).not.toContain('secret');
    // Within an hour times the burst of the tests above, plus one.
    expect(lives.every((ms) => ms !== -1 && ms <= 50 * 3_600_000 + 1)).toBe(true);
  });

  test('go on by themselves when it is killed in the middle of all this, and together when it is back', async () => {
    const gateways = await start(2, { name: 'killed', burst: 30, timeout: '30ms' });
    const under = ask(gateways, 400, 'during');
    server.signal('SIGKILL');
    // Each request is answered, by one or the other.
    expect(admittedIn(await under)).toBeGreaterThanOrEqual(30);
    await server.ended;
    await stores(gateways, false);
    expect(admittedIn(await ask(gateways, 100, 'meanwhile'))).toBe(60);
    server = await startRedis();
    await stores(gateways, true);
    // Nothing was kept, and the gateways count together again.
    expect(admittedIn(await ask(gateways, 100, 'after'))).toBeGreaterThanOrEqual(30);
  });

  test('do not wait for one that hangs, and use it again when it goes on', async () => {
    const gateways = await start(1, { name: 'hangs', burst: 5, timeout: '200ms' });
    await ask(gateways, 3, 'before');
    server.signal('SIGSTOP');
    try {
      // What the store has said still counts here: at most five in all.
      expect(admittedIn(await ask(gateways, 20, 'before'))).toBe(2);
      const [lost] = await stores(gateways, false);
      expect(lost?.figures['why']).toMatch(/does not answer/);
      expect(admittedIn(await ask(gateways, 20, 'hanging'))).toBe(5);
    } finally {
      server.signal('SIGCONT');
    }
    await stores(gateways, true);
  });

  test.each([
    ['is a replica', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE'], /READONLY/],
    ['has no memory left', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0'], /OOM/],
  ])('decide by themselves while it %s', async (_, begin, end, why) => {
    const gateways = await start(1, { name: 'sick', burst: 5 });
    const order = ([command = '', ...args]: readonly string[]): Promise<unknown> =>
      redis((client) => client.call(command, args));
    await order(begin);
    try {
      expect(admittedIn(await ask(gateways, 20, String(why)))).toBe(5);
      const [lost] = await stores(gateways, false);
      expect(lost?.figures['why']).toMatch(why);
    } finally {
      await order(end);
    }
    await stores(gateways, true);
  });

  test('decide by themselves about a key that holds something else, and about no other', async () => {
    const gateways = await start(1, { name: 'foreign', burst: 5 });
    await redis((client) => client.flushall());
    await ask(gateways, 1, 'mine');
    await redis(async (client) => {
      const keys = (await client.keys('headgate:rate:*')).filter((key) => !key.endsWith(':probe'));
      for (const key of keys) {
        await client.del(key);
        await client.lpush(key, 'not ours');
      }
    });
    expect(admittedIn(await ask(gateways, 10, 'mine'))).toBe(4);
    expect(admittedIn(await ask(gateways, 10, 'other'))).toBe(5);
    await stores(gateways, true);
  });

  test('say why they count alone when the password is wrong, and need none that is right', async () => {
    await redis((client) => client.call('CONFIG', ['SET', 'requirepass', 'right']));
    try {
      const wrong = await startTestGateway(sharing({ password: 'wrong' }));
      const none = await startTestGateway(sharing());
      const lost = await stores([wrong, none], false);
      expect(lost.map((state) => String(state.figures['why']))).toEqual([
        expect.stringMatching(/^AUTH: WRONGPASS/),
        expect.stringMatching(/^NOAUTH/),
      ]);
      const right = await startTestGateway(sharing({ password: 'right' }));
      await stores([right], true);
      expect(JSON.stringify(await policiesOf(right))).not.toContain('right"');
    } finally {
      const client = new Redis({ host: '127.0.0.1', port, password: 'right' });
      await client.call('CONFIG', ['SET', 'requirepass', '']);
      client.disconnect();
    }
  });
});

test('a store behind TLS is held to its certificate', async () => {
  const { cert, key } = await certificateFor(['store.test', '127.0.0.1']);
  const { cert: foreign } = await certificateFor(['store.test', '127.0.0.1']);
  const files = {
    cert: join(directory, 'cert.pem'),
    key: join(directory, 'key.pem'),
    foreign: join(directory, 'foreign.pem'),
  };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  writeFileSync(files.foreign, foreign);
  const tlsPort = await deadPort();
  const tls = ['--tls-cert-file', files.cert, '--tls-key-file', files.key, '--tls-auth-clients', 'no'];
  const secure = new Spawned(
    program,
    ['--port', '0', '--tls-port', String(tlsPort), '--bind', '127.0.0.1', '--save', '', '--dir', directory, ...tls],
    { cwd: directory },
  );
  try {
    await eventually(() => (secure.stdout.text.includes('Ready to accept') ? true : null), 'redis to be ready');
    const by = (more: Readonly<Record<string, string>>): Promise<TestGateway> =>
      startTestGateway({
        stores: { shared: { redis: { url: `rediss://127.0.0.1:${tlsPort}`, timeout: '1s', ...more } } },
        routes: [
          { name: 'shop', respond: {}, rateLimit: { rate: '1/h', burst: 3, key: '{header.x-who}', store: 'shared' } },
        ],
      });
    const good = await Promise.all([by({ ca: files.cert }), by({ ca: files.cert, serverName: 'store.test' })]);
    await stores(good, true);
    expect(admittedIn(await ask(good, 12, 'tls'))).toBe(3);
    const bad = await Promise.all([
      by({ ca: files.foreign }),
      by({}),
      by({ ca: files.cert, serverName: 'other.test' }),
    ]);
    const lost = await stores(bad, false);
    expect(lost.map(({ figures }) => String(figures['why']))).toEqual([
      expect.stringMatching(/certificate/),
      expect.stringMatching(/certificate/),
      expect.stringMatching(/altnames/),
    ]);
  } finally {
    await secure.stop();
  }
});

test('who owes by a slower limit, or since the clock of the store was set back, is kept out for one refill and no longer', async () => {
  const slow = gcraOf({ rate: { count: 1, periodMs: 3_600_000 }, burst: 5 });
  const fast = gcraOf({ rate: { count: 50, periodMs: 1_000 }, burst: 5 });
  const take = (client: Redis, gcra: typeof slow, cost: number): Promise<unknown> =>
    client.eval(SCRIPT, 1, ...scriptArguments('test', [{ key: 'owes', gcra, cost, watches: false }]));
  await redis(async (client) => {
    await take(client, slow, 5);
    expect(await take(client, fast, 1)).toEqual([fast.burstTicks]);
    // A refill of five at 50/s.
    expect(await client.pttl('test:rate:owes')).toBeLessThanOrEqual(101);
    await eventually(
      async () => ((await client.exists('test:rate:owes')) === 0 ? true : null),
      'the bucket to be full',
    );
    expect(await take(client, fast, 5)).toEqual([0]);
  });
});

test.each(['', 'x', '5', '5 x', '5 0', '5 nan', '5 inf', '5 1 1', '-5 1', `${'9'.repeat(400)} 1`, '1e5 1'])(
  'text that is none of ours in a key of ours, “%s”, is nothing owed, or no more than a burst, and makes no error',
  async (text) => {
    const gcra = gcraOf({ rate: { count: 10, periodMs: 1_000 }, burst: 5 });
    await redis(async (client) => {
      await client.set('test:rate:text', text);
      const [owed] = (await client.eval(
        SCRIPT,
        1,
        ...scriptArguments('test', [{ key: 'text', gcra, cost: 1, watches: false }]),
      )) as readonly number[];
      expect([0, gcra.burstTicks]).toContain(owed);
      expect(await client.pttl('test:rate:text')).toBeGreaterThan(0);
    });
  },
);

test('the script decides as the gateway does by itself, to the tick (property)', async () => {
  const atTime = SCRIPT.replace("redis.call('TIME')", '{ARGV[#ARGV - 1], ARGV[#ARGV]}');
  expect(atTime).not.toBe(SCRIPT);
  const steps = fc.array(
    fc.record({
      afterMicros: fc.oneof(fc.constant(0), fc.nat({ max: 900_000 })),
      cost: fc.integer({ min: 1, max: 3 }),
    }),
    { minLength: 1, maxLength: 30 },
  );
  const rates = fc.record({ count: fc.integer({ min: 1, max: 50 }), periodMs: fc.constantFrom(1_000, 7_000) });
  const client = new Redis({ host: '127.0.0.1', port });
  try {
    await fc.assert(
      fc.asyncProperty(rates, fc.integer({ min: 3, max: 10 }), steps, async (rate, burst, requests) => {
        await client.del('test:rate:k');
        const gcra = gcraOf({ rate, burst });
        let fullAt = 0;
        let micros = 1_760_000_000_000_000;
        for (const { afterMicros, cost } of requests) {
          micros += afterMicros;
          const now = Math.floor(micros * (gcra.ticksPerMs / 1000));
          expect(Math.abs(now - ticksAt(gcra, micros / 1000))).toBeLessThanOrEqual(1);
          const owed = owedAt(gcra, fullAt, now);
          const args = scriptArguments('test', [{ key: 'k', gcra, cost, watches: false }]);
          const time = [String(Math.floor(micros / 1_000_000)), String(micros % 1_000_000)];
          expect(await client.eval(atTime, 1, ...args, ...time)).toEqual([owed]);
          if (admits(gcra, owed, cost)) fullAt = now + owed + cost * gcra.unitTicks;
        }
      }),
      { seed: 7, numRuns: 60 },
    );
  } finally {
    client.disconnect();
  }
});
