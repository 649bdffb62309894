import fc from 'fast-check';
import { compileOnly } from '../../../src/cli/compile-only.ts';
import { configFromObject, type Loaded } from '../../../src/config/load.ts';
import type { ConfigInput } from '../../../src/config/schema/config.ts';
import type { Snapshot } from '../../../src/engine/snapshot.ts';

// Few names and values on purpose, and requests made of what configurations are made of: what matters is what nearly fits.

type RouteInput = NonNullable<ConfigInput['routes']>[number];

const LISTENERS = {
  web: { port: 8080, limits: { bodyBytes: 1000 } },
  tls: { port: 443, tls: { hsts: true }, underscores: 'keep' },
  old: { port: 80, redirectTo: 'tls' },
  strict: {
    port: 8081,
    path: { dotSegments: 'refuse', duplicateSlashes: 'refuse', encodedSlash: 'keep', backslash: 'keep' },
    underscores: 'refuse',
  },
} as const satisfies ConfigInput['listeners'];

const POOLS = {
  one: { endpoints: ['10.0.0.1:80'] },
  turns: { endpoints: ['10.0.1.1:80', '10.0.1.2:80', '10.0.1.3:80'], host: 'endpoint' },
  hashed: { endpoints: ['10.0.2.1:80', '10.0.2.2:80'], balance: { hash: { header: 'X-A' } }, host: 'inner.test' },
  byClient: { endpoints: ['10.0.3.1:80', '10.0.3.2:80', '10.0.3.3:80'], balance: 'source-ip' },
  sessions: { endpoints: ['10.0.4.1:80', '10.0.4.2:80'], affinity: { header: 'X-Session' } },
} as const satisfies ConfigInput['pools'];

const value = fc.constantFrom('a', 'b', 'ab');
const test = fc.oneof(
  value,
  fc.constantFrom({ present: true } as const, { absent: true } as const, { regex: '^a' }, { prefix: 'a' }),
);
const path = fc.constantFrom<string | { readonly regex: string } | { readonly exact: string }>(
  ...['/', '/a', '/a/**', '/a/{x}', '/a/{x}/**', '/users/{id}', '/users/{rest...}', '/b/**', '/{any}/b', '/**'],
  { regex: '^/(a|b)/[0-9]+$' },
  { exact: '/a/b' },
);

const conditions = {
  host: fc.constantFrom('shop.test', '*.shop.test', ['x.test', 'shop.test'], '[::1]'),
  path,
  method: fc.constantFrom('GET', ['GET', 'HEAD'], 'POST', 'PUT'),
  headers: fc.dictionary(fc.constantFrom('X-A', 'x-b'), test, { minKeys: 1, maxKeys: 2 }),
  query: fc.dictionary(fc.constantFrom('q', 'r'), test, { minKeys: 1, maxKeys: 1 }),
  cookies: fc.dictionary(fc.constantFrom('c', 'd'), test, { minKeys: 1, maxKeys: 1 }),
  client: fc.constantFrom('10.0.0.0/8', ['192.0.2.7', '2001:db8::/32']),
  sni: fc.constantFrom('shop.test', '*.shop.test'),
};

const nested = {
  not: fc.record({ path }),
  any: fc.tuple(fc.record({ path }), fc.record({ method: conditions.method })),
};

/** Two conditions at most: with more of them hardly a request would fit. */
const match = fc
  .tuple(
    fc.record({ ...conditions, ...nested }),
    fc.subarray([...Object.keys(conditions), ...Object.keys(nested)], { maxLength: 2 }),
  )
  .map(([all, keys]) =>
    Object.fromEntries(Object.entries(all).filter(([key]) => key === 'path' || keys.includes(key))),
  );

const edits = fc.record(
  {
    set: fc.constantFrom({ 'X-Id': '{query.q}' }, { 'X-B': 'set-{header.X-A}' }, { Authorization: 'Basic x' }),
    add: fc.constantFrom({ 'X-A': 'added' }, { 'X-Client': '{client.address}' }),
    remove: fc.constantFrom(['X-A'], ['Cookie']),
  },
  { requiredKeys: [] },
);

