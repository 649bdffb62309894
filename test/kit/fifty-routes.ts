import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { type LoadResult, loadConfig } from '../../src/config/load.ts';
import type { ClientRequest } from './client.ts';

/** One route of a site, and a request that is its alone. Each has a pool of its own, which is told as the host. */
export interface SiteRoute {
  readonly config: Readonly<Record<string, unknown>>;
  readonly pool: string;
  readonly request: Required<Pick<ClientRequest, 'method' | 'path' | 'authority' | 'headers'>>;
}

const GET = { method: 'GET', authority: 'shop.test', headers: [] };

type Shape = (i: number) => { readonly config: object; readonly request: Partial<SiteRoute['request']> };

/** Ten ways to write a route. No two routes of a site hold for the same request, and none is less specific than a route for everything. */
const SHAPES: readonly Shape[] = [
  (i) => ({ config: { match: { path: `/r${i}/**` } }, request: { path: `/r${i}/x` } }),
  (i) => ({
    config: { match: { host: `h${i}.test`, path: '/**' } },
    request: { authority: `h${i}.test`, path: '/x' },
  }),
  (i) => ({
    config: { match: { path: `/r${i}`, method: ['GET', 'PUT'] }, timeouts: { head: '5s' } },
    request: { path: `/r${i}`, method: 'PUT' },
  }),
  (i) => ({
    config: { match: { path: `/r${i}/**`, headers: { 'X-A': { regex: '^b' }, 'X-B': { absent: true } } } },
    request: { path: `/r${i}/x`, headers: ['X-A', 'bc'] },
  }),
  (i) => ({
    config: { match: { path: `/r${i}/**`, query: { a: '1' }, client: ['127.0.0.0/8', '192.0.2.0/24'] } },
    request: { path: `/r${i}/x?a=1` },
  }),
  (i) => ({
    config: { match: { host: [`*.h${i}.test`, `i${i}.test`] }, requestHeaders: { set: { 'X-Path': '{path}' } } },
    request: { authority: `a.h${i}.test`, path: '/x' },
  }),
  (i) => ({
    config: { match: { path: `/r${i}/{id}` }, rewrite: { path: '/item/{id}' }, query: { add: { a: '{id}' } } },
    request: { path: `/r${i}/7` },
  }),
  (i) => ({
    config: {
      match: { path: `/r${i}/**` },
      cache: { bypass: [{ cookies: { a: 'b' } }], purge: { from: ['10.0.0.1'] } },
    },
    request: { path: `/r${i}/x` },
  }),
  (i) => ({
    config: {
      match: { path: `/r${i}/**`, any: [{ method: 'GET' }, { not: { headers: { 'X-A': { present: true } } } }] },
      ...{ retry: { attempts: 2, backoff: { base: '10ms' } }, limits: { body: '1k' }, priority: 3 },
    },
    request: { path: `/r${i}/x` },
  }),
  (i) => ({
    config: { match: { path: `/r${i}/**` }, listeners: ['web'], responseHeaders: { remove: ['Server'] } },
    request: { path: `/r${i}/x` },
  }),
];

/** Fifty routes, ten of each five alike but for what tells them apart. */
export const fiftyRoutes: readonly SiteRoute[] = Array.from({ length: 50 }, (_, i) => {
  const { config, request } = (SHAPES[i % SHAPES.length] as Shape)(i);
  const pool = `p${i}`;
  const deed = i % 20 === 3 ? { split: [{ pool, weight: 1 }] } : { pool };
  return { config: { name: `r${i}`, ...config, ...deed }, pool, request: { path: '/', ...GET, ...request } };
});

const BLOCKS = fiftyRoutes.map(({ config }) => blockOf(config));

/** How one route is spoilt: a value anywhere in it, a key, or its text. */
export type Mutation =
  | { readonly kind: 'data'; readonly where: number; readonly deed: Deed }
  | { readonly kind: 'text'; readonly where: number; readonly garbage: string };

type Deed =
  | { readonly kind: 'drop' | 'list' | 'nest' | 'twice' }
  | { readonly kind: 'rename'; readonly to: string }
  | { readonly kind: 'value'; readonly to: unknown };

