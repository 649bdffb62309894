import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { configFromObject, type LoadResult, loadConfig, loadConfigText, readConfig } from '../../../src/config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-config-'));
let count = 0;
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Writes files into a new directory and loads it. Places in the answer are relative to that directory. */
function load(files: Record<string, string>, environment: Record<string, string> = {}): LoadResult {
  count += 1;
  const directory = join(folder, String(count));
  mkdirSync(directory);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return loadConfig(directory, environment);
}

/** `file:line:column message` of every diagnostic. */
function complaints(result: LoadResult): string[] {
  if (result.ok) return [];
  return result.diagnostics.map(({ file, line, column, message, suggestion, notes }) => {
    const also = notes.map((note) => ` (${short(note.file)}:${note.line}:${note.column} ${note.message})`).join('');
    return `${short(file)}:${line}:${column} ${message}${suggestion === null ? '' : ` → ${suggestion}`}${also}`;
  });
}

function short(file: string): string {
  return file.split('/').slice(-1).join('/');
}

function loaded(result: LoadResult) {
  expect(complaints(result)).toEqual([]);
  if (!result.ok) throw new Error('not loaded');
  return result;
}

const POOL = 'pools: { a: { endpoints: ["127.0.0.1:1"] } }\n';

describe('a directory', () => {
  test('is read in the order of file names, without dot files, tests and directories', () => {
    const result = loaded(
      load({
        '20-b.yml': 'routes:\n  - { name: second, pool: a }\n',
        '10-a.yaml': `${POOL}routes:\n  - { name: first, pool: a }\n`,
        '.hidden.yaml': 'broken: [',
        'shop.test.yaml': 'broken: [',
        'notes.txt': 'broken: [',
        'empty.yaml': '# nothing\n',
        'sections.yaml': 'pools:\nroutes:\n',
      }),
    );
    expect(result.config.routes.map(({ name }) => name)).toEqual(['first', 'second']);
    expect([...result.files.keys()].map(short)).toEqual(['10-a.yaml', '20-b.yml', 'empty.yaml', 'sections.yaml']);
  });

  test('may hold links, as Kubernetes mounts a ConfigMap', () => {
    const real = join(folder, 'real.yaml');
    writeFileSync(real, POOL);
    const directory = join(folder, 'linked');
    mkdirSync(directory);
    mkdirSync(join(directory, 'below.yaml'));
    symlinkSync(real, join(directory, 'pools.yaml'));
    expect(Object.keys(loaded(loadConfig(directory, {})).config.pools)).toEqual(['a']);
  });

  test('merges listeners and pools of every file', () => {
    const result = loaded(
      load({ 'a.yaml': POOL, 'b.yaml': 'pools:\n  b: { endpoints: ["h:2"] }\nlisteners: { web: { port: 0 } }\n' }),
    );
    expect(Object.keys(result.config.pools)).toEqual(['a', 'b']);
    expect(result.config.listeners['web']?.port).toBe(0);
  });

  test('names both places of what is defined twice', () => {
    const result = load({
      'a.yaml': `${POOL}cache: {}\n`,
      'b.yaml': `cache: { size: 1M }\n${POOL}`,
      'c.yaml': 'drainTimeout: 1s\ndrainTimeout: 2s\n',
    });
    expect(complaints(result)).toEqual([
      'b.yaml:1:1 section “cache” is defined twice (a.yaml:2:1 first here)',
      'b.yaml:2:10 pool “a” is defined twice (a.yaml:1:10 first here)',
      'c.yaml:2:1 key “drainTimeout” is given twice (c.yaml:1:1 first here)',
    ]);
  });

  test('without configuration files is an error, and so is one that does not exist', () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    const nothing = loadConfig(empty, {});
    expect(nothing.ok ? [] : nothing.diagnostics.map(({ message }) => message)).toEqual([
      `${empty} holds no *.yaml file`,
    ]);
    const missing = loadConfig(join(folder, 'none'), {});
    expect(missing.ok ? [] : missing.diagnostics).toMatchObject([
      { code: 'HG0101', length: 0, message: `cannot read ${folder}/none: no such file or directory` },
    ]);
  });
});

test('one file is a configuration too, whatever its name', () => {
  const file = join(folder, 'headgate.conf');
  writeFileSync(file, POOL);
  expect(Object.keys(loaded(loadConfig(file, {})).config.pools)).toEqual(['a']);
});

test('a file that is not UTF-8 is refused', () => {
  const file = join(folder, 'latin1.yaml');
  writeFileSync(file, Buffer.from([0x61, 0x3a, 0x20, 0xe9]));
  expect(complaints(loadConfig(file, {}))).toEqual([`latin1.yaml:1:1 cannot read ${file}: it is not UTF-8`]);
});