const forwarding = fc.record(
  {
    rewrite: fc.constantFrom<RouteInput['rewrite']>(
      { path: '/new{path}' },
      { regex: 'a', replace: 'z$0' },
      { path: '/fixed/{query.q}' },
    ),
    query: fc.constantFrom<RouteInput['query']>(
      { set: { q: '{method}' } },
      { remove: ['q'], add: { z: '{header.X-A}' } },
    ),
    requestHeaders: edits,
    limits: fc.constant({ body: 100 }),
    cache: fc.constantFrom<RouteInput['cache']>(
      true,
      { key: { query: { keep: ['q'] }, headers: ['X-A'], cookies: ['c'], encodings: ['gzip'] } },
      { bypass: [{ headers: { 'X-B': { present: true } } }], defaultTtl: '1m', ranges: 'whole' },
      { purge: { from: ['10.0.0.0/8'] }, collapse: false, ignoreClientNoCache: true },
    ),
  },
  { requiredKeys: [] },
);

const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ pool: fc.constantFrom(...Object.keys(POOLS)) }) },
  {
    weight: 2,
    arbitrary: fc.record(
      {
        split: fc.constant([
          { pool: 'one', weight: 3 },
          { pool: 'turns', weight: 1 },
        ]),
        sticky: fc.constantFrom<RouteInput['sticky']>({ by: 'client' }, { by: { header: 'X-A' } }, true),
      },
      { requiredKeys: ['split'] },
    ),
  },
);

const answer = fc.oneof(
  fc.constantFrom<Partial<RouteInput>>(
    { redirect: { to: 'https://{host}/new{path}', status: 308 } },
    { redirect: { to: '/fixed', keepQuery: false } },
    { respond: { status: 418, body: 'short {path}', headers: { 'X-R': '{query.q}' } } },
  ),
);

const route: fc.Arbitrary<RouteInput> = fc
  .tuple(
    fc.record(
      {
        match,
        priority: fc.integer({ min: -1, max: 1 }),
        listeners: fc.constantFrom(['web', 'strict'], ['tls', 'web']),
        responseHeaders: fc.constant({ set: { 'X-Frame-Options': 'DENY' } }),
      },
      { requiredKeys: ['match'] },
    ),
    fc.oneof(
      { weight: 4, arbitrary: fc.tuple(action, forwarding) },
      { weight: 1, arbitrary: answer.map((one) => [one, {}] as const) },
    ),
  )
  .map(([shape, [deed, rest]]) => withoutChance({ ...shape, ...deed, ...rest } as RouteInput));

/** What is stored for one pool of a split is not found for another: where chance chooses, nobody can foretell that. */
function withoutChance(given: RouteInput): RouteInput {
  const { cache, ...rest } = given;
  const isSettled = given.split === undefined || JSON.stringify(given.sticky) === '{"by":"client"}';
  return isSettled ? given : rest;
}

export interface World {
  readonly loaded: Loaded;
  readonly snapshot: Snapshot;
}

/** Configurations that are accepted: routes that another one hides are left out. */
export function worlds(count: number, seed: number): readonly World[] {
  return fc.sample(fc.array(route, { minLength: 4, maxLength: 10 }), { numRuns: count, seed }).map((routes) => {
    const kept: RouteInput[] = [];
    let world = worldOf([]);
    for (const one of routes) {
      const next = worldOf([...kept, { ...one, name: `r${kept.length}` }]);
      if (next === null) continue;
      kept.push({ ...one, name: `r${kept.length}` });
      world = next;
    }
    if (world === null) throw new Error('A configuration without routes is accepted');
    return world;
  });
}

