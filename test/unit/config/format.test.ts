import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { isCollection, parse, parseDocument, Scalar, stringify, visit } from 'yaml';
import { formatYaml } from '../../../src/config/format.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { headgate } from '../../kit/command-line.ts';

const ROOT = join(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'headgate-format-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function formatted(text: string): string {
  const result = formatYaml('a.yaml', text);
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join('\n'));
  return result.text;
}

function written(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('a file is written with', () => {
  test.each([
    ['sections in order, a blank line between them', 'routes: []\npools: {}\n', 'pools: {}\n\nroutes: []\n'],
    [
      'keys in order, with what is said about them',
      'routes:\n    # of the route\n    - pool: a # where\n      # what\n      match: /x\n      name: b\n',
      'routes:\n  # of the route\n  - name: b\n    # what\n    match: /x\n    pool: a # where\n',
    ],
    ['names in the order that they were given', 'pools: { b: {}, a: {} }\n', 'pools: { b: {}, a: {} }\n'],
    [
      'quotes where they are needed',
      `routes:\n  - pool: "a"\n    name: '1'\n    respond: { body: "x: y", headers: { 'a': "on", "b": '\${X}' } }\n`,
      `routes:\n  - name: '1'\n    pool: a\n    respond: { headers: { a: "on", b: '\${X}' }, body: 'x: y' }\n`,
    ],
    [
      'two spaces, and one blank line for many',
      'pools:\n    a:\n\n\n        panic: 0%\n',
      'pools:\n  a:\n\n    panic: 0%\n',
    ],
    [
      'comments in a column',
      'admin:\n  port: 1 # a\n  address: ::1    # b\n',
      'admin:\n  address: ::1 # b\n  port: 1      # a\n',
    ],
    [
      'what editors look for in the first line',
      '# yaml-language-server: $schema=x.json\nroutes: []\npools: {}\n',
      '# yaml-language-server: $schema=x.json\n\npools: {}\n\nroutes: []\n',
    ],
    [
      'merge keys first',
      'pools:\n  a: &a { panic: 0% }\n  b: { panic: 1%, <<: *a }\n',
      'pools:\n  a: &a { panic: 0% }\n  b: { <<: *a, panic: 1% }\n',
    ],
    [
      'an anchor before its alias, whatever the order says',
      'routes:\n  - match: &m { path: /x }\npools:\n  a: { health: *m }\n',
      'routes:\n  - match: &m { path: /x }\n\npools:\n  a: { health: *m }\n',
    ],
    [
      'texts of several lines as they are',
      'routes:\n  - respond:\n      body: |\n        a: # b\n          c\n',
      'routes:\n  - respond:\n      body: |\n        a: # b\n          c\n',
    ],
    ['what is unknown at the end', 'routes:\n  - { polo: a, match: /x }\n', 'routes:\n  - { match: /x, polo: a }\n'],
    ['nothing where there is nothing', '# only this\n', '# only this\n'],
    ['nothing for an empty file', '', ''],
  ])('%s', (_, text, expected) => {
    expect(formatted(text)).toBe(expected);
    expect(formatted(expected)).toBe(expected);
  });

  test.each([['a: ['], ['a: 1\na: 2\n'], ['a: *b\n'], ['- a\n---\n- b\n']])('nothing at all when it is %j', (text) => {
    expect(formatYaml('a.yaml', text)).toMatchObject({ ok: false, diagnostics: [{ code: /HG010[14]/ }] });
  });
});

const examples = ['routes', 'docs/examples'].flatMap((name) =>
  readdirSync(join(ROOT, name)).map((file) => readFileSync(join(ROOT, name, file), 'utf8')),
);

/** Another way to write the same: indentation, flow or block, quotes, comments and blank lines between lines. */
const style = fc.record({
  example: fc.nat(examples.length - 1),
  indent: fc.constantFrom(1, 2, 3, 4),
  indentSeq: fc.boolean(),
  flips: fc.infiniteStream(fc.nat(11)),
  remarks: fc.infiniteStream(fc.nat(9)),
});

function restyled({
  example,
  indent,
  indentSeq,
  flips,
  remarks,
}: typeof style extends fc.Arbitrary<infer T> ? T : never): string {
  const document = parseDocument(examples[example] as string, { merge: true });
  visit(document, (_key, node) => {
    const flip = flips.next().value as number;
    if (node instanceof Scalar && typeof node.value === 'string' && flip < 3 && !node.value.includes('$')) {
      node.type = flip === 0 ? 'PLAIN' : flip === 1 ? 'QUOTE_DOUBLE' : 'QUOTE_SINGLE';
    } else if (isCollection(node) && flip === 4) node.flow = false;
  });
  const text = document.toString({ indent, indentSeq, lineWidth: 0 });
  return text
    .split('\n')
    .map((line) => {
      const remark = remarks.next().value as number;
      const blanks = /^ */.exec(line)?.[0] ?? '';
      if (remark === 0) return `${blanks}# ${remark} said before\n${line}`;
      if (remark === 1) return `\n\n${line}`;
      return remark === 2 && /[^|>]$/.test(line) && !line.includes('#') ? `${line}   # behind` : line;
    })
    .join('\n');
}

const commentsOf = (text: string) => (text.match(/(?<=^|\s)#.*$/gm) ?? []).map((comment) => comment.trimEnd()).sort();

test('formatting changes neither the configuration nor what is said in it, and doing it again changes nothing', () => {
  const environment = { AFFINITY_SECRET: 'a secret for tests only' };
  const load = (text: string): unknown => {
    const loaded = loadConfig(written('p.yaml', text), environment);
    return loaded.ok ? loaded.config : loaded.diagnostics.map(({ code, message }) => `${code} ${message}`).sort();
  };
  let changed = 0;
  fc.assert(
    fc.property(style, (given) => {
      const text = restyled(given);
      // A remark within a text of several lines is none.
      fc.pre(formatYaml('p.yaml', text).ok && !/# 0 said|# behind/.test(JSON.stringify(parse(text))));
      const once = formatted(text);
      expect(formatted(once)).toBe(once);
      expect(load(once)).toEqual(load(text));
      expect(commentsOf(once)).toEqual(commentsOf(text));
      if (once !== text) changed += 1;
    }),
    { numRuns: 25, seed: 6 },
  );
  expect(changed).toBeGreaterThan(20);
});

test('whatever is YAML keeps its meaning, a configuration or not', () => {
  const leaf = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom('on', '1:30', '2001-01-01', '# x', ' a ', '*a', 'a: b'),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(
        fc.string().filter((key) => !['__proto__', '<<'].includes(key)),
        tie('value'),
        { maxKeys: 3 },
      ),
    ),
  }));
  fc.assert(
    fc.property(
      value,
      fc.constantFrom('PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'BLOCK_LITERAL'),
      (data, defaultStringType) => {
        const text = stringify({ routes: [data], x: data }, { defaultStringType: defaultStringType as 'PLAIN' });
        const result = formatYaml('a.yaml', text);
        if (!result.ok) return;
        expect(parse(result.text)).toEqual(parse(text));
        expect(formatted(result.text)).toBe(result.text);
      },
    ),
    { numRuns: 60, seed: 6 },
  );
});

describe('headgate fmt', () => {
  const UGLY = 'pools: { a: { "panic": 0% } }\nlisteners: {}\n';
  const FINE = 'listeners: {}\n\npools: { a: { panic: 0% } }\n';

  test('writes files where they stand, through links, with their mode, and names them', async () => {
    const file = written('one.yaml', UGLY);
    chmodSync(file, 0o640);
    symlinkSync('one.yaml', join(folder, 'link.yaml'));
    const link = join(folder, 'link.yaml');
    expect(await headgate(['fmt', link])).toEqual({ code: 0, out: `${link}\n`, err: '' });
    expect(readFileSync(file, 'utf8')).toBe(FINE);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(await headgate(['fmt', link])).toEqual({ code: 0, out: '', err: '' });
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('--check changes nothing, and ends with 1', async () => {
    const file = written('two.yaml', UGLY);
    expect(await headgate(['fmt', '--check', '-c', file])).toEqual({ code: 1, out: `${file}\n`, err: '' });
    expect(readFileSync(file, 'utf8')).toBe(UGLY);
    expect(await headgate(['fmt', '-', '--check'], { stdin: FINE })).toEqual({ code: 0, out: '', err: '' });
    expect(await headgate(['fmt', '-', '--check'], { stdin: UGLY })).toMatchObject({ code: 1, out: '<stdin>\n' });
  });

  test('- is a filter', async () => {
    expect(await headgate(['fmt', '-'], { stdin: UGLY })).toEqual({ code: 0, out: FINE, err: '' });
  });

  test('touches no file that does not parse, and formats the others', async () => {
    const broken = written('broken.yaml', 'a: [\n');
    const other = written('three.yaml', UGLY);
    const { code, out, err } = await headgate(['fmt', broken, other, join(folder, 'nowhere.yaml')]);
    expect({ code, out }).toEqual({ code: 78, out: `${other}\n` });
    expect(err).toMatch(/^error\[HG0101\]: .*\n.*broken\.yaml:/);
    expect(err).toContain('nowhere.yaml: no such file or directory');
    expect(readFileSync(broken, 'utf8')).toBe('a: [\n');
  });

  test.each([
    [['fmt', '-', 'a'], 'takes no other path'],
    [['fmt', 'a', '-c', 'b'], 'not both'],
  ])('refuses %j', async (argv, message) => {
    expect(await headgate(argv)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(message) });
  });
});
