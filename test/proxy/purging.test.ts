import { expect } from 'vitest';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import { type FickleOrigin, fickleOrigin, type Mood } from '../kit/fickle-origin.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { cacheFacts, purge } from '../kit/purge.ts';

const page = (body: string, over: Readonly<Record<string, string>> = {}): Mood => ({
  status: 200,
  headers: { 'cache-control': 'max-age=60', etag: `"${body}"`, ...over },
  body,
});

function cached(shop: FickleOrigin, over: Forwarding = {}) {
  return forwardTo(shop, { ...over, route: { cache: true, ...over.route } });
}

/** Resolves `release` to let an endpoint's answer go. */
function held(mood: Mood): { readonly mood: Mood; readonly release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { mood: { after: promise, mood }, release: resolve };
}

matrix('what was purged softly is validated, and what was purged hard is fetched anew', async ({ gateway }) => {
  const shop = await fickleOrigin('http1', [page('one'), { status: 304, headers: { etag: '"one"' } }, page('two')]);
  const front = await gateway(cached(shop));
  const url = `${front.gateway.url()}/a`;
  await front.send({ path: '/a', headers: [] });
  const host = shop.arrivals[0]?.headers['host'];
  const stored = `${new URL(url).protocol}//${host}/a`;
  expect(await purge(front.gateway, { url: stored })).toEqual({
    status: 200,
    body: { kind: 'url', mode: 'soft', purged: 1 },
  });
  expect((await front.send({ path: '/a' })).header('cache-status')).toMatch(
    /^headgate; fwd=stale; fwd-status=304; stored/,
  );
  expect(await purge(front.gateway, { url: stored, hard: true })).toMatchObject({ body: { mode: 'hard', purged: 1 } });
  const anew = await front.send({ path: '/a' });
  expect([anew.text, anew.header('cache-status')]).toEqual(['two', 'headgate; fwd=uri-miss; fwd-status=200; stored']);
});

matrix('a purge by tag, prefix or host takes what it means and leaves the rest', async ({ gateway }) => {
  const shop = await fickleOrigin('http1', [
    page('p', { 'cache-tag': 'product-7,list' }),
    page('q', { 'surrogate-key': 'product-8 list' }),
    page('r'),
    page('new'),
  ]);
  const front = await gateway(cached(shop));
  for (const path of ['/p', '/q', '/r']) {
    const reply = await front.send({ path });
    expect([reply.header('cache-tag'), reply.header('surrogate-key')]).toEqual([null, null]);
  }
  expect((await purge(front.gateway, { tag: 'product-7', hard: true })).body).toMatchObject({ kind: 'tag', purged: 1 });
  expect((await front.send({ path: '/q' })).text).toBe('q');
  expect((await purge(front.gateway, { tags: ['product-8', 'other'], hard: true })).body).toMatchObject({ purged: 1 });
  expect((await front.send({ path: '/r' })).text).toBe('r');
  const origin = `${new URL(front.gateway.url()).protocol}//${shop.arrivals[0]?.headers['host']}`;
  expect((await purge(front.gateway, { prefix: `${origin}/x`, hard: true })).body).toMatchObject({ purged: 0 });
  expect((await purge(front.gateway, { host: 'elsewhere.test', hard: true })).body).toMatchObject({ purged: 0 });
  expect((await purge(front.gateway, { host: shop.arrivals[0]?.headers['host'], hard: true })).body).toMatchObject({
    purged: 1,
  });
  expect((await front.send({ path: '/r' })).text).toBe('new');
  expect((await purge(front.gateway, { all: true })).body).toEqual({ kind: 'all', mode: 'soft', purged: 1 });
});

for (const [what, order] of [
  ['everything', { all: true }],
  ['its tag', { tag: 't' }],
  ['everything, hard', { all: true, hard: true }],
] as const) {
  matrix(
    `an answer that was asked for before a purge of ${what} reaches its client, and is not stored`,
    async ({ gateway }) => {
      const { mood, release } = held(page('old', { 'cache-tag': 't' }));
      const shop = await fickleOrigin('http1', [mood, page('new')]);
      const front = await gateway(cached(shop));
      const first = front.send({ path: '/a' });
      await shop.arrival(0);
      await purge(front.gateway, order);
      release();
      expect((await first).text).toBe('old');
      expect((await front.send({ path: '/a' })).text).toBe('new');
      expect((await front.send({ path: '/a' })).header('cache-status')).toMatch(/^headgate; hit/);
      const { body } = await cacheFacts(front.gateway, '/cache');
      expect(body['routes']).toMatchObject([{ route: 'all', notStored: { invalidated: 1 }, stored: 1, filling: 0 }]);
    },
  );
}

for (const [what, order] of [
  ['everything', { all: true }],
  ['its tag', { tag: 't' }],
] as const) {
  matrix(
    `a request that comes after a purge of ${what} does not share in an answer that was asked for before`,
    async ({ gateway }) => {
      const { mood, release } = held(page('old', { 'cache-tag': 't' }));
      const shop = await fickleOrigin('http1', [mood, page('new')]);
      const front = await gateway(cached(shop));
      const first = front.send({ path: '/a' });
      await shop.arrival(0);
      await purge(front.gateway, order);
      const second = front.send({ path: '/a' });
      release();
      expect((await first).text).toBe('old');
      expect((await second).text).toBe('new');
      expect(shop.requests).toBe(2);
    },
  );
}

