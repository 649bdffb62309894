import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { isMap, isScalar, isSeq, LineCounter, parse, parseDocument, stringify } from 'yaml';
import { effective } from '../../../src/config/effective.ts';
import { effectiveData, effectiveYaml, valuesOf } from '../../../src/config/effective-yaml.ts';
import { type Loaded, loadConfig } from '../../../src/config/load.ts';
import { config as schema } from '../../../src/config/schema/config.ts';
import { withoutSecrets } from '../../../src/config/secret-values.ts';
import { headgate } from '../../kit/command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-effective-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function loaded(path: string, environment: Record<string, string> = {}): Loaded {
  const result = loadConfig(path, environment);
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join('\n'));
  return result;
}

function written(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** Every scalar of a file and its line, found by other means. Routes count on from file to file. */
function scalarsOf(text: string, firstRoute: number): Map<string, number> {
  const lines = new LineCounter();
  const found = new Map<string, number>();
  const visit = (node: unknown, path: readonly (string | number)[]): void => {
    if (isMap(node))
      for (const { key, value } of node.items) visit(value, [...path, String(isScalar(key) && key.value)]);
    else if (isSeq(node)) {
      const first = path.length === 1 && path[0] === 'routes' ? firstRoute : 0;
      for (const [index, item] of node.items.entries()) visit(item, [...path, first + index]);
    } else if (isScalar(node)) found.set(path.join('\n'), lines.linePos(node.range?.[0] ?? 0).line);
  };
  visit(parseDocument(text, { lineCounter: lines }).contents, []);
  return found;
}

function expectWhole({ origins, config }: Loaded, files: ReadonlyMap<string, string>): void {
  const node = effective(origins.root);
  const values = valuesOf(node);
  const paths = values.map(({ path }) => path.join('\n'));
  expect(new Set(paths).size).toBe(paths.length);
  // Every value of the configuration is there: nothing is left for a default to fill in.
  expect(schema.parse(effectiveData(node))).toEqual(config);
  let routes = 0;
  for (const [file, text] of files) {
    for (const [path, line] of scalarsOf(text, routes)) {
      // `true` and an address may stand for more than one value.
      const told = values.filter((value) => `${value.path.join('\n')}\n`.startsWith(`${path}\n`));
      const origin = told.map(({ leaf }) => leaf.origin).find(({ kind }) => kind === 'written');
      expect(origin, path).toMatchObject({ place: { file, line } });
    }
    routes += (parse(text) as { routes?: unknown[] } | null)?.routes?.length ?? 0;
  }
}

const POOLS: readonly object[] = [
  { endpoints: ['h:1'] },
  { endpoints: ['https://h', { address: 'unix:/run/a.sock', weight: 3 }, { address: 'b:2', priority: 1 }] },
  { endpoints: ['h:1'], balance: 'least-connections', health: {}, outliers: {}, breaker: {} },
  { endpoints: ['h:1'], health: { path: '/up', expect: [200, '300-399'], interval: '1500ms' }, host: 'endpoint' },
  { endpoints: ['h:1'], affinity: { cookie: 'sid', secret: ['a-secret-of-tests', 'another-secret-1'] }, panic: '50%' },
  { endpoints: ['h:1'], tls: { insecure: true }, limits: { inFlight: 7 }, connections: { max: 3, keepAlive: 0 } },
];
const ROUTES: readonly object[] = [
  { pool: 'p' },
  { pool: 'p', match: { path: '/a/**', host: ['a.test', '*.b.test'], method: 'GET' } },
  { pool: 'p', match: { path: { regex: '^/x' }, headers: { 'X-A': 'on', 'X-B': { oneOf: ['1', '2'] } } } },
  { pool: 'p', match: { any: [{ path: '/q' }, { not: { query: { a: { present: true } } } }] }, priority: 3 },
  { pool: 'p', cache: true, retry: { attempts: 2 }, timeouts: { head: '3s' } },
  { pool: 'p', cache: { collapse: true, tags: { fields: ['Surrogate-Key'], pass: true } } },
  { pool: 'p', fallback: ['stale', { respond: { status: 503, body: 'later $$ {x}\nor not' } }] },
  { pool: 'p', fallback: { on: 'timeout', steps: [{ stale: { maxAge: '1h' } }] } },
  {
    split: [
      { pool: 'p', weight: 9 },
      { pool: 'p', weight: 1 },
    ],
    sticky: true,
  },
  { redirect: { to: 'https://a.test/{path}' } },
  { respond: { status: 404, headers: { 'X-Yes': 'yes', 'X-No': '1.0' } } },
  {
    pool: 'p',
    requestHeaders: { set: { Authorization: 'Basic abc' }, remove: ['Cookie'] },
    cookies: { domain: false },
  },
];
const LISTENERS: readonly object[] = [
  { port: 80 },
  { address: '127.0.0.1:8443', tls: { hsts: true, minVersion: '1.3', names: ['a.test'] } },
  {
    address: 'unix:/run/h.sock',
    mode: '0600',
    limits: { headerBytes: '8k', bodyBytes: 1000 },
    path: { backslash: 'slash' },
  },
  { port: 443, tls: { hsts: { maxAge: '400d', preload: false } }, passthrough: [{ sni: 'x.test', pool: 'p' }] },
];

/** Some of these under names of their own, in a file of some style. */
const configuration = fc.record({
  pools: fc.subarray([...POOLS]),
  listeners: fc.subarray([...LISTENERS]),
  routes: fc.subarray([...ROUTES]),
  more: fc.subarray([{ drainTimeout: '90s' }, { cache: { size: '64M' } }, { accessLog: { format: 'combined' } }]),
  indent: fc.constantFrom(2, 4),
  blockQuote: fc.boolean(),
  head: fc.constantFrom('', '# a comment\n\n', '---\n'),
  apart: fc.boolean(),
});

const named = (prefix: string, list: readonly object[]) =>
  Object.fromEntries(list.map((value, index) => [`${prefix}${index}`, value]));

test('every value is there once, with its line or as a default; together they are the configuration', () => {
  fc.assert(
    fc.property(configuration, ({ pools, listeners, routes, more, indent, blockQuote, head, apart }) => {
      const style = { indent, blockQuote };
      const first = {
        listeners: named('l', listeners),
        pools: { p: { endpoints: ['p:1'] } },
        ...Object.assign({}, ...more),
      };
      const second = { pools: named('q', pools), routes };
      const space = (text: string) => (apart ? text.replaceAll(/^( *- )/gm, '\n# here\n$1') : text);
      const texts = [
        `${head}${stringify(first, style)}`,
        space(stringify(second, style)),
        stringify({ routes: [{ pool: 'p', name: 'last' }] }),
      ];
      const files = new Map(texts.map((text, index) => [written(`${index}.yaml`, text), text]));
      expectWhole(loaded(folder), files);
    }),
    { numRuns: 25, seed: 6 },
  );
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});

describe('the effective configuration', () => {
  const TEXT = `admin: { token: a-token-of-the-tests }
listeners:
  web:
    port: \${PORT}
pools:
  shop:
    endpoints: ['\${HOST:-h}:1', "\${file:${join(folder, 'secret')}}"]
    affinity: { secret: "\${SECRET}" }
routes:
  - pool: shop
    requestHeaders: { set: { Authorization: Basic abc, X-Plain: yes } }
    cache: true
`;
  const environment = { PORT: '808', SECRET: 'never-to-be-shown-1' };
  const open = () => {
    written('secret', 'in-a-file:1\n');
    return effective(loaded(written('one.yaml', TEXT), environment).origins.root);
  };

  test('names what expressions were filled from, and never with what', () => {
    const text = effectiveYaml(withoutSecrets(open()), { origins: true });
    const file = join(folder, 'one.yaml');
    expect(text).toMatch(/^ {2}web:\n {4}port: \$\{PORT\} +# /m);
    expect(text).toContain(`# ${file}:4, environment PORT\n`);
    expect(text).toContain(`# ${file}:7, environment HOST\n`);
    expect(text).toContain(`# ${file}:7, file ${join(folder, 'secret')}\n`);
    expect(text).toContain(`# ${file}:8, environment SECRET\n`);
    expect(text).not.toMatch(/808|never-to-be-shown|in-a-file/);
  });

  test('has no secrets that stand in a file either', () => {
    const text = effectiveYaml(withoutSecrets(open()), { origins: false });
    expect(text).toContain('token: (secret)\n');
    expect(text).toContain('Authorization: (secret)\n');
    expect(text).toContain('X-Plain: yes\n');
    expect(text).not.toMatch(/a-token-of|Basic/);
  });

  test('nor header fields of a collector, whatever their name', async () => {
    const otlp = 'otlp: { endpoint: "http://c:4318", headers: { X-Honeycomb-Team: never-shown } }';
    const path = written(
      'traces.yaml',
      `listeners: { web: { port: 80 } }\ntracing: { ${otlp} }\nroutes: [{ respond: { status: 200 } }]\n`,
    );
    const { out } = await headgate(['config', '-c', path]);
    expect(out).toContain('X-Honeycomb-Team: (secret)\n');
  });

  test('is printed for people and for programs', async () => {
    const path = written(
      'two.yaml',
      'listeners: { web: { port: 80 } }\npools: { a/b~c: { endpoints: [h:1] } }\n'.replace('a/b~c', 'a'),
    );
    expect((await headgate(['config', '-c', path])).out).toMatch(
      /^listeners:\n {2}web:\n {4}port: 80\n {4}kind: http\n/,
    );
    const { code, out } = await headgate(['config', '--origin', '--json', '-c', path]);
    const { values } = JSON.parse(out) as { values: unknown[] };
    expect(code).toBe(0);
    expect(values).toContainEqual({
      ...{ path: '/listeners/web/port', value: 80, origin: `${path}:1`, file: path, line: 1, from: [] },
    });
    expect(values).toContainEqual({
      ...{ path: '/drainTimeout', value: '30s', origin: 'default', file: null, line: null, from: [] },
    });
    expect(JSON.parse((await headgate(['config', '--json', '-c', path])).out)).toMatchObject({ drainTimeout: '30s' });
  });
});

const ROOT = join(import.meta.dirname, '../../..');

test.each(['routes', ...readdirSync(join(ROOT, 'docs/examples')).map((name) => `docs/examples/${name}`)])(
  '%s means the same in its effective form, read again from YAML',
  (path) => {
    const secret = 'a secret for tests only';
    const { origins, config } = loaded(join(ROOT, path), { AFFINITY_SECRET: secret });
    const text = effectiveYaml(effective(origins.root), { origins: true });
    const filled = text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1').replaceAll(/\$\{\w+\}/g, secret);
    expect(schema.parse(parse(filled))).toEqual(config);
  },
);
