import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/config/config-error.ts';
import { configFromObject } from '../../../src/config/load.ts';
import { parseYaml } from '../../../src/config/parse-yaml.ts';
import { renderDiagnostics } from '../../../src/config/render.ts';

/** One of everything. */
const COMPLETE = {
  listeners: {
    https: {
      address: '::',
      port: 8443,
      tls: { certificate: 'a', key: 'b', names: ['x'] },
      http2: true,
      trustedProxies: ['::1'],
      path: { dotSegments: 'refuse' },
      limits: { headerBytes: '16k', headerCount: 10, bodyRate: 0, headTimeout: '1s' },
    },
    http: { port: 80, redirectTo: 'https' },
  },
  pools: {
    a: {
      endpoints: ['h:1', { address: 'https://h', weight: 2 }],
      balance: 'random',
      host: 'endpoint',
      tls: { insecure: true },
      health: { expect: [200, '300-399'], interval: '5s', start: 'down' },
      affinity: { secret: '0123456789abcdef', maxAge: '1h', sameSite: 'none' },
      connections: { max: 1, queue: 0 },
    },
  },
  routes: [
    {
      name: 'x',
      listeners: 'https',
      match: {
        host: ['a.test', '*.b.test'],
        path: { prefix: '/x' },
        method: 'GET',
        headers: { a: 'b', c: { oneOf: ['d'] } },
        cookies: { e: { present: true } },
        query: { f: { regex: 'g' } },
        client: '::/0',
        any: [{ not: { sni: 'h' } }],
      },
      priority: 1,
      pool: 'a',
      rewrite: { regex: 'a', replace: 'b' },
      query: { remove: ['a'] },
      requestHeaders: { set: { a: 'b' } },
      cookies: { domain: false, path: { from: '/', to: '/x' } },
      timeouts: { head: 0, total: '1m' },
      retry: { attempts: 2 },
      limits: { body: 1024 },
      cache: { defaultTtl: '1s' },
    },
    { redirect: { to: '/', status: 301 } },
    { respond: { status: 200, body: 'x' } },
    { match: { path: '/cached' }, pool: 'a', cache: true },
  ],
  defaults: { retry: { attempts: 1 } },
  cache: { size: '1M' },
  admin: { port: 0 },
  accessLog: { enabled: false },
  drainTimeout: '1s',
};

/** What the rest needs in order to be valid. */
const LITTLE = {
  listeners: { https: { port: 8443, tls: { certificate: 'a', key: 'b' } }, http: { port: 80 } },
  pools: { a: { endpoints: ['h:1'] } },
  routes: [{ pool: 'a' }],
};

type Step = string | number;

function pathsOf(value: unknown, path: readonly Step[] = []): (readonly Step[])[] {
  const steps: Step[] = Array.isArray(value)
    ? value.map((_, index) => index)
    : typeof value === 'object' && value !== null
      ? Object.keys(value)
      : [];
  const children = steps.flatMap((step) => pathsOf((value as Record<Step, unknown>)[step], [...path, step]));
  return path.length === 0 ? children : [path, ...children];
}

/** The part of it under this key, and no more than it needs: to load all of it for each change would take twice as long. */
function around(key: Step | undefined): object {
  return { ...LITTLE, ...Object.fromEntries(Object.entries(COMPLETE).filter(([own]) => own === key)) };
}

/** A copy of the configuration around `path`, with something else there, or under another key. */
function changed(path: readonly Step[], change: { readonly value: unknown; readonly key: string | null }): unknown {
  const copy: unknown = structuredClone(around(path[0]));
  let parent = copy as Record<Step, unknown>;
  for (const step of path.slice(0, -1)) parent = parent[step] as Record<Step, unknown>;
  const last = path.at(-1) as Step;
  if (change.key === null || Array.isArray(parent)) parent[last] = change.value;
  else {
    parent[change.key] = parent[last];
    delete parent[last];
  }
  return copy;
}

const PATHS = pathsOf(COMPLETE);

/** Every refusal has to name a place in the text, in words that mean something to who wrote it. */
function expectSensible(input: unknown): void {
  const result = configFromObject(input);
  if (result.ok) return;
  const { diagnostics, files } = result;
  expect(diagnostics.length).toBeGreaterThan(0);
  const lines = [...files.values()].join('').split('\n');
  for (const { line, column, message, suggestion } of diagnostics) {
    expect(column).toBeGreaterThan(0);
    expect((lines[line - 1] ?? '').length + 1).toBeGreaterThanOrEqual(column);
    expect(`${message} ${suggestion}`).not.toMatch(/Invalid|undefined|\[object|something else|NaN/);
  }
  const text = renderDiagnostics(diagnostics, { files, colour: false });
  expect(text.split('\n').filter((line) => line.startsWith('error[HG01'))).toHaveLength(diagnostics.length);
}

test('the configuration with one of everything is valid, and so is each part of it', () => {
  for (const config of [COMPLETE, ...Object.keys(COMPLETE).map(around)]) {
    const result = configFromObject(config);
    expect(result.ok ? [] : result.diagnostics).toEqual([]);
  }
});

describe('whatever stands in a configuration, it is loaded or refused with places and words', () => {
  const VALUES = [
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e21,
    '',
    'yes',
    'text',
    '5 sec',
    [],
    [null],
    {},
    { x: 1 },
    [[]],
    '{x}',
  ];

  test.each(VALUES)('when %j is anywhere', (value) => {
    for (const path of PATHS) expectSensible(changed(path, { value, key: null }));
  });

  test('when any key is another', () => {
    for (const path of PATHS) expectSensible(changed(path, { value: null, key: `${String(path.at(-1))}x` }));
    for (const path of PATHS) expectSensible(changed(path, { value: null, key: 'constructor' }));
  });

  test('when it is anything at all', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PATHS), fc.jsonValue({ maxDepth: 3 }), (path, value) => {
        expectSensible(changed(path, { value, key: null }));
      }),
      { numRuns: 300 },
    );
    fc.assert(fc.property(fc.jsonValue(), (value) => expectSensible(value)));
  });
});

test('whatever the text of a file, parsing does not throw', () => {
  const sources = { environment: {}, readFile: () => '' };
  const pieces = [
    'a',
    ':',
    ' ',
    '\n',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '&a ',
    '*a',
    '<<',
    '"',
    "'",
    '|',
    '#',
    '!',
    '$',
    '${',
    '\t',
    '---',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 40 }), (parts) => {
      const { root, broken, diagnostics } = parseYaml('x.yaml', parts.join(''), sources);
      if (broken) expect(root).toBeNull();
      if (broken) expect(diagnostics.length).toBeGreaterThan(0);
      for (const { line, column, length } of diagnostics) expect(Math.min(line, column, length)).toBeGreaterThan(0);
    }),
    { numRuns: 2_000 },
  );
});

test('an error of a configuration names the first mistake and counts the others', () => {
  const result = configFromObject({ pols: {}, routes: [{ pool: 'a' }] });
  const error = new ConfigError(result.ok ? [] : result.diagnostics);
  expect(error.message).toBe('<inline>:1:1: unknown key “pols” (and 1 more)');
  expect(new ConfigError([]).message).toBe('The configuration is invalid');
});
