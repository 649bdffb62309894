import { describe, expect, test } from 'vitest';
import type { RedisConfig } from '../../../../src/config/schema/stores.ts';
import type { Connect } from '../../../../src/control/policies/redis/connection.ts';
import { SCRIPT, SCRIPT_SHA } from '../../../../src/control/policies/redis/script.ts';
import { SharedStore } from '../../../../src/control/policies/redis/shared-store.ts';
import type { PolicyEvent } from '../../../../src/policy/policy-state.ts';
import { gcraOf } from '../../../../src/policy/rate-limit/gcra.ts';
import type { Claim, Owed } from '../../../../src/policy/rate-limit/rate-store.ts';
import { until } from '../../../kit/deadline.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';
import { type RespAnswer, type RespScript, RespServer } from '../../../kit/resp-server.ts';
import { stopAfterTest } from '../../../kit/stop.ts';

const claim: Claim = {
  key: 'k',
  gcra: gcraOf({ rate: { count: 10, periodMs: 1_000 }, burst: 5 }),
  cost: 2,
  watches: false,
};

/** Nothing is owed by anybody. */
const allows: RespScript = (command, [, keys]) => {
  if (command === 'EVALSHA' || command === 'EVAL') return `*${keys}\r\n${':0\r\n'.repeat(Number(keys))}`;
  return '+OK\r\n';
};

/** `allows` for the probe, and `answer` for all others. */
function butFor(answer: RespAnswer): RespScript {
  return (command, args) =>
    args.some((arg) => arg.endsWith(':rate:probe')) || !command.startsWith('EVAL') ? allows(command, args) : answer;
}

interface Scene {
  readonly store: SharedStore;
  readonly clock: ManualClock;
  readonly events: PolicyEvent[];
  /** Asks for one claim. */
  take(): { readonly answers: (Owed | null)[] };
}

function scene(url: string, more: Partial<RedisConfig> = {}): Scene {
  const clock = new ManualClock();
  const events: PolicyEvent[] = [];
  const world = { clock, random: () => 0, observer: (event: PolicyEvent) => void events.push(event) };
  const redis = { url, prefix: 'test', timeout: 30, maxWaiting: 100, ...more };
  const store = new SharedStore('store shared', { name: 'shared', redis, world });
  store.open();
  stopAfterTest(() => store.close());
  const take = (): { answers: (Owed | null)[] } => {
    const answers: (Owed | null)[] = [];
    store.take([claim], (owed) => void answers.push(owed));
    return { answers };
  };
  return { store, clock, events, take };
}

async function connected(script: RespScript, more: Partial<RedisConfig> = {}): Promise<Scene & { server: RespServer }> {
  const server = await RespServer.start(script);
  const made = scene(server.url, more);
  await until(() => made.store.available, 'the store to be available');
  return { ...made, server };
}

async function lost({ store, events }: Pick<Scene, 'store' | 'events'>): Promise<string> {
  await until(() => events.some(({ event }) => event === 'store-lost'), 'the store to be lost');
  expect(store.available).toBe(false);
  return String(store.status()['why']);
}