matrix('what the endpoint confirms after a purge stays stale', async ({ gateway }) => {
  const clock = new ManualClock(Date.now());
  const { mood, release } = held({ status: 304, headers: { etag: '"one"', 'cache-control': 'max-age=60' } });
  const shop = await fickleOrigin('http1', [page('one'), mood, page('two')]);
  const front = await gateway(cached(shop), { clock });
  await front.send({ path: '/a' });
  clock.advance(61_000);
  const validated = front.send({ path: '/a' });
  await shop.arrival(1);
  await purge(front.gateway, { all: true });
  release();
  expect((await validated).text).toBe('one');
  expect((await front.send({ path: '/a' })).text).toBe('two');
});

matrix('what was purged softly is served while it is refreshed, where that is allowed', async ({ gateway }) => {
  const shop = await fickleOrigin('http1', [
    page('one', { 'cache-control': 'max-age=60, stale-while-revalidate=60' }),
    page('two'),
  ]);
  const front = await gateway(cached(shop));
  await front.send({ path: '/a' });
  await purge(front.gateway, { all: true });
  const stale = await front.send({ path: '/a' });
  expect(stale.text).toBe('one');
  await front.gateway.nextRecord();
  expect((await front.gateway.nextRecord()).cache?.result).toBe('stale-while-revalidate');
  await shop.arrival(1);
});

matrix(
  'stored responses are listed by URL, a page at a time, and one is inspected without its secrets',
  async ({ gateway }) => {
    const shop = await fickleOrigin('http1', [
      page('a', { vary: 'Cookie', 'set-cookie': 'id=1', 'x-session-token': 'secret', 'cache-tag': 't' }),
      page('b'),
      page('c'),
    ]);
    const front = await gateway(cached(shop, { route: { cache: { setCookie: ['id'] } } }));
    await front.send({ path: '/a', headers: ['Cookie', 'secret=1'] });
    await front.send({ path: '/b' });
    await front.send({ path: '/c' });
    const one = (await cacheFacts(front.gateway, '/cache/entries?limit=2')).body as unknown as Listing;
    expect(one.entries.map(({ url }) => new URL(url).pathname)).toEqual(['/a', '/b']);
    expect(one.entries[0]).toMatchObject({
      status: 200,
      route: 'all',
      tags: ['t'],
      vary: { cookie: '(left out)' },
      length: 1,
    });
    const two = (await cacheFacts(front.gateway, `/cache/entries?after=${encodeURIComponent(one.next ?? '')}`))
      .body as unknown as Listing;
    expect([two.entries.map(({ url }) => new URL(url).pathname), two.next]).toEqual([['/c'], null]);
    const tagged = (await cacheFacts(front.gateway, '/cache/entries?tag=t')).body as unknown as Listing;
    expect(tagged.entries).toHaveLength(1);
    const inspected = await cacheFacts(
      front.gateway,
      `/cache/entries?url=${encodeURIComponent(tagged.entries[0]?.url ?? '')}`,
    );
    const [variant] = inspected.body['variants'] as { headers: [string, string][] }[];
    expect(variant?.headers.map(([name, value]) => `${name.toLowerCase()}: ${value}`)).toContain(
      'set-cookie: (left out)',
    );
    expect(JSON.stringify(inspected.body)).not.toMatch(/secret|id=1/);
  },
  { without: ONE_PROTOCOL },
);

interface Listing {
  readonly entries: readonly { readonly url: string }[];
  readonly next: string | null;
}

matrix(
  'what can not be purged is said, and nothing is',
  async ({ gateway }) => {
    const shop = await fickleOrigin('http1', [page('a')]);
    const front = await gateway(cached(shop));
    await front.send({});
    for (const [order, error] of [
      [{}, 'bad-request'],
      [{ url: 'http://a/', all: true }, 'bad-request'],
      [{ all: false }, 'bad-request'],
      [{ all: true, hard: 1 }, 'bad-request'],
      [{ everything: true }, 'bad-request'],
      [{ url: '/a' }, 'bad-url'],
      [{ url: 'ftp://a/' }, 'bad-url'],
      [{ prefix: 'a' }, 'bad-prefix'],
      [{ host: 'a/b' }, 'bad-host'],
      [{ tag: 'a b' }, 'bad-tag'],
      [{ tags: [] }, 'bad-tag'],
      [{ tags: ['a', 1] }, 'bad-request'],
    ] as const) {
      expect(await purge(front.gateway, order)).toMatchObject({ status: 400, body: { error } });
    }
    expect((await cacheFacts(front.gateway, '/cache')).body).toMatchObject({ entries: 1, purged: [] });
    expect((await cacheFacts(front.gateway, '/cache/entries?limit=0')).status).toBe(400);
    expect((await cacheFacts(front.gateway, '/cache/entries?url=x')).status).toBe(400);
  },
  { without: ONE_PROTOCOL },
);
