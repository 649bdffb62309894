import { describe, expect, test } from 'vitest';
import { compileOnly } from '../../../src/cli/compile-only.ts';
import { loadConfigText } from '../../../src/config/load.ts';
import { collectTests } from '../../../src/control/expectations/collect.ts';
import { runTests, type TestRun } from '../../../src/control/expectations/run.ts';

const SHOP = `
listeners: { web: { port: 80 }, old: { port: 8080 } }
pools:
  shop: { endpoints: ['10.0.0.1:80'] }
  next: { endpoints: ['10.0.0.2:80'] }
routes:
  - name: users
    match: { path: '/users/{id}' }
    pool: shop
    rewrite: { path: '/u/{id}' }
    query: { set: { key: '\${KEY}' } }
    requestHeaders: { set: { X-User: '{id}', Authorization: 'Basic \${KEY}' }, remove: [Cookie] }
    cache: { defaultTtl: 1m }
  - { name: canary, match: { path: /c/** }, split: [{ pool: shop, weight: 9 }, { pool: next, weight: 1 }] }
  - { name: old, match: { path: /old/** }, redirect: { to: 'https://{host}/new', status: 308, keepQuery: false } }
  - { name: rare, match: { path: /rare, headers: { X: 'y' } }, respond: { status: 204, headers: { X-R: ä } } }
`;

/** Runs tests beside the route \`users\`, given as YAML. */
function run(tests: string): TestRun {
  const yaml = SHOP.replace('    cache: {', `    tests:\n${tests.replace(/^/gm, '      ')}\n    cache: {`);
  const text = { path: 'g.yaml', files: new Map([['g.yaml', yaml]]), included: new Map() };
  const loaded = loadConfigText(text, { KEY: 'sesame' });
  if (!loaded.ok) throw new Error(loaded.diagnostics[0]?.message);
  const compiled = compileOnly(loaded);
  if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message);
  const { config, origins } = loaded;
  const { cases, diagnostics } = collectTests(loaded, []);
  if (diagnostics[0] !== undefined) throw new Error(diagnostics.map(complaintOf).join('\n'));
  const subject = { snapshot: compiled.snapshot, config, origins, ports: new Map(), running: false, nowMs: 0 };
  return runTests(subject, cases);
}

const complaintOf = ({ line, column, message, suggestion }: Complaint) =>
  `${line}:${column} ${message}${suggestion === null ? '' : `; ${suggestion}`}`;

interface Complaint {
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly suggestion: string | null;
}

/** What is otherwise than the one test expects, in words. */
function failuresOf(test: string): readonly string[] {
  const [result] = run(test).results;
  const found = result?.differences.map(({ field, expected, actual }) => `${field}: ${expected} / ${actual}`) ?? [
    'no result',
  ];
  return result?.hint == null ? found : [...found, result.hint];
}

const of = (request: string, expected: string) => failuresOf(`- { request: ${request}, expect: { ${expected} } }`);
const USER = 'GET http://a.test/users/7';