function worldOf(routes: readonly RouteInput[]): World | null {
  const loaded = configFromObject({ listeners: LISTENERS, pools: POOLS, routes });
  const compiled = loaded.ok ? compileOnly(loaded) : null;
  return loaded.ok && compiled?.ok === true ? { loaded, snapshot: compiled.snapshot } : null;
}

export interface Sent {
  readonly listener: keyof typeof LISTENERS;
  readonly method: string;
  readonly authority: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly client: string;
  readonly bodyBytes: number;
}

/** mulberry32: fast enough for a hundred thousand requests, unlike an arbitrary. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const FIELDS: readonly (readonly [name: string, values: readonly string[]])[] = [
  ['X-A', ['a', 'b', 'ab', '', 'ä']],
  ['x-b', ['a', 'b', 'x']],
  ['X-Session', ['s1', 's2']],
  ['X_Under', ['a']],
  ['Cookie', ['c=a', 'c=b; d=a', 'd=ab', 'c="a"']],
  ['Authorization', ['Bearer mine']],
  ['Cache-Control', ['no-cache', 'no-store', 'only-if-cached', 'max-age=0', 'max-stale']],
  ['Via', ['1.1 headgate', '1.1 headgate, 1.1 headgate, 1.1 headgate, 1.1 headgate', '1.0 other']],
  ['Connection', ['X-A', 'close', 'keep-alive, x-b']],
  ['Upgrade', ['websocket', 'h2c']],
  ['Max-Forwards', ['0', '3']],
  ['Range', ['bytes=0-9']],
  ['If-None-Match', ['"v1"', '"v0"']],
  ['If-Match', ['"v1"']],
  ['Accept-Encoding', ['gzip, br', 'br']],
  ['X-Forwarded-For', ['203.0.113.9']],
  ['X-Purge-Mode', ['hard', 'soft', 'odd']],
  ['Accept', ['text/html', '*/*']],
  ['Content-Type', ['application/grpc', 'text/plain']],
];

const METHODS = ['GET', 'GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'PURGE', 'OPTIONS', 'TRACE', 'DELETE'];
const SEGMENTS = [
  ...Array.from({ length: 5 }, () => ['a', 'b', 'users', '7', '42']).flat(),
  '%61',
  'a%2fb',
  'a%5Cb',
  '..',
  '.',
  '',
  'ä',
  '%zz',
  'a;x',
  '%20',
  '..;',
  'A',
];
const QUERIES = ['', '', '?q=a', '?q=b&r=a', '?r=ab&q=a', '?', '?q=%61', '?z=1&q=a&q=b', '?a b'];
const HOSTS = [
  'shop.test',
  'shop.test',
  'SHOP.test',
  'shop.test.',
  'eu.shop.test',
  'x.test',
  'other.test',
  '[::1]',
  '192.0.2.1',
];
const CLIENTS = ['10.1.2.3', '192.0.2.7', '127.0.0.1', '2001:db8::7'];

/** A request that may fit what is configured. */
export function requestBy(random: () => number): Sent {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const segments = Array.from({ length: Math.floor(random() * 4) }, () => pick(SEGMENTS));
  const headers: Record<string, string> = {};
  for (let left = Math.floor(random() * 4); left > 0; left -= 1) {
    const [name, values] = pick(FIELDS);
    headers[name] = pick(values);
  }
  const port = random() < 0.2 ? pick([':8080', ':443', ':80', ':9']) : '';
  const method = pick(METHODS);
  const isPlain = method === 'OPTIONS' && random() < 0.1;
  return {
    listener: pick(['web', 'web', 'web', 'web', 'tls', 'tls', 'strict', 'old'] as const),
    method,
    authority: pick(HOSTS) + port,
    target: isPlain ? '*' : `/${segments.join('/')}${random() < 0.2 ? '/' : ''}${pick(QUERIES)}`,
    headers,
    client: pick(CLIENTS),
    bodyBytes: method === 'POST' || random() < 0.05 ? pick([0, 10, 500, 5000]) : 0,
  };
}
