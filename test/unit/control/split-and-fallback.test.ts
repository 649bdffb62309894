import { expect, test } from 'vitest';
import { mistakesIn } from '../../../src/cli/compile-only.ts';
import { configFromObject } from '../../../src/config/load.ts';
import type { ConfigInput } from '../../../src/config/schema/config.ts';

type Route = NonNullable<ConfigInput['routes']>[number];

function mistakes(route: Route): readonly string[] {
  const loaded = configFromObject({
    listeners: { web: { port: 0 } },
    pools: { v1: { endpoints: ['h:1'] }, v2: { endpoints: ['h:2'] } },
    routes: [route],
  });
  return mistakesIn(loaded).map(({ message }) => message);
}

const halves = [
  { pool: 'v1', weight: 1 },
  { pool: 'v2', weight: 1 },
];

test.each<[string, Route, readonly string[]]>([
  ['a split', { split: halves }, []],
  ['sticky by cookie', { split: halves, sticky: { insert: { secret: 'sixteen letters!', maxAge: '1h' } } }, []],
  ['sticky by address', { split: halves, sticky: { by: 'client' } }, []],
  [
    'a pool beside it',
    { split: halves, pool: 'v1' },
    ['a route has one of pool, split, redirect, respond, not pool and split'],
  ],
  ['a pool that does not exist', { split: [{ pool: 'v3', weight: 1 }] }, ['pool “v3” does not exist']],
  ['a pool twice', { split: [...halves, { pool: 'v1', weight: 3 }] }, ['pool “v1” is in this split already']],
  [
    'no weight at all',
    { split: [{ pool: 'v1', weight: 0 }] },
    ['no pool of this split has a weight above 0: it would lead nowhere'],
  ],
  [
    'sticky without a split',
    { pool: 'v1', sticky: true },
    ['sticky is for a split; sessions at endpoints are “affinity” of the pool'],
  ],
  [
    'a cookie that browsers drop',
    { split: halves, sticky: { insert: { sameSite: 'none', secure: 'never' } } },
    ['browsers drop a cookie with SameSite=None that is not Secure: write secure: auto, or sameSite: lax'],
  ],
  ['fallbacks', { pool: 'v1', cache: true, fallback: [{ pool: 'v2' }, 'stale', { respond: { status: 503 } }] }, []],
  ['fallbacks for some', { pool: 'v1', fallback: { on: ['breaker', 503], steps: [{ pool: 'v2' }] } }, []],
  ['a fallback to nowhere', { pool: 'v1', fallback: [{ pool: 'v3' }] }, ['pool “v3” does not exist']],
  [
    'a fallback to nowhere in the long form',
    { pool: 'v1', fallback: { steps: [{ pool: 'v3' }] } },
    ['pool “v3” does not exist'],
  ],
  [
    'a stale response of what is never stored',
    { pool: 'v1', fallback: ['stale'] },
    ['this route stores nothing that could be stale: add “cache”'],
  ],
  [
    'a fixed response that can’t be one',
    { pool: 'v1', fallback: [{ respond: { status: 204, body: 'x' } }] },
    ['a response with status 204 has no body'],
  ],
  [
    'a fallback of what answers by itself',
    { respond: {}, fallback: [{ pool: 'v1' }] },
    ['fallback is for what is forwarded, and this route answers with respond'],
  ],
])('%s', (_name, route, expected) => {
  expect(mistakes(route)).toEqual(expected);
});
