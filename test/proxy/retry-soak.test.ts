import { constants } from 'node:http2';
import { expect } from 'vitest';
import { type Http2Arrival, http2Origin } from '../kit/http2-origin.ts';
import { type Front, matrix, type Stage } from '../kit/matrix.ts';
import { type Below, ResettingOrigin } from '../kit/resetting-origin.ts';
import { stopAfterTest } from '../kit/stop.ts';
import { WHOLE } from '../kit/whole.ts';

/** The long version is test/e2e/retry-soak.test.ts. */
const POSTS = WHOLE ? 200 : 100;
const AT_ONCE = 12;

const EVERYTHING = { attempts: 5, on: ['connect', 'reused', 'reset', 'timeout', 500, 502, 503] as const };

matrix(
  'of some hundred POSTs to an endpoint that resets connections at any byte, none arrives twice',
  async (stage) => {
    const origin = await resetting(4);
    const front = await inFrontOf(stage, origin, { ...EVERYTHING, on: [...EVERYTHING.on] });
    const statuses = await postEach(front, 5);
    expect(origin.twice).toEqual([]);
    // Also of what was reset before its number came.
    expect(origin.begun).toBeLessThanOrEqual(POSTS);
    expect(origin.resets).toBeGreaterThan(POSTS / 15);
    for (const [id, status] of statuses.entries()) if (status === 200) expect(origin.has(id)).toBe(true);
    expect(new Set(statuses)).toEqual(new Set([0, 200, 502].filter((status) => statuses.includes(status))));
  },
);

matrix('the same with an Idempotency-Key, where the route believes it, arrives as often as it takes', async (stage) => {
  const origin = await resetting(4);
  const front = await inFrontOf(stage, origin, { ...EVERYTHING, on: [...EVERYTHING.on], idempotencyKey: true });
  const statuses = await postEach(front, 5, ['Idempotency-Key', '"1"']);
  // So the origin does recognise what comes twice.
  expect(origin.twice.length).toBeGreaterThan(5);
  const answered = statuses.filter((status) => status === 200);
  expect(answered.length).toBeGreaterThan(POSTS * 0.9);
});

matrix(
  'of some hundred POSTs to an HTTP/2 endpoint that resets streams and connections, none arrives twice',
  async (stage) => {
    const below = seeded(6);
    const seen = new Map<string, number>();
    let troubles = 0;
    const shop = await http2Origin({
      handle: (arrival) => {
        const trouble = TROUBLES[below(60)];
        if (trouble !== undefined) troubles += 1;
        // Said to be unseen: the one that may come again.
        if (trouble === 'refuse') arrival.stream.close(constants.NGHTTP2_REFUSED_STREAM);
        else {
          const path = arrival.field(':path') ?? '';
          seen.set(path, (seen.get(path) ?? 0) + 1);
          answer(arrival, trouble);
        }
      },
    });
    const front = await stage.gateway({
      pools: { shop: { protocol: 'http2', endpoints: [`127.0.0.1:${shop.port}`], retryBudget: { share: 1 } } },
      routes: [{ pool: 'shop', retry: { ...EVERYTHING, on: [...EVERYTHING.on] } }],
    });
    const statuses = await postEach(front, 5);
    expect([...seen].filter(([, times]) => times > 1)).toEqual([]);
    expect(troubles).toBeGreaterThan(POSTS / 30);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(POSTS / 2);
  },
);

const TROUBLES = ['refuse', 'reset', 'reset', 'reset in body', 'reset in body', 'connection'] as const;

function answer({ stream, session }: Http2Arrival, trouble: (typeof TROUBLES)[number] | undefined): void {
  if (trouble === 'reset') stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else if (trouble === 'reset in body') stream.once('data', () => stream.close(constants.NGHTTP2_CANCEL));
  else if (trouble === 'connection') session.destroy();
  else {
    stream.resume();
    stream.on('end', () => {
      if (!stream.destroyed) stream.respond({ ':status': 200 }, { endStream: true });
    });
  }
}

async function resetting(seed: number): Promise<ResettingOrigin> {
  const origin = new ResettingOrigin(POSTS, seeded(seed));
  await origin.listen();
  stopAfterTest(() => origin.close());
  return origin;
}

function inFrontOf(stage: Stage, origin: ResettingOrigin, retry: object): Promise<Front> {
  const endpoints = origin.ports.map((port) => `127.0.0.1:${port}`);
  return stage.gateway({
    pools: { shop: { endpoints, retryBudget: { share: 1, minimum: 1000 } } },
    routes: [{ pool: 'shop', retry: { ...retry, backoff: { base: 0 } } }],
  });
}

/** Sends each number once, and yields the status that it got; 0 for none. */
async function postEach(front: Front, seed: number, headers: readonly string[] = []): Promise<number[]> {
  const below = seeded(seed);
  const statuses: number[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < POSTS) {
      const id = next;
      next += 1;
      const body = 'p'.repeat(1 + below(below(50) === 0 ? 60_000 : 2_000));
      const reply = await front.send({ method: 'POST', path: `/${id}`, headers, body });
      statuses[id] = reply.ended === 'clean' ? reply.status : 0;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return statuses;
}

/** Numbers that look random and are the same in every run: xorshift32. */
function seeded(seed: number): Below {
  let state = seed * 0x9e3779b1 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}
