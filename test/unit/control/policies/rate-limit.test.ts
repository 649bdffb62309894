import { describe, expect, test } from 'vitest';
import { compileOnly, mistakesIn } from '../../../../src/cli/compile-only.ts';
import { configFromObject, loadConfigText } from '../../../../src/config/load.ts';
import type { ConfigInput } from '../../../../src/config/schema/config.ts';
import { rateLimitKind } from '../../../../src/control/policies/rate-limit.ts';

type Policies = Pick<NonNullable<ConfigInput['routes']>[number], 'rateLimit' | 'concurrency'>;

const stores: ConfigInput['stores'] = {
  one: { redis: { url: 'redis://127.0.0.1' } },
  two: { redis: { url: 'rediss://user:hidden@127.0.0.1:6380/1', ca: '/no/such/file.pem' } },
};

/** What is wrong with a route that has these policies, as it is loaded and compiled. */
function mistakes(policies: unknown): readonly string[] {
  const route = { name: 'shop', respond: {}, ...(policies as Policies) };
  const loaded = configFromObject({ listeners: { web: { port: 0 } }, stores, routes: [route] });
  if (!loaded.ok)
    return loaded.diagnostics.map(({ code, message, suggestion }) => `${code} ${message}; ${suggestion ?? ''}`);
  const compiled = compileOnly(loaded, { tolerance: 'strict' });
  return compiled.ok
    ? []
    : compiled.diagnostics.map(({ code, message, suggestion }) => `${code} ${message}; ${suggestion ?? ''}`);
}

describe('a rate limit that can’t work is refused with its reason:', () => {
  test.each<[string, Policies | unknown, string]>([
    ['a rate without a unit', { rateLimit: { rate: '100' } }, 'HG0102 “100” is not a rate; did you mean “100/s”?'],
    [
      'a rate in other words',
      { rateLimit: [{ rate: '5 per minute' }] },
      'HG0102 “5 per minute” is not a rate; did you mean “5/m”?',
    ],
    [
      'a rate that nobody can count',
      { rateLimit: { rate: '2000000/s' } },
      'HG0102 “2000000/s” is not allowed here; 1000000 a second at most',
    ],
    [
      'a cost above the burst',
      { rateLimit: { rate: '10/s', burst: 3, cost: { POST: 4 } } },
      'HG0106 a request that costs 4 would never be let through: the burst is 3; ',
    ],
    [
      'a burst that takes years',
      { rateLimit: { rate: '1/d', burst: 1_000 } },
      'HG0106 a burst of 1000 would take longer than 366d to come back; ',
    ],
    [
      'a key that is the same for all',
      { rateLimit: { rate: '1/s', key: 'client.address' } },
      'did you mean "{client.address}"?',
    ],
    [
      'a key that does not exist',
      { concurrency: { max: 1, key: ['{host}', '{cookies.a}'] } },
      'unknown variable {cookies.a}',
    ],
    ['a capture that the route has not', { rateLimit: { rate: '1/s', key: '{id}' } }, 'unknown variable {id}'],
    [
      'two limits of one name',
      { rateLimit: [{ rate: '1/s' }, { rate: '1/s', name: 'default' }] },
      'HG0104 there are two limits “default”; each needs a name of its own',
    ],
    [
      'a store that does not exist',
      { rateLimit: { rate: '1/s', store: 'three' } },
      'HG0103 store “three” does not exist; there are: one, two',
    ],
    [
      'a store whose CA can’t be read',
      { rateLimit: { rate: '1/s', store: 'two' } },
      'HG0101 cannot use /no/such/file.pem: ENOENT; ',
    ],
    [
      'two stores',
      {
        rateLimit: [
          { rate: '1/s', store: 'one' },
          { rate: '1/s', name: 'b', store: 'two' },
        ],
      },
      'share one store: “one” or “two”',
    ],
    ['no room for anybody', { concurrency: { max: 0 } }, 'HG0102 0 is too small; at least 1'],
    ['another status', { rateLimit: { rate: '1/s', status: 403 } }, '403'],
  ])('%s', (_, policies, mistake) => {
    const found = mistakes(policies);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(mistake);
  });
});

