import { expect } from 'vitest';
import type { Reply } from '../kit/client.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { type Front, matrix, ONE_PROTOCOL, type Stage } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';

const SECRET = 'a secret of sixteen or more';

/** Two versions of an application that keeps its sessions in memory, two endpoints each. */
interface Versions {
  readonly old: readonly Origin[];
  readonly next: readonly Origin[];
}

async function versions({ origin }: Stage): Promise<Versions> {
  const start = (names: readonly string[]) =>
    Promise.all(names.map((body) => origin({ script: [{ respond: 200, body }] })));
  return { old: await start(['old 1', 'old 2']), next: await start(['next 1', 'next 2']) };
}

function canary({ old, next }: Versions, weights: readonly [number, number]): TestConfig {
  const pool = (endpoints: readonly Origin[]) => ({
    endpoints: endpoints.map(({ port }) => `127.0.0.1:${port}`),
    affinity: { secret: SECRET },
  });
  const split = [
    { pool: 'old', weight: weights[0] },
    { pool: 'next', weight: weights[1] },
  ];
  return {
    pools: { old: pool(old), next: pool(next) },
    routes: [{ name: 'all', split, sticky: { insert: { secret: SECRET } } }],
  };
}

/** What a browser keeps of the cookies of a reply. */
function cookiesOf(reply: Reply): string {
  return reply
    .all('set-cookie')
    .map((field) => field.split(';')[0])
    .join('; ');
}

async function newcomers(front: Front, count: number): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (let i = 0; i < count; i += 1) replies.push(await front.send({}));
  return replies;
}

matrix('with sticky canaries a client stays with its version and with its endpoint of that', async (stage) => {
  const front = await stage.gateway(canary(await versions(stage), [1, 1]));
  for (const first of await newcomers(front, 4)) {
    expect(first.all('set-cookie')).toHaveLength(2);
    for (let i = 0; i < 3; i += 1) {
      const reply = await front.send({ headers: ['Cookie', cookiesOf(first)] });
      expect([reply.text, reply.all('set-cookie')]).toEqual([first.text, []]);
    }
  }
});

matrix(
  'more of the traffic for the canary moves no client, on no gateway',
  async (stage) => {
    const { old, next } = await versions(stage);
    const before = await stage.gateway(canary({ old, next }, [1, 0]));
    const after = await stage.gateway(canary({ old: old.toReversed(), next: next.toReversed() }, [0, 1]));
    for (const first of await newcomers(before, 4)) {
      expect(first.text).toMatch(/^old/);
      expect((await after.send({ headers: ['Cookie', cookiesOf(first)] })).text).toBe(first.text);
    }
    for (const first of await newcomers(after, 4)) expect(first.text).toMatch(/^next/);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'an endpoint of the canary that goes away moves its clients within the canary',
  async (stage) => {
    const { old, next } = await versions(stage);
    const front = await stage.gateway(canary({ old, next }, [0, 1]));
    const first = await front.send({});
    const [gone, left] = first.text === 'next 1' ? next : next.toReversed();
    await gone?.close();
    const moved = await front.send({ headers: ['Cookie', cookiesOf(first)] });
    expect([moved.status, left?.requests, moved.all('set-cookie').length]).toEqual([200, 1, 1]);
    expect(moved.text).toMatch(/^next/);
  },
  { without: ONE_PROTOCOL },
);
