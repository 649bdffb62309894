import { expect } from 'vitest';
import { byHand } from '../kit/by-hand.ts';
import type { Reply } from '../kit/client.ts';
import { forwardTo } from '../kit/config.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { isPlain, matrix, ONE_PROTOCOL, type Stage } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';

const STICKY = { pool: { affinity: { cookie: 'sid', secret: 'a secret of sixteen or more' } } };

matrix('a client is given a cookie and stays with its endpoint', async (stage) => {
  const shops = await twoShops(stage);
  const front = await stage.gateway(forwardTo(shops, STICKY));
  const first = await front.send({});
  const session = sessionOf(first);
  for (let i = 0; i < 4; i += 1) {
    const reply = await front.send({ headers: ['Cookie', `other=1; ${session}`] });
    expect(reply.text).toBe(first.text);
    expect(reply.all('set-cookie')).toEqual([]);
  }
});

matrix('the cookie tells nothing, and has the attributes that keep it safe', async (stage) => {
  const shops = await twoShops(stage);
  const front = await stage.gateway(forwardTo(shops, STICKY));
  const [cookie = ''] = (await front.send({})).all('set-cookie');
  expect(cookie).toMatch(/^sid=[A-Za-z0-9_-]{32}; Path=\/;.* HttpOnly; SameSite=Lax$/);
  expect(cookie.includes('Secure')).toBe(!isPlain(stage.downstream));
  const value = Buffer.from(sessionOf(await front.send({})).slice(4), 'base64url').toString('latin1');
  for (const shop of shops) expect(value).not.toContain(String(shop.port));
});

matrix('a forged cookie is replaced', async (stage) => {
  const shops = await twoShops(stage);
  const front = await stage.gateway(forwardTo(shops, STICKY));
  const genuine = sessionOf(await front.send({}));
  const forged = `${genuine.slice(0, -1)}${genuine.endsWith('A') ? 'B' : 'A'}`;
  for (const cookie of [forged, 'sid=', 'sid=127.0.0.1:80']) {
    expect((await front.send({ headers: ['Cookie', cookie] })).all('set-cookie')).toHaveLength(1);
  }
});

matrix('a session whose endpoint is down moves to another, with a new cookie', async (stage) => {
  const shops = await twoShops(stage);
  const front = await stage.gateway(forwardTo(shops, STICKY));
  const first = await front.send({});
  const session = sessionOf(first);
  await shops.find((shop) => shop.requests === 1)?.close();
  const moved = await front.send({ headers: ['Cookie', session] });
  expect(moved.status).toBe(200);
  expect(moved.text).not.toBe(first.text);
  const next = sessionOf(moved);
  expect(next).not.toBe(session);
  expect((await front.send({ headers: ['Cookie', next] })).all('set-cookie')).toEqual([]);
});

matrix('gateways with the same secret understand each other’s cookies', async (stage) => {
  const shops = await twoShops(stage);
  const one = await stage.gateway(forwardTo(shops, STICKY));
  const first = await one.send({});
  const other = await stage.gateway(forwardTo(shops, STICKY));
  for (let i = 0; i < 3; i += 1) {
    const reply = await other.send({ headers: ['Cookie', sessionOf(first)] });
    expect([reply.text, reply.all('set-cookie')]).toEqual([first.text, []]);
  }
});