describe('a test', () => {
  test.each([
    [USER, 'route: users, pool: shop, url: /u/7?key=sesame, host: a.test, cache: true'],
    [USER, 'headers: { X-User: "7", Via: 1.1 headgate, Cookie: { absent: true }, X-Forwarded-For: { present: true } }'],
    [USER, 'headers: { authorization: Basic sesame }, cache: { key: http://a.test/users/7, fresh: 1m }'],
    ['{ url: http://a.test/users/7, method: POST }', 'cache: { bypass: method }'],
    ['GET http://a.test/c/x', 'route: canary, pool: [shop, next], cache: false'],
    ['GET http://a.test/old/x', 'route: old, pool: false, status: 308, redirect: https://a.test/new, reason: redirect'],
    ['GET http://a.test/none', 'route: false, status: 404, reason: no-route'],
    ['{ url: http://a.test/rare, headers: { x: y } }', 'route: rare, status: 204, responseHeaders: { X-R: ä }'],
    ['GET http://a.test/users/a%2fb', 'route: false, status: 400, reason: encoded-slash'],
  ])('passes: %s → %s', (request, expected) => {
    expect(of(request, expected)).toEqual([]);
  });

  test.each([
    [USER, 'route: canary', ['route: canary / users', 'canary: path is /users/7, wants /c/**']],
    [USER, 'pool: [next]', ['pool: next / shop']],
    ['GET http://a.test/c/x', 'route: canary, pool: shop', ['pool: shop / shop or next']],
    [USER, 'url: /u/8', ['url: /u/8 / /u/7?key=${KEY}']],
    [USER, 'headers: { X-User: "8" }', ['headers X-User: 8 / 7']],
    [USER, 'headers: { Authorization: Basic x }', ['headers Authorization: (secret) / (something else)']],
    [
      USER,
      'headers: { Via: { absent: true }, Foo: { present: true } }',
      ['headers Via: absent / 1.1 headgate', 'headers Foo: present / absent'],
    ],
    [USER, 'status: 200', ['status: 200 / nothing: Headgate does not answer itself']],
    [USER, 'cache: { fresh: 2m }', ['cache.fresh: 2m / 1m']],
    ['GET http://a.test/old/x', 'route: old, url: /x', ['url: /x / nothing: it is not forwarded']],
    ['GET http://a.test/rare', 'route: rare', ['route: rare / none', 'rare: header x is absent, wants "y"']],
    ['GET http://a.test/none', '', ['route: users / none', 'users: path is /none, wants /users/{id}']],
  ])('fails: %s → %s', (request, expected, failures) => {
    expect(of(request, expected)).toEqual(failures);
  });

  test('shows nothing of the secrets that it was given itself', () => {
    const request = '{ url: "http://a.test/rare?t=${KEY}", headers: { X-Api-Key: literal-key } }';
    const expected = '{ route: rare, redirect: "/${KEY}", headers: { X-Api-Key: another-key } }';
    const [result] = run(`- { request: ${request}, expect: ${expected} }`).results;
    expect(result?.name).toBe('GET http://a.test/rare?t=${KEY}');
    expect(JSON.stringify(result)).not.toMatch(/sesame|literal-key|another-key/);
  });

  test('says why it was another route for the first hundred, so that thousands take no minutes', () => {
    const { results } = run('- GET http://a.test/rare\n'.repeat(101));
    expect(results.map(({ hint }) => hint).indexOf(null)).toBe(100);
  });

  test('beside a route needs no more than the request', () => {
    expect(run(`- ${USER}`).results[0]).toMatchObject({ name: USER, at: 'g.yaml:14', ok: true });
  });

  test.each([
    ['{ request: http://a/, expect: { route: user } }', '14:48 route “user” does not exist; did you mean “users”?'],
    ['{ request: http://a/, expect: { pool: shopp } }', '14:47 pool “shopp” does not exist; did you mean “shop”?'],
    ['{ request: { url: http://a/, client: 10.0.0.0/8 } }', '14:46 “10.0.0.0/8” is not an IP address'],
    ['{ request: { url: http://a/, listener: webb } }', '14:48 listener “webb” does not exist; did you mean “web”?'],
    ['{ request: http://a b/ }', 'is not a request'],
    ['{ request: http://a/, expect: { stauts: 200 } }', 'unknown key “stauts”'],
  ])('that can’t be meant is refused where it is written: %s', (given, complaint) => {
    expect(() => run(`- ${given}`)).toThrow(complaint);
  });
});

describe('coverage', () => {
  test('counts the routes that took a request, whatever was expected of it', () => {
    const { coverage } = run(`- ${USER}\n- { request: GET http://a.test/old/x, expect: { route: users } }`);
    expect(coverage).toEqual({
      ...{ routes: 4, reached: 2, percent: 50 },
      unreached: [
        { name: 'canary', at: 'g.yaml:17' },
        { name: 'rare', at: 'g.yaml:19' },
      ],
    });
  });
});

test('a body is asked about as it would be sent', () => {
  const yaml = `
listeners: { web: { port: 80 } }
routes:
  - name: buy
    match: { body: { json: { /action: buy } } }
    respond: { status: 201 }
    tests:
      - request: { method: POST, url: http://a/, headers: { Content-Type: application/json }, body: '{"action":"buy"}' }
      - request: { method: POST, url: http://a/, headers: { Content-Type: application/json }, body: '{"action":"sell"}' }
        expect: { route: false }
`;
  const loaded = loadConfigText({ path: 'g.yaml', files: new Map([['g.yaml', yaml]]), included: new Map() }, {});
  if (!loaded.ok) throw new Error(loaded.diagnostics[0]?.message);
  const compiled = compileOnly(loaded);
  if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message);
  const { config, origins } = loaded;
  const subject = { snapshot: compiled.snapshot, config, origins, ports: new Map(), running: false, nowMs: 0 };
  expect(runTests(subject, collectTests(loaded, []).cases).results.map(({ ok }) => ok)).toEqual([true, true]);
});
