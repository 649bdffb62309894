import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configJsonSchema, configJsonSchemaText } from '../../../src/config/json-schema.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { config } from '../../../src/config/schema/config.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const validate = new Ajv({ allErrors: true }).compile(configJsonSchema());

const examples = ['routes', 'docs/examples'].flatMap((folder) =>
  readdirSync(join(ROOT, folder)).map((name) => ({ folder, name, file: join(folder, name) })),
);

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

test('docs/headgate.schema.json is current (npm run schema)', () => {
  expect(read('docs/headgate.schema.json')).toBe(configJsonSchemaText());
});

describe('an example', () => {
  test('is there for each use', () => {
    expect(examples.map(({ file }) => file)).toEqual([
      'routes/demo.yaml',
      'routes/listeners.yaml',
      'docs/examples/access.yaml',
      'docs/examples/acme.yaml',
      'docs/examples/admin.yaml',
      'docs/examples/balancing.yaml',
      'docs/examples/browsers.yaml',
      'docs/examples/cache.yaml',
      'docs/examples/canary.yaml',
      'docs/examples/compression.yaml',
      'docs/examples/dev-gateway.yaml',
      'docs/examples/discovery.yaml',
      'docs/examples/grpc.yaml',
      'docs/examples/microservices.yaml',
      'docs/examples/overload.yaml',
      'docs/examples/passthrough.yaml',
      'docs/examples/rate-limits.yaml',
      'docs/examples/retries.yaml',
      'docs/examples/stale.yaml',
      'docs/examples/substitution.yaml',
      'docs/examples/tls-termination.yaml',
      'docs/examples/tracing.yaml',
    ]);
  });

  test.each(examples)('$file names the schema in its first line', ({ folder, file }) => {
    const schema = /^# yaml-language-server: \$schema=(\S+)\n/.exec(read(file))?.[1] ?? '';
    expect(resolve(ROOT, folder, schema)).toBe(join(ROOT, 'docs/headgate.schema.json'));
  });

  test.each(examples)('$file is valid for editors', ({ file }) => {
    expect(validate(parse(read(file))) ? [] : validate.errors).toEqual([]);
  });

  test.each(['routes', ...examples.filter(({ folder }) => folder !== 'routes').map(({ file }) => file)])(
    '%s loads',
    (path) => {
      const result = loadConfig(join(ROOT, path), { AFFINITY_SECRET: 'a secret for tests only' });
      expect(result.ok ? [] : result.diagnostics).toEqual([]);
    },
  );
});

const pool = (more: object) => ({ pools: { a: { endpoints: ['h:1'], ...more } } });
const route = (more: object) => ({ routes: [{ pool: 'a', ...more }] });

describe('editors accept', () => {
  test.each([
    [
      'variables for numbers, booleans and words',
      { listeners: { a: { port: `\${PORT}`, http2: `\${H2:-true}` } }, ...pool({ balance: `\${B}` }) },
    ],
    [
      'durations and sizes',
      { cache: { size: 1024, objectSize: '1.5M' }, drainTimeout: 0, ...route({ timeouts: { head: '1.5s' } }) },
    ],
    ['nested matches', route({ match: { any: [{ not: { host: 'a', all: [{ path: '/x/**' }] } }] } })],
    [
      'every form of a path',
      route({ match: { all: [{ path: '/x' }, { path: { prefix: '/x' } }, { path: { regex: '^/x' } }] } }),
    ],
    ['addresses of every kind', pool({ endpoints: ['[::1]:1', 'https://h', { address: `\${HOST}:1`, weight: 2 }] })],
  ])('%s', (_, value) => {
    expect(validate(value) ? [] : validate.errors).toEqual([]);
  });
});

describe('editors mark what is refused when it is loaded:', () => {
  test.each([
    ['an unknown section', { pool: {} }],
    ['an unknown key', { ...pool({ balanse: 'random' }) }],
    ['an unknown key far down', route({ match: { any: [{ not: { hots: 'a' } }] } })],
    ['an unknown form of a path', route({ match: { path: { prefx: '/x' } } })],
    ['a missing key', { pools: { a: {} } }],
    ['a word that is not allowed', pool({ balance: 'fair' })],
    ['yes for true', { listeners: { a: { port: 1, http2: 'yes' } } }],
    ['a port out of range', { listeners: { a: { port: 70_000 } } }],
    ['a duration with a word', route({ timeouts: { head: '5 sec' } })],
    ['a duration without unit', { drainTimeout: 5_000 }],
    ['a size with a word', { cache: { size: '10 MB' } }],
    ['a path without slash', route({ match: { path: 'x' } })],
    ['a name that is none', { pools: { 'a b': { endpoints: ['h:1'] } } }],
    ['a variable for a name', { pools: { [`\${NAME}`]: { endpoints: ['h:1'] } } }],
    ['an address that is none', pool({ endpoints: ['h:1 '] })],
    ['a weight that is too large', pool({ endpoints: [{ address: 'h:1', weight: 1001 }] })],
    ['no endpoints', pool({ endpoints: [] })],
    ['text for a list of maps', { routes: 'a' }],
    ['a map for text', { routes: [{ pool: { name: 'a' } }] }],
    ['a status that is none', { routes: [{ respond: { status: 99 } }] }],
    ['a redirect that is none', { routes: [{ redirect: { to: '/', status: 200 } }] }],
    ['a method that is none', route({ match: { method: 'GET POST' } })],
    ['two forms of a test', route({ match: { headers: { a: { prefix: 'x', regex: 'y' } } } })],
    ['a share above the whole as a number', pool({ panic: 1.5 })],
    ['nothing for a map', { admin: 4600 }],
  ])('%s', (_, value) => {
    expect(validate(value)).toBe(false);
    expect(config.safeParse(value).success).toBe(false);
  });
});

test('defaults are written as one writes them', () => {
  const text = configJsonSchemaText();
  expect(text).toContain('"default": "30s"');
  expect(text).toContain('"default": "128M"');
  expect(text).not.toMatch(
    /"default": \d{5,}\b(?!,?\n\s+"description": "(?:Open connections in total|Sessions that are remembered|Most series of one metric|Most keys that are remembered))/,
  );
});
