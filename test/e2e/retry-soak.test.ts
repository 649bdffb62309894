import { afterAll, expect, test } from 'vitest';
import { postEach } from '../kit/post-load.ts';
import { ResettingOrigin } from '../kit/resetting-origin.ts';
import { GatewayProcess } from './kit/gateway-process.ts';
import { SeededRandom } from './kit/random.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

/** A million take a quarter of an hour: HEADGATE_SOAK_POSTS=1000000 (run on 2026-11-21: 99 176 resets, none twice). */
const POSTS = Number(process.env['HEADGATE_SOAK_POSTS'] ?? 100_000);
const SEED = Number(process.env['HEADGATE_SOAK_SEED'] ?? 20_261_121);

const directory = temporaryDirectory();
const random = new SeededRandom(SEED);
const below = (limit: number): number => random.below(limit);
const origin = new ResettingOrigin(POSTS, below);

afterAll(() => origin.close());

test(`of ${POSTS} POSTs to an endpoint that resets connections at any byte, none arrives twice`, {
  timeout: 3_600_000,
}, async () => {
  await origin.listen();
  const gateway = await GatewayProcess.start(
    {
      listeners: { web: { address: '127.0.0.1', port: 0 } },
      // Every class of failure is asked for, and paid for.
      pools: { shop: { endpoints: origin.ports.map((port) => `127.0.0.1:${port}`), retryBudget: { share: 1 } } },
      routes: [{ pool: 'shop', retry: { attempts: 5, on: ['connect', 'reused', 'reset', 'timeout', 500, 502, 503] } }],
      accessLog: { enabled: false },
    },
    directory,
  );
  try {
    const tally = await postEach(gateway.port('http'), { posts: POSTS, connections: 48, below });
    const { retries } = (await gateway.status()).pools[0] ?? { retries: null };
    const { begun, complete, resets } = origin;
    process.stdout.write(
      `${JSON.stringify({ POSTS, SEED, begun, complete, resets, ...Object.fromEntries(tally.statuses), cut: tally.cut, retries })}\n`,
    );
    expect(origin.twice).toEqual([]);
    // Also of what was reset before its number came.
    expect(begun).toBeLessThanOrEqual(POSTS);
    // Every one was answered or visibly cut off, and those that succeeded arrived.
    const answered = [...tally.statuses.values()].reduce((sum, count) => sum + count, 0);
    expect(answered + tally.cut).toBe(POSTS);
    expect([...tally.statuses.keys()].filter((status) => status !== 200 && status !== 502)).toEqual([]);
    expect(tally.succeeded.filter((id) => !origin.has(id))).toEqual([]);
    expect(resets).toBeGreaterThan(POSTS / 12);
    expect(await gateway.inFlight()).toBe(0);
    expect(gateway.complaints()).toEqual([]);
  } finally {
    await gateway.stop();
  }
});
