import { expect, test } from 'vitest';
import { mistakesIn } from '../../../src/cli/compile-only.ts';
import { configFromObject } from '../../../src/config/load.ts';

function mistakes(cache: object, rest: object = {}): readonly string[] {
  const input = {
    listeners: { web: { port: 0 } },
    pools: { shop: { endpoints: ['h:1'] } },
    routes: [{ pool: 'shop', cache }],
    ...rest,
  };
  const diagnostics = mistakesIn(configFromObject(input as Parameters<typeof configFromObject>[0]));
  return diagnostics.map(({ message, suggestion }) => (suggestion === null ? message : `${message}; ${suggestion}`));
}

test.each<[string, object]>([
  [
    'everything',
    {
      defaultTtl: { 200: '1h', 404: '10s', '5xx': '1s', any: '1m' },
      overrideTtl: '5m',
      ignore: ['no-cache', 'private'],
      ignoreClientNoCache: true,
      setCookie: ['lang'],
      key: {
        query: { sort: true, drop: ['utm_*'] },
        headers: ['X-Tenant'],
        cookies: ['lang'],
        encodings: ['br', 'gzip'],
      },
      bypass: [{ cookies: { session: { present: true } } }, { client: '10.0.0.0/8', path: '/a/**' }],
      objectSize: '1M',
    },
  ],
  ['no query', { key: { query: false } }],
  ['no coding', { key: { encodings: [] } }],
])('%s is understood', (_name, cache) => {
  expect(mistakes(cache)).toEqual([]);
});

test.each<[string, object, string | RegExp]>([
  ['a misspelt key', { defaultTTL: '1m', setCookie: 'strip' }, /defaultTtl/],
  ['a key of before', { storeSetCookie: true }, /storeSetCookie/],
  ['a status that is none', { defaultTtl: { 2000: '1h' } }, /status/],
  ['a class that is none', { defaultTtl: { '6xx': '1h' } }, /status/],
  ['a status that is never stored', { overrideTtl: { 304: '1h' } }, /304 is never stored/],
  [
    'a lifetime that is none',
    { defaultTtl: { 200: '1 hour' } },
    /“1 hour” is not a duration|"1 hour" is not a duration/,
  ],
  ['keep and drop', { key: { query: { keep: ['a'], drop: ['b'] } } }, /keep leaves out every other parameter/],
  ['nothing about the query', { key: { query: {} } }, /say what to do with the query/],
  ['nothing about the key', { key: {} }, /say what is different about the key/],
  ['a star in the middle', { key: { query: { drop: ['utm_*_x'] } } }, /a parameter/],
  ['a star alone', { key: { query: { keep: ['*'] } } }, /a parameter/],
  ['the host', { key: { headers: ['Host'] } }, /Host can’t be part of the key: the host is in the key already/],
  ['all cookies', { key: { headers: ['Cookie'] } }, /name those that count under “cookies”/],
  ['what Headgate writes', { key: { headers: ['X-Forwarded-For'] } }, /Headgate writes it anew/],
  ['a coding that is none', { key: { encodings: ['bzip'] } }, /gzip/],
  ['a directive that can’t be ignored', { ignore: ['max-age'] }, /no-cache/],
  ['what to do with cookies', { setCookie: 'stripp' }, /strip/],
  ['a network that is none', { bypass: [{ client: '10.0.0.0/99' }] }, /10\.0\.0\.0\/99/],
  ['a client of PURGE that is none', { purge: { from: ['10.0.0.0/8', '10.0.0.999'] } }, /10\.0\.0\.999/],
  ['PURGE for nobody', { purge: { from: [] } }, /from/],
  ['a match that is none', { bypass: [{ cookie: { a: 'b' } }] }, /cookies/],
])('%s is refused', (_name, cache, message) => {
  const found = mistakes(cache);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(message);
});

test('a route can’t store what the store does not take', () => {
  expect(mistakes({ objectSize: '2M' }, { cache: { objectSize: '1M' } })).toEqual([
    'the store takes nothing this large: cache.objectSize is smaller',
  ]);
});