/** Timers that are due, and what comes after them in the same turn. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  clock.advance(ms);
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a store that is there', () => {
  test('is asked by one script, with the key and the numbers of each claim', async () => {
    const { server, take } = await connected((command, args) =>
      args.includes('test:rate:k') ? '*1\r\n:300000\r\n' : allows(command, args),
    );
    const { answers } = take();
    await until(() => answers.length > 0, 'an answer');
    expect(answers).toEqual([[300_000]]);
    expect(server.commands.at(-1)).toEqual(['EVALSHA', SCRIPT_SHA, '1', 'test:rate:k', '1', '500000', '200000', '0']);
  });

  test('that does not know the script is sent it', async () => {
    const { server, take } = await connected((command, args) =>
      command === 'EVALSHA' ? '-NOSCRIPT No matching script\r\n' : allows(command, args),
    );
    const { answers } = take();
    await until(() => answers.length > 0, 'an answer');
    expect(answers).toEqual([[0]]);
    expect(server.commands.at(-1)?.slice(0, 4)).toEqual(['EVAL', SCRIPT, '1', 'test:rate:k']);
  });

  test('is told who asks and which database it is about, whatever stands in the URL', async () => {
    const server = await RespServer.start(allows);
    const { store } = scene(`redis://us%65r:p%40ss@127.0.0.1:${server.port}/3`);
    await until(() => store.available, 'the store to be available');
    expect(server.commands.slice(0, 2)).toEqual([
      ['AUTH', 'user', 'p@ss'],
      ['SELECT', '3'],
    ]);
    expect(JSON.stringify(store.status())).not.toMatch(/p@ss|p%40ss|us%65r/);
  });

  test('is not waited for any longer than its timeout', async () => {
    const { clock, take, store } = await connected(butFor(null));
    const { answers } = take();
    await pass(clock, 29);
    expect(answers).toEqual([]);
    await pass(clock, 6);
    expect(answers).toEqual([null]);
    expect(store.available).toBe(true);
    expect(store.status()).toMatchObject({ asked: 1, unsaid: 1, waiting: 0 });
  });

  test('is asked no more than so many at once, also when nobody waits for them any more', async () => {
    const { clock, take, store } = await connected(butFor(null), { maxWaiting: 3 });
    const first = [take(), take(), take()];
    expect(store.available).toBe(false);
    expect(take().answers).toEqual([null]);
    await pass(clock, 35);
    expect(first.map(({ answers }) => answers)).toEqual([[null], [null], [null]]);
    expect(store.available).toBe(false);
  });

  test('an answer that comes too late is nobody’s, and the next one’s is its own', async () => {
    const { clock, take, server, store } = await connected(butFor(null));
    const late = take();
    await pass(clock, 35);
    const next = take();
    await server.came('EVALSHA', 3);
    server.send('*1\r\n:7\r\n*1\r\n:9\r\n');
    await until(() => next.answers.length > 0, 'an answer');
    expect([late.answers, next.answers]).toEqual([[null], [[9]]]);
    expect(store.available).toBe(true);
  });

  test('of a key that holds something else it can’t tell, which is no reason to leave it, and told once', async () => {
    const { take, store, events } = await connected(
      butFor('-WRONGTYPE Operation against a key holding the wrong kind of value\r\n'),
    );
    for (let i = 0; i < 3; i += 1) {
      const { answers } = take();
      await until(() => answers.length > 0, 'an answer');
      expect(answers).toEqual([null]);
    }
    expect(store.available).toBe(true);
    expect(events.map(({ event }) => event)).toEqual(['store-refused']);
  });
});

describe('a store is left alone, and whoever waits goes on without it,', () => {
  test.each<[string, RespAnswer, RegExp]>([
    ['when it only replicates', '-READONLY You can’t write against a read only replica.\r\n', /^READONLY/],
    ['when it has no memory', '-OOM command not allowed when used memory > maxmemory.\r\n', /^OOM/],
    ['when it loads', '-LOADING Redis is loading the dataset in memory\r\n', /^LOADING/],
    ['when it wants a password', '-NOAUTH Authentication required.\r\n', /^NOAUTH/],
    ['when the script may not be run', '-NOPERM this user has no permissions\r\n', /^NOPERM/],
    ['when it answers something else', '+OK\r\n', /something else/],
    ['when it answers for too many', '*2\r\n:0\r\n:0\r\n', /something else/],
    ['when it answers no numbers', '*1\r\n$1\r\nx\r\n', /something else/],
    ['when it answers less than nothing', '*1\r\n:-5\r\n', /something else/],
    ['when it speaks another protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n', /Protocol error/],
    ['when it answers lists within lists', '*1\r\n'.repeat(200_000), /call stack|Protocol error/],
    ['when it cuts the connection', { thenCut: '' }, /closed/],
    ['when it cuts the connection within an answer', { thenCut: '*1\r\n:1' }, /closed/],
  ])('%s', async (_, answer, why) => {
    const made = await connected(butFor(answer));
    const { answers } = made.take();
    expect(await lost(made)).toMatch(why);
    expect(answers).toEqual([null]);
    expect(made.take().answers).toEqual([null]);
    expect(made.events).toMatchObject([
      { policy: 'rateLimit', owner: 'store shared', event: 'store-lost', level: 'warn' },
    ]);
  });

  test('when five answers in a row come too late', async () => {
    const made = await connected(butFor(null));
    const asked = Array.from({ length: 5 }, () => made.take());
    await pass(made.clock, 35);
    expect(await lost(made)).toMatch(/in time/);
    expect(asked.every(({ answers }) => answers.length === 1 && answers[0] === null)).toBe(true);
    await until(() => made.server.open === 0, 'its connection to be gone');
  });

  test('but not when others come in time', async () => {
    let held = 0;
    const { clock, take, store } = await connected((command, args) => {
      if (!args.includes('test:rate:k')) return allows(command, args);
      held += 1;
      return held % 5 === 0 ? '*1\r\n:0\r\n'.repeat(5) : null;
    });
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 4; i += 1) take();
      await pass(clock, 35);
      const { answers } = take();
      await until(() => answers.length > 0, 'an answer');
    }
    expect(store.available).toBe(true);
  });
});

describe('a store that can’t be had', () => {
  test.each<[string, RespScript, RegExp]>([
    [
      'refuses the password',
      (command, args) => (command === 'AUTH' ? '-WRONGPASS invalid username-password pair\r\n' : allows(command, args)),
      /^AUTH: WRONGPASS/,
    ],
    [
      'has no such database',
      (command, args) => (command === 'SELECT' ? '-ERR DB index is out of range\r\n' : allows(command, args)),
      /^SELECT: ERR DB/,
    ],
    [
      'loads',
      (command, args) =>
        command === 'EVALSHA' ? '-LOADING Redis is loading the dataset in memory\r\n' : allows(command, args),
      /^LOADING/,
    ],
  ])('because it %s is tried again, and back when it can', async (_, script, why) => {
    const server = await RespServer.start(script);
    const made = scene(`redis://:secret@127.0.0.1:${server.port}/3`);
    expect(await lost(made)).toMatch(why);
    server.script = allows;
    made.clock.advance(500);
    await until(() => made.store.available, 'the store to be back');
    expect(made.events.map(({ event }) => event)).toEqual(['store-lost', 'store-back']);
  });

  test('because nobody listens is told so', async () => {
    const server = await RespServer.start(allows);
    const { port } = server;
    await server.stop();
    expect(await lost(scene(`redis://127.0.0.1:${port}`))).toMatch(/ECONNREFUSED/);
  });

  test('is tried again less and less often, up to every 5 s, and told once', () => {
    const clock = new ManualClock();
    const events: PolicyEvent[] = [];
    const tries: number[] = [];
    const connect: Connect = (_, { lost: told }) => {
      tries.push(clock.monotonic());
      // A connection ends after it was begun.
      clock.after(1, () => told('nobody listens'));
      return { run: () => {}, close: () => {} };
    };
    const world = { clock, random: () => 0, observer: (event: PolicyEvent) => void events.push(event) };
    const redis = { url: 'redis://127.0.0.1:1', prefix: 'test', timeout: 30, maxWaiting: 100 };
    const store = new SharedStore('store shared', { name: 'shared', redis, world, connect });
    store.open();
    clock.advance(18_000);
    expect(tries).toEqual([0, 501, 1_502, 3_503, 7_504, 12_505, 17_506]);
    expect(events).toHaveLength(1);
    store.close();
    expect(clock.pending).toBe(0);
  });

  test('because it hangs is given up in time', async () => {
    const server = await RespServer.start(() => null);
    const made = scene(`redis://:secret@127.0.0.1:${server.port}`);
    await server.came('AUTH');
    made.clock.advance(3_000);
    expect(await lost(made)).toBe('it does not answer');
    await until(() => server.open === 0, 'its connection to be gone');
  });

  test('because it answers, but too late for a request, is not used', async () => {
    const server = await RespServer.start((command, args) => (command === 'EVALSHA' ? null : allows(command, args)));
    const made = scene(server.url);
    await server.came('EVALSHA');
    await pass(made.clock, 30);
    expect(await lost(made)).toMatch(/in time/);
  });

  test('holds nothing when it is closed in the meantime', async () => {
    const server = await RespServer.start(() => null);
    const made = scene(`redis://:secret@127.0.0.1:${server.port}`);
    await server.came('AUTH');
    made.store.close();
    await until(() => server.open === 0, 'its connection to be gone');
    expect([made.clock.pending, made.events]).toEqual([0, []]);
  });
});

test('whoever waits when the store is closed goes on, and who asks later does not wait', async () => {
  const { store, take, clock, server } = await connected(butFor(null));
  const { answers } = take();
  store.close();
  expect([answers, take().answers]).toEqual([[null], [null]]);
  await until(() => server.open === 0, 'its connection to be gone');
  await pass(clock, 100);
  expect(clock.pending).toBe(0);
});