test('limits that can work are compiled, with the phase that their key asks for', () => {
  expect(
    mistakes({
      rateLimit: [
        {
          rate: '100/s',
          burst: 200,
          key: ['{client.address}', '{header.x-tenant}'],
          ipv6Prefix: 56,
          cost: { POST: 5, '*': 0 },
        },
        {
          name: 'user',
          rate: '10/30s',
          key: '{auth.user}',
          withoutKey: 'share',
          status: 503,
          headers: false,
          dryRun: true,
          store: 'one',
        },
        { name: 'all', rate: '1000000/s', key: [], keys: 1 },
      ],
      concurrency: [{ max: 1 }, { max: 5, key: '{jwt.sub}', retryAfter: '5s' }],
    }),
  ).toEqual([]);
});

test.each([
  ['http://127.0.0.1', 'scheme'],
  ['redis://', 'host'],
  ['redis://host:port', 'port'],
  ['redis://host/name', 'database'],
  ['redis://a b', 'blank'],
])('%s is no address of a store (%s)', (url) => {
  const loaded = configFromObject({ stores: { one: { redis: { url } } } });
  expect(loaded.ok ? [] : loaded.diagnostics.map(({ suggestion }) => suggestion)).toEqual([
    expect.stringContaining('redis://host:port'),
  ]);
});

test('explain tells a limit as people do', () => {
  const common = { ipv4Prefix: 32, ipv6Prefix: 64, withoutKey: 'skip', status: 429, headers: true, keys: 1 } as const;
  expect(
    rateLimitKind.words([
      { ...common, rate: { count: 100, periodMs: 1_000 }, key: ['{client.address}'], dryRun: false, cost: 1 },
      {
        ...common,
        name: 'user',
        rate: { count: 10, periodMs: 30_000 },
        burst: 20,
        key: [],
        dryRun: true,
        cost: 2,
        store: 'one',
      },
    ]),
  ).toBe(
    '100/s, 100 at once, by {client.address}; 10/30s, 20 at once, each costs 2, by all requests together (user), only watching, counted at one',
  );
});

test.each(['redis://127.0.0.1:70000', 'redis://127.0.0.1:0', 'redis://[:::]', 'redis://:100%@h', 'redis://%zz:x@h'])(
  'a store whose URL is none is refused with the configuration, and not met by the process later: %s',
  (url) => {
    const loaded = configFromObject({
      listeners: { web: { port: 0 } },
      stores: { one: { redis: { url } } },
      routes: [],
    });
    expect(loaded).toMatchObject({ ok: false, diagnostics: [{ code: 'HG0102' }] });
    expect(JSON.stringify(loaded)).toContain('its port is 1–65535');
  },
);

describe('a mistake in a limit that stands alone, and not in a list, is told where it is:', () => {
  /** `line:column message` of every mistake of a route, whose policies begin at line 5. */
  function places(policies: string, environment: Record<string, string> = {}): readonly string[] {
    const text = `listeners: { web: { port: 0 } }\nroutes:\n  - name: shop\n    respond: {}\n${policies}`;
    const files = new Map([['config.yaml', text]]);
    const loaded = loadConfigText({ path: 'config.yaml', files, included: new Map() }, environment);
    return mistakesIn(loaded).map(({ line, column, message }) => `${line}:${column} ${message}`);
  }

  test.each<[string, string]>([
    ['    rateLimit:\n      rate: 1/s\n      store: one\n', '7:14 store “one” does not exist'],
    ['    rateLimit:\n      rate: 1/s\n      cost: { POST: 4 }\n', '7:21 a request that costs 4'],
    ['    rateLimit:\n      status: 503\n      rate: 1/400d\n', '7:13 a burst of 1 would take'],
    ['    rateLimit:\n      rate: 1/d\n      burst: 400\n', '7:14 a burst of 400 would take'],
    ['    concurrency:\n      max: 1\n      key: client.address\n', '7:12 "client.address" has no {variable}'],
    ['    access:\n      deny:\n        file: /no/such/list\n', '7:15 cannot use /no/such/list: ENOENT'],
  ])('%j', (policies, expected) => {
    expect(places(policies).map((said) => said.slice(0, expected.length))).toEqual([expected]);
  });

  test('and without what a variable of the environment stands for', () => {
    const said = places('    concurrency: { max: 1, key: "${KEY}" }\n', { KEY: 'open sesame' });
    expect(said).toEqual([expect.stringContaining('${KEY}')]);
    expect(said.join()).not.toContain('sesame');
  });
});
