import { expect } from 'vitest';
import { byHand } from '../kit/by-hand.ts';
import { forwardTo } from '../kit/config.ts';
import { type Front, matrix, ONE_PROTOCOL, type Stage } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';
import type { Step } from '../kit/script.ts';

const LEARN = { pool: { affinity: { learn: 'JSESSIONID' } } };

matrix('a session stays where the application has set its cookie, and nobody adds one', async (stage) => {
  const [one, two] = await twoShops(stage);
  const front = await stage.gateway(forwardTo([one, two], LEARN));
  for (const shop of ['one', 'two']) {
    const login = await front.send({});
    expect([login.text, login.all('set-cookie')]).toEqual([shop, [`JSESSIONID=of-${shop}; Path=/; HttpOnly`]]);
  }
  for (const shop of ['two', 'two', 'one', 'two', 'one', 'one']) {
    expect((await front.send({ headers: ['Cookie', `a=b; JSESSIONID=of-${shop}`] })).text).toBe(shop);
  }
  expect(front.gateway.status().pools[0]?.endpoints.map(({ sessions }) => sessions)).toEqual([1, 1]);
});

matrix(
  'what a client makes up is balanced like any other request',
  async (stage) => {
    const front = await stage.gateway(forwardTo(await twoShops(stage), LEARN));
    expect(await visit(front, ['Cookie', 'JSESSIONID=x'], 4)).toEqual(['one', 'two', 'one', 'two']);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a session whose endpoint is down goes to another one and stays there',
  async (stage) => {
    const shops = await twoShops(stage);
    const front = await stage.gateway(forwardTo(shops, LEARN));
    expect((await front.send({})).text).toBe('one');
    await byHand(front.gateway, 'disable', shops[0]);
    const session = ['Cookie', 'JSESSIONID=of-one'];
    // The application knows the session there too, and sets no other cookie.
    expect(await visit(front, session, 2)).toEqual(['two', 'two']);
    await byHand(front.gateway, 'enable', shops[0]);
    expect(await visit(front, session, 3)).toEqual(['two', 'two', 'two']);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'while an endpoint drains its learned sessions stay, and can be counted',
  async (stage) => {
    const shops = await twoShops(stage);
    const front = await stage.gateway(forwardTo(shops, LEARN));
    await front.send({});
    expect(await byHand(front.gateway, 'drain', shops[0])).toMatchObject({
      body: { standing: 'draining', sessions: 1 },
    });
    expect(await visit(front, ['Cookie', 'JSESSIONID=of-one'], 2)).toEqual(['one', 'one']);
    expect(await visit(front, [], 2)).toEqual(['two', 'two']);
    const metrics = await (await fetch(`${front.gateway.gateway.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/headgate_endpoint_sessions\{pool="shop",endpoint="[^"]+"\} 1\n/);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a header that clients choose keeps them where they went first',
  async (stage) => {
    const shops = await twoShops(stage);
    const front = await stage.gateway(forwardTo(shops, { pool: { affinity: { header: 'X-Session' } } }));
    expect(await visit(front, ['X-Session', 'a'], 3)).toEqual(['one', 'one', 'one']);
    expect(await visit(front, ['x-session', 'b'], 3)).toEqual(['two', 'two', 'two']);
    await byHand(front.gateway, 'drain', shops[0]);
    expect(await visit(front, ['X-Session', 'a'], 2)).toEqual(['one', 'one']);
    expect(await visit(front, ['X-Session', 'c'], 2)).toEqual(['two', 'two']);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'gateways that hash the header agree, and share nothing',
  async (stage) => {
    const shops = await twoShops(stage);
    const pool = { affinity: { header: 'X-Session' }, balance: { hash: { header: 'X-Session' } } };
    const one = await stage.gateway(forwardTo(shops, { pool }));
    const other = await stage.gateway(forwardTo(shops.toReversed(), { pool }));
    const names = Array.from({ length: 40 }, (_, i) => `session-${i}`);
    const placed: string[] = [];
    for (const name of names) placed.push(...(await visit(one, ['X-Session', name], 1)));
    expect(new Set(placed)).toEqual(new Set(['one', 'two']));
    for (const [i, name] of names.entries()) expect(await visit(other, ['X-Session', name], 1)).toEqual([placed[i]]);
  },
  { without: ONE_PROTOCOL },
);

/** Both know each other's sessions, and begin one for who has none. */
async function twoShops({ origin }: Stage): Promise<[Origin, Origin]> {
  const start = (name: string): Promise<Origin> => {
    const begin: Step = {
      respond: 200,
      headers: ['Set-Cookie', `JSESSIONID=of-${name}; Path=/; HttpOnly`],
      body: name,
    };
    return origin({ scripts: [[begin, { respond: 200, body: name }], [{ respond: 200, body: name }]] });
  };
  return [await start('one'), await start('two')];
}

async function visit(front: Front, headers: readonly string[], times: number): Promise<string[]> {
  const texts: string[] = [];
  for (let i = 0; i < times; i += 1) texts.push((await front.send({ headers })).text);
  return texts;
}