matrix(
  'it does not matter in which order gateways list their endpoints, and who begins a session',
  async (stage) => {
    const shops = await twoShops(stage);
    const one = await stage.gateway(forwardTo(shops, STICKY));
    const other = await stage.gateway(forwardTo(shops.toReversed(), STICKY));
    for (const [begins, goesOn] of [
      [one, other],
      [one, other],
      [other, one],
      [other, one],
    ] as const) {
      const first = await begins.send({});
      const reply = await goesOn.send({ headers: ['Cookie', sessionOf(first)] });
      expect([reply.text, reply.all('set-cookie')]).toEqual([first.text, []]);
    }
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a secret is replaced on one gateway after the other, and no session moves',
  async (stage) => {
    const shops = await twoShops(stage);
    const [old, fresh] = ['the secret of last year', 'the secret of this year'];
    const gatewayWith = (...secret: string[]) =>
      stage.gateway(forwardTo(shops, { pool: { affinity: { cookie: 'sid', secret } } }));
    const [before, told, first, after] = [
      await gatewayWith(old),
      await gatewayWith(old, fresh),
      await gatewayWith(fresh, old),
      await gatewayWith(fresh),
    ];
    const begun = await before.send({});
    const session = sessionOf(begun);
    const still = await told.send({ headers: ['Cookie', session] });
    expect([still.text, still.all('set-cookie')]).toEqual([begun.text, []]);
    const renewed = await first.send({ headers: ['Cookie', session] });
    expect(renewed.text).toBe(begun.text);
    const next = sessionOf(renewed);
    expect(next).not.toBe(session);
    for (const gateway of [told, first, after]) {
      const reply = await gateway.send({ headers: ['Cookie', next] });
      expect(reply.text).toBe(begun.text);
    }
    expect((await after.send({ headers: ['Cookie', next] })).all('set-cookie')).toEqual([]);
    expect((await after.send({ headers: ['Cookie', session] })).all('set-cookie')).toHaveLength(1);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'the cookie is for one client, and never comes out of the cache',
  async (stage) => {
    const page = { respond: 200, headers: ['Cache-Control', 'max-age=60'], body: 'page' } as const;
    const shop = await stage.origin({ script: [page] });
    const front = await stage.gateway(forwardTo(shop, { ...STICKY, route: { cache: {} } }));
    const filled = await front.send({});
    expect(filled.all('set-cookie')).toHaveLength(1);
    const hit = await front.send({});
    expect(hit.header('cache-status')).toContain('hit');
    expect([hit.text, hit.all('set-cookie')]).toEqual(['page', []]);
    expect(shop.requests).toBe(1);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a session that moved stays where it went when its endpoint is back',
  async (stage) => {
    const shops = await twoShops(stage);
    const front = await stage.gateway(forwardTo(shops, STICKY));
    const first = await front.send({});
    const left = shops.find((shop) => shop.requests === 1) ?? shops[0];
    await byHand(front.gateway, 'disable', left);
    const moved = await front.send({ headers: ['Cookie', sessionOf(first)] });
    await byHand(front.gateway, 'enable', left);
    for (let i = 0; i < 3; i += 1) {
      expect((await front.send({ headers: ['Cookie', sessionOf(moved)] })).text).toBe(moved.text);
    }
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a request of a session is never hedged, since elsewhere it would be of another one',
  async (stage) => {
    const release = Promise.withResolvers<void>();
    const slow = { wait: release.promise };
    const [one, two] = await Promise.all(
      ['one', 'two'].map((body) =>
        stage.origin({ scripts: [[{ respond: 200, body }], ['read head', slow, { respond: 200, body }]] }),
      ),
    );
    const clock = new ManualClock();
    const route = { retry: { hedge: { minimum: '50ms' } } };
    const front = await stage.gateway(forwardTo([one, two] as [Origin, Origin], { ...STICKY, route }), { clock });
    const connection = await front.connect();
    // So many it takes to know what is usual.
    for (let i = 0; i < 199; i += 1) await connection.send({});
    const session = sessionOf(await connection.send({}));
    for (const shop of [one, two]) shop?.endConnections();
    for (const shop of [one, two]) await shop?.idle();
    const hedges = (): number => front.gateway.status().pools[0]?.retries.made['hedge'] ?? 0;
    const held = await front.begin({ headers: ['Cookie', session] });
    await two?.request(100);
    clock.advance(60);
    expect(hedges()).toBe(0);
    const free = await front.begin({});
    await one?.request(100);
    clock.advance(60);
    expect(hedges()).toBe(1);
    release.resolve();
    expect([(await held.reply()).text, (await free.reply()).status]).toEqual(['two', 200]);
  },
  { without: ONE_PROTOCOL },
);

matrix('an endpoint with weight 0 keeps its sessions and gets no new ones', async (stage) => {
  const shops = await twoShops(stage);
  const before = await stage.gateway(forwardTo(shops, STICKY));
  const first = await before.send({});
  const leaving = shops.findIndex((shop) => shop.requests === 1);
  const endpoints = shops.map(({ port }, i) => ({ address: `127.0.0.1:${port}`, weight: i === leaving ? 0 : 1 }));
  const after = await stage.gateway(forwardTo(shops, { pool: { ...STICKY.pool, endpoints } }));
  expect((await after.send({ headers: ['Cookie', sessionOf(first)] })).text).toBe(first.text);
  for (let i = 0; i < 3; i += 1) expect((await after.send({})).text).not.toBe(first.text);
});

function twoShops({ origin }: Stage): Promise<readonly [Origin, Origin]> {
  return Promise.all([
    origin({ script: [{ respond: 200, body: 'one' }] }),
    origin({ script: [{ respond: 200, body: 'two' }] }),
  ]);
}

/** `name=value` of the one cookie that a reply sets. */
function sessionOf(reply: Reply): string {
  const cookies = reply.all('set-cookie');
  expect(cookies).toHaveLength(1);
  return (cookies[0] as string).split(';')[0] as string;
}
