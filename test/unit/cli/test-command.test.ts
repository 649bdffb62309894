import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import { stopAfterTest } from '../../kit/stop.ts';

const SHOP = `
listeners: { web: { port: 80 } }
pools: { shop: { endpoints: ['10.0.0.1:80'] } }
routes:
  - name: users
    match: { path: /users/** }
    pool: shop
    tests:
      - GET http://a.test/users/7
  - { name: site, match: { path: /site }, pool: shop }
`;

/** Runs \`headgate test\` in a directory with these files. */
async function headgate(files: Readonly<Record<string, string | Buffer>>, ...argv: string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-test-command-'));
  stopAfterTest(async () => rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  let [out, err] = ['', ''];
  const io = {
    stdin: (async function* () {})(),
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
    environment: {},
  };
  const given = argv.map((argument) => argument.replace('@', directory));
  const code = await runCommandLine(['test', '-c', directory, ...given], io);
  const plain = (text: string): string => text.replaceAll(`${directory}/`, '');
  return { code, out: plain(out), err: plain(err), directory };
}

const WRONG = '- { name: wrong, request: GET http://a.test/site, expect: { route: users, status: 200 } }\n';

describe('headgate test', () => {
  test('prints each test and what they reach, and ends with 0 when all pass', async () => {
    const { code, out } = await headgate({ 'shop.yaml': SHOP });
    expect({ code, out }).toEqual({
      code: 0,
      out: '✓ GET http://a.test/users/7  shop.yaml:9\n\n1 test passed\n1 of 2 routes reached (50%)\n  not reached: site  shop.yaml:10\n',
    });
  });

  test('says what is different, where that was expected, and why it was another route; and ends with 1', async () => {
    const { code, out } = await headgate({ 'shop.yaml': SHOP, 'shop.test.yaml': WRONG });
    expect(code).toBe(1);
    expect(out).toContain('✗ wrong                      shop.test.yaml:1\n');
    expect(out).toContain('    route   expected users, is site  shop.test.yaml:1\n');
    expect(out).toContain('            users: path is /site, wants /users/**\n');
    expect(out).toContain('2 tests: 1 passed, 1 failed\n2 of 2 routes reached (100%)\n');
  });

  test('reads files of tests as it reads configurations: with a byte order mark, and in UTF-8 alone', async () => {
    const marked = await headgate({ 'shop.yaml': SHOP, 'x.test.yaml': `\ufeff${WRONG.replace('/site', '/users/')}` });
    expect(marked.out).toContain('wrong');
    const latin = await headgate({
      'shop.yaml': SHOP,
      'x.test.yaml': Buffer.from('- GET http://a.test/\xe4\n', 'latin1'),
    });
    expect([latin.code, latin.err]).toEqual([78, expect.stringContaining('it is not UTF-8')]);
  });

  test('fails under a share of the routes', async () => {
    expect(await headgate({ 'shop.yaml': SHOP }, '--fail-under', '50')).toMatchObject({ code: 0 });
    const short = await headgate({ 'shop.yaml': SHOP }, '--fail-under', '51%');
    expect([short.code, short.out.split('\n')[3]]).toEqual([1, '1 of 2 routes reached (50%), less than 51%']);
  });

  test('writes a report in the format of JUnit', async () => {
    const odd = WRONG.replace('name: wrong', 'name: "a <b> & \\"c\\"\\x01"');
    const { directory } = await headgate({ 'shop.yaml': SHOP, 'x.test.yaml': odd }, '--junit', '@/report.xml');
    const report = readFileSync(join(directory, 'report.xml'), 'utf8').replaceAll(`${directory}/`, '');
    expect(report).toContain('<testsuite name="headgate test" tests="2" failures="1" errors="0" skipped="0">');
    expect(report).toContain('name="GET http://a.test/users/7" classname="shop.yaml" file="shop.yaml" line="9"/>');
    expect(report).toContain('name="a &lt;b&gt; &amp; &quot;c&quot;�" classname="x.test.yaml"');
    expect(report).toContain('<failure message="route   expected users, is site  x.test.yaml:1">');
    const nowhere = await headgate({ 'shop.yaml': SHOP }, '--junit', '@/no/report.xml');
    expect([nowhere.code, nowhere.err]).toEqual([1, 'headgate: Cannot write no/report.xml: ENOENT\n']);
  });

  test('runs those that a filter leaves, and fails when there are none', async () => {
    const files = { 'shop.yaml': SHOP, 'shop.test.yaml': WRONG };
    expect(await headgate(files, '--filter', 'USERS/')).toMatchObject({ code: 0 });
    const none = await headgate(files, '--filter', 'nope');
    expect([none.code, none.out, none.err.split('\n')[0]]).toEqual([1, '', 'headgate: No test has “nope” in it']);
  });

  test('tells programs too that there are none', async () => {
    const { code, out, err } = await headgate({ 'shop.yaml': SHOP }, '--json', '--filter', 'nope');
    expect([code, JSON.parse(out).ok, JSON.parse(out).tests]).toEqual([1, false, []]);
    expect(err).toContain('No test has “nope” in it');
  });

  test('has everything for programs', async () => {
    const { out } = await headgate({ 'shop.yaml': SHOP, 'shop.test.yaml': WRONG }, '--json');
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      tests: [{ ok: true }, { name: 'wrong', ok: false, differences: [{ field: 'route' }, { field: 'status' }] }],
      coverage: { routes: 2, reached: 2, percent: 100, unreached: [] },
    });
  });

  test('ends with 78 for tests and configurations that are wrong, each with its place', async () => {
    const misspelt = await headgate({ 'shop.yaml': SHOP, 'a.test.yaml': WRONG.replace('expect', 'expct') });
    expect([misspelt.code, misspelt.out]).toEqual([78, '']);
    expect(misspelt.err).toMatch(/unknown key “expct”\n.*a\.test\.yaml:1:51\n[\s\S]*did you mean “expect”\?/);
    const empty = await headgate({ 'shop.yaml': SHOP, 'a.test.yaml': '- { request: http://a/, expect: {} }' });
    expect(empty.err).toContain('say what is expected: route, pool, url, status, …');
    const broken = await headgate({ 'shop.yaml': SHOP.replace('pool: shop }', 'pool: shpo }') });
    expect([broken.code, broken.err.includes('pool “shpo” does not exist')]).toEqual([78, true]);
  });
});