describe('YAML', () => {
  test.each([
    ['a tab', 'pools:\n\ta: 1\n', '1.yaml:2:1 a tab is used as indentation → YAML wants spaces'],
    [
      'two documents',
      '---\ncache: {}\n---\nadmin: {}\n',
      '1.yaml:3:1 a file holds one document → remove “---”, or use one file for each',
    ],
    [
      'a nested map',
      'pools: a: b\n',
      '1.yaml:1:8 a map can’t start here → quote a value that contains “: ”, or start a new line',
    ],
    ['a reserved sign', 'pools: @x\n', '1.yaml:1:8 a value can’t start with “@” → put it in quotes'],
    [
      'no space after a colon',
      'pools:\n  a:b\n  c: 1\n',
      '1.yaml:2:3 this is not a “key: value” → a colon needs a space behind it',
    ],
    ['a tag', 'pools: !secret x\n', '1.yaml:1:8 tag “!secret” is not known → Headgate uses no YAML tags'],
    ['an unknown anchor', 'pools: *x\n', '1.yaml:1:8 anchor “&x” does not exist'],
    ['an alias within itself', 'pools: &x { a: *x }\n', '1.yaml:1:16 “*x” contains itself'],
    ['a key that is a list', '? [a]\n: 1\n', '1.yaml:1:3 a key must be plain text'],
    ['a key that JavaScript keeps for itself', '__proto__: 1\n', '1.yaml:1:1 “__proto__” cannot be a key'],
    [
      'a variable in a flow map',
      `cache: { size: \${SIZE} }\n`,
      `1.yaml:1:17 “\${…}” needs quotes inside { } and [ ] → write "\${VAR}"`,
    ],
    ['a merge of something else', 'cache: { <<: 5 }\n', '1.yaml:1:10 “<<” takes a map, or a list of maps'],
    ['text in place of sections', 'hello\n', '1.yaml:1:1 a file holds sections → listeners:, pools:, routes:, …'],
    [
      'depth beyond reason',
      `pools: ${'['.repeat(70)}${']'.repeat(70)}\n`,
      '1.yaml:1:72 nested more than 64 levels deep',
    ],
  ])('with %s is refused with its place', (_, text, expected) => {
    expect(complaints(load({ '1.yaml': text }))).toContain(expected);
  });

  test('whose brackets no stack could hold is refused', () => {
    expect(complaints(load({ '1.yaml': `pools: ${'['.repeat(200_000)}\n` }))[0]).toMatch(/nested more than 64 levels/);
  });

  test('with one slip gives one error a line, and no errors of what only seems to be missing', () => {
    const result = load({
      '1.yaml': 'pools:\n  a: { endpoints: ["x:1"] ]\n',
      '2.yaml': 'routes:\n  - { pool: a }\n',
    });
    expect(complaints(result)).toHaveLength(1);
    expect(complaints(result)[0]).toMatch(/^1\.yaml:2:/);
  });

  test('anchors, aliases and merge keys are what they stand for', () => {
    const { config } = loaded(
      load({
        '1.yaml': `
pools:
  a: &base
    endpoints: ["x:1"]
    connections: { max: 7 }
  b: { <<: *base, balance: random, connections: { max: 9 } }
  c: *base
`,
      }),
    );
    expect(config.pools['b']).toMatchObject({ balance: 'random', connections: { max: 9 } });
    expect(config.pools['b']?.endpoints).toEqual(config.pools['a']?.endpoints);
    expect(config.pools['c']).toEqual(config.pools['a']);
  });

  test('aliases can’t blow a few lines up into gigabytes', () => {
    const lines = ['cache: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 10; level += 1) {
      lines.push(`k${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`);
    }
    expect(complaints(load({ '1.yaml': `${lines.join('\n')}\n` })).join('\n')).toMatch(
      /aliases stand for more than 10000 values/,
    );
  });
});

describe('variables', () => {
  const text = `
listeners: { web: { port: 1 } }
pools:
  a:
    endpoints:
      - \${HOST}:3000
    connections:
      max: \${MAX:-12}
    affinity:
      secret: "\${SECRET}"
routes:
  - pool: a
    requestHeaders:
      set: { x-price: "$$5 \${PLAIN:-x}", x-group: "$1" }
`;

  test('are filled in after parsing, and become numbers where they are a whole plain value', () => {
    const { config } = loaded(
      load({ '1.yaml': text }, { HOST: 'api', MAX: '3', SECRET: '1234567890123456', PLAIN: '{a: b}: # no' }),
    );
    expect(config.pools['a']?.endpoints[0]?.address).toMatchObject({ host: 'api' });
    expect(config.pools['a']?.connections.max).toBe(3);
    expect(config.pools['a']?.affinity?.secret).toEqual(['1234567890123456']);
    expect(config.routes[0]?.requestHeaders?.set).toEqual({ 'x-price': '$5 {a: b}: # no', 'x-group': '$1' });
  });

  test('that are not set are one error each, at their place', () => {
    expect(complaints(load({ '1.yaml': text }, { SECRET: '1234567890123456' }))).toEqual([
      `1.yaml:6:9 environment variable HOST is not set → set it, or give a default: \${HOST:-…}`,
    ]);
  });

  test('never show what they stand for', () => {
    const result = load(
      { '1.yaml': text.replace(`\${PLAIN:-x}`, 'x') },
      { HOST: 'hunter2 hunter2', MAX: '99hunter2', SECRET: 'hunter2' },
    );
    expect(complaints(result)).toEqual([
      `1.yaml:6:9 “\${HOST}:3000” is not an endpoint address → write host:port, http(s)://host[:port], or unix:/path`,
      `1.yaml:8:12 expected a number, found “\${MAX:-12}”`,
      '1.yaml:10:15 “secret” is too short → at least 16 characters',
    ]);
    expect(JSON.stringify(result.ok ? null : result.diagnostics)).not.toContain('hunter2');
  });

  test('in keys are left alone', () => {
    const { config } = loaded(load({ '1.yaml': `${POOL}routes: [{ pool: a, match: { query: { "\${KEY}": x } } }]\n` }));
    expect(Object.keys(config.routes[0]?.match.query ?? {})).toEqual([`\${KEY}`]);
  });

  test('read from files lose one line end, and say what is wrong with the file', () => {
    const secret = join(folder, 'secret');
    writeFileSync(secret, '1234567890123456\n');
    const pool = `pools: { a: { endpoints: ["x:1"], affinity: { secret: "\${file:${secret}}" } } }\n`;
    expect(loaded(load({ '1.yaml': pool })).config.pools['a']?.affinity?.secret).toEqual(['1234567890123456']);
    expect(complaints(load({ '1.yaml': pool.replace(secret, '/nowhere/key') }))).toEqual([
      '1.yaml:1:55 cannot read /nowhere/key: no such file',
    ]);
    expect(complaints(load({ '1.yaml': pool.replace(secret, folder) }))).toEqual([
      `1.yaml:1:55 cannot read ${folder}: it is a directory`,
    ]);
  });
});