const NAMES = [
  'match',
  'path',
  'hots',
  'pth',
  'chache',
  'pool',
  'respond',
  'x',
  '',
  'é',
  '__proto__',
  '0',
  'listeners',
];
const VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 1e21, '', 'x', 'a b', '-', 'nobody', 'yes', '5 sec', '1k', '{x}', '{', '(', '*'],
  ...['/', '/**', '/a/**/b', '/{a}/{a}', '10.0.0.0/99', 'web', 'p0', `\${NOBODY}`, 'x'.repeat(300)],
  ...[[], {}, [null], [[]], { x: 1 }, { regex: '(' }, { regx: 'a' }, { path: 1 }, ['a b', 'c.test'], [{ pool: 'p1' }]],
];
const GARBAGE = [
  ...[
    'garbage',
    'key: value',
    '- item',
    '? x',
    ': : :',
    '{',
    '[',
    '"',
    "'",
    '|',
    '&a b',
    '*a',
    '!tag x',
    '%',
    '@',
    '`',
  ],
  ...[
    '\t',
    '<<: *x',
    'x: |',
    '#',
    '...',
    '---',
    `x: \${NOBODY}`,
    'match: {}',
    'pool: nobody',
    'host: b.test',
    '\u0000',
  ],
];

const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.constantFrom<Deed>({ kind: 'drop' }, { kind: 'list' }, { kind: 'nest' }, { kind: 'twice' }),
  fc.constantFrom(...NAMES).map((to): Deed => ({ kind: 'rename', to })),
  fc.constantFrom(...VALUES).map((to): Deed => ({ kind: 'value', to })),
);

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('data' as const), where: fc.nat(1000), deed }) },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ kind: fc.constant('text' as const), where: fc.nat(1000), garbage: fc.constantFrom(...GARBAGE) },
    }),
  },
);

/** The text of the whole configuration; `mutant` spoils the route with that number. */
export function siteText(
  endpoint: string,
  mutant: { readonly index: number; readonly mutation: Mutation } | null = null,
): string {
  const pools = Object.fromEntries(
    fiftyRoutes.map(({ pool }) => [pool, { endpoints: [endpoint], host: `${pool}.test` }]),
  );
  const head = { admin: { port: 0 }, listeners: { web: { port: 0, address: '127.0.0.1' } }, pools };
  const routes = fiftyRoutes.map(({ config }, index) =>
    mutant?.index === index ? mutated(config, mutant.mutation) : BLOCKS[index],
  );
  return `${stringify(head)}routes:\n${routes.join('')}`;
}

/** What `siteText` gives, as it is loaded from `file`. */
export function loadSite(file: string, text: string): LoadResult {
  writeFileSync(file, text);
  return loadConfig(file, {});
}

function blockOf(route: unknown): string {
  return stringify([route], { lineWidth: 0 })
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}\n`))
    .join('');
}

function mutated(route: object, { where, ...mutation }: Mutation): string {
  if (mutation.kind === 'data') {
    const copy = structuredClone(route) as Record<string, unknown>;
    const places = placesIn(copy);
    const place = places[where % places.length] as Place;
    if (mutation.deed.kind === 'twice') return doubled(blockOf(route), where);
    spoil(place, mutation.deed);
    return blockOf(copy);
  }
  const lines = blockOf(route).split('\n').slice(0, -1);
  const at = 1 + (where % lines.length);
  const indent = /^[ -]*/.exec(lines[at - 1] ?? '')?.[0].length ?? 4;
  lines.splice(at, 0, `${' '.repeat(indent)}${mutation.garbage}`);
  return `${lines.join('\n')}\n`;
}

/** One line with a key is there twice. */
function doubled(block: string, where: number): string {
  const lines = block.split('\n').slice(0, -1);
  const scalars = lines.flatMap((line, index) => (/^ {4}\w+: \S/.test(line) ? [index] : []));
  const at = scalars[where % Math.max(1, scalars.length)];
  if (at !== undefined) lines.splice(at, 0, lines[at] ?? '');
  return `${lines.join('\n')}\n`;
}

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

function placesIn(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => [{ holder, key }, ...placesIn(holder[key])]);
}

function spoil({ holder, key }: Place, deed: Exclude<Deed, { kind: 'twice' }>): void {
  const value = holder[key];
  if (deed.kind === 'list') holder[key] = [value];
  else if (deed.kind === 'nest') holder[key] = { [key]: value };
  else if (deed.kind === 'value') holder[key] = deed.to;
  else {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
    if (deed.kind === 'rename' && !Array.isArray(holder)) {
      Object.defineProperty(holder, deed.to, { value, enumerable: true, configurable: true, writable: true });
    }
  }
}