describe('origins', () => {
  const { origins } = loaded(
    load({
      'shop.yaml': `pools:
  carts:
    endpoints: [127.0.0.1:1]
routes:
  - pool: carts
  - match:
      client: [10.0.0.0/8, fd00::/8]
      sni: a.test
    pool: carts
`,
    }),
  );
  test.each([
    [['pools', 'carts'], '2:3+5'],
    [['pools', 'carts', 'endpoints', 0], '3:17+11'],
    [['pools', 'carts', 'endpoints', 0, 'address', 'host'], '3:17+11'],
    [['routes', 0], '5:5+4'],
    [['routes', 0, 'pool'], '5:11+5'],
    [['routes', 1], '6:5+5'],
    [['routes', 1, 'match'], '6:5+5'],
    [['routes', 1, 'match', 'client', 1], '7:28+8'],
    [['routes', 1, 'match', 'sni', 0], '8:12+6'],
    [['routes', 1, 'timeouts', 'head'], '6:5+5'],
    [['routes', 7], '4:1+6'],
  ])('know where %j is', (path, expected) => {
    const place = origins.at(path);
    expect(`${place.line}:${place.column}+${place.length}`).toBe(expected);
  });

  test('name an unnamed route by file and line', () => {
    expect(origins.where(['routes', 1])).toMatch(/shop\.yaml:6$/);
  });

  test('know what is behind the only key of a map', () => {
    expect(origins.innermost(['pools'])).toEqual(['pools', 'carts', 'endpoints']);
    expect(origins.innermost(['routes', 1])).toEqual(['routes', 1]);
  });
});

describe('plain data', () => {
  test('is a configuration', () => {
    const { config, origins } = loaded(
      configFromObject({
        pools: { a: { endpoints: ['127.0.0.1:1'] } },
        routes: [{ pool: 'a', requestHeaders: { set: { x: `\${HOME} $1 $$` } } }],
      }),
    );
    expect(config.routes[0]?.requestHeaders?.set?.['x']).toBe(`\${HOME} $1 $$`);
    expect(config.drainTimeout).toBe(30_000);
    expect(origins.where(['routes', 0])).toBe('<inline>:6');
  });

  test.each([undefined, null, {}])('that is empty (%s) has the defaults', (input) => {
    expect(loaded(configFromObject(input)).config).toMatchObject({ routes: [], admin: { port: 4600 } });
  });

  test('has places in the YAML that it would be', () => {
    expect(complaints(configFromObject({ routes: [{ pool: 'a' }] }))).toEqual([
      '<inline>:2:11 pool “a” does not exist → no pool is defined',
    ]);
  });
});

test('what was read once is loaded the same again, whatever the files hold by then', () => {
  const directory = join(folder, 'read-once');
  mkdirSync(directory);
  const [file, included] = [join(directory, 'a.yaml'), join(directory, 'token')];
  writeFileSync(included, 'a-token-of-some-length');
  const port = 'listeners:\n  web:\n    port: ${PORT}\n';
  writeFileSync(file, `admin:\n  token: \${file:${included}}\n${port}`);
  const { result, text } = readConfig(directory, { PORT: '81' });
  writeFileSync(file, 'broken: [');
  writeFileSync(included, 'another-token-by-now');
  const again = loaded(loadConfigText(text, { PORT: '81' }));
  expect(again.config).toEqual(loaded(result).config);
  expect(again.config.admin.token).toBe('a-token-of-some-length');
  expect(again.origins.whereGiven(['listeners', 'web', 'port'])).toMatch(/a\.yaml:5$/);
});
