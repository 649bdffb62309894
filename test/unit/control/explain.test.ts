import { describe, expect, test } from 'vitest';
import { compileOnly } from '../../../src/cli/compile-only.ts';
import { configFromObject, loadConfigText } from '../../../src/config/load.ts';
import { explain } from '../../../src/control/explain/explain.ts';
import type { Explanation } from '../../../src/control/explain/explanation.ts';
import { type QuestionInput, readQuestion } from '../../../src/control/explain/question.ts';

/** Asks a configuration in YAML, which does not run. */
function asked(yaml: string, question: QuestionInput, environment: Record<string, string> = {}): Explanation {
  const loaded = loadConfigText(
    { path: 'g.yaml', files: new Map([['g.yaml', yaml]]), included: new Map() },
    environment,
  );
  if (!loaded.ok) throw new Error(loaded.diagnostics[0]?.message);
  const compiled = compileOnly(loaded);
  if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message);
  const read = readQuestion(question);
  if (!read.ok) throw new Error(read.message);
  const { config, origins } = loaded;
  const state = { ports: new Map(), running: false, nowMs: 0 };
  return explain({ snapshot: compiled.snapshot, config, origins, ...state }, read.question);
}

const SHOP = `
listeners:
  https: { port: 443, tls: {}, passthrough: [{ sni: bank.test, pool: shop }] }
  http: { port: 80, redirectTo: https }
  plain: { port: 8080, underscores: refuse }
  db: { port: 5432, kind: tcp, passthrough: [{ sni: db.test, pool: shop }] }
pools:
  shop: { endpoints: ['10.0.0.1:80'], connections: { connectTimeout: 1s } }
defaults:
  timeouts: { idle: 20s }
routes:
  - { name: users, match: { path: '/users/{id}' }, pool: shop, timeouts: { head: 5s } }
  - { name: beta, match: { path: '/**', headers: { X-Key: '\${KEY}' } }, pool: shop }
  - { name: orders, match: { path: /orders/**, method: POST }, pool: shop }
  - name: paid
    match: { path: /paid/** }
    pool: shop
    query: { set: { key: '\${KEY}' } }
    rewrite: { path: '/bot\${KEY}{path}' }
    requestHeaders: { set: { Authorization: 'Basic abc', X-Auth: 'Key \${KEY} for {client.address}' } }
    cache: true
`;

const KEY = 'open/sesame';
const ask = (url: string, more: Omit<QuestionInput, 'url'> = {}) => asked(SHOP, { url, ...more }, { KEY });

describe('an explanation', () => {
  test('says where each setting comes from: the route, the defaults, the pool, or nowhere', () => {
    const settings = ask('https://a.test/users/7').settings.map(
      ({ key, value, origin }) => `${key} ${value} ${origin}`,
    );
    expect(settings).toContain('timeouts.head 5s g.yaml:12');
    expect(settings).toContain('timeouts.idle 20s defaults at g.yaml:10');
    expect(settings).toContain('timeouts.total none default');
    expect(settings).toContain('connections.connectTimeout 1s pool shop at g.yaml:8');
  });

  test('names the nearest route first, and what it wants', () => {
    const { outcome, nearMisses } = ask('https://a.test/order/7', { method: 'POST' });
    expect(outcome).toMatchObject({ kind: 'refuse', by: 'routing', status: 404, reason: 'no-route' });
    expect(nearMisses.map(({ name }) => name)).toEqual(['beta', 'orders', 'paid', 'users']);
    expect(ask('https://a.test/orders/7').nearMisses[0]).toMatchObject({
      name: 'orders',
      misses: [{ subject: 'method', actual: 'GET', wanted: 'POST' }],
    });
  });

  test('never shows what was filled in for ${…}, in whatever form it goes upstream', () => {
    const told = ask('https://a.test/paid/x');
    expect(JSON.stringify(told)).not.toMatch(/sesame/);
    expect(told.upstream?.target).toBe('/bot${KEY}/paid/x?key=${KEY}');
    const headers = told.upstream?.headers.map(({ name, value }) => `${name}: ${value}`);
    expect(headers).toEqual(expect.arrayContaining(['Authorization: (secret)', 'X-Auth: Key ${KEY} for 127.0.0.1']));
    expect(told.nearMisses.find(({ name }) => name === 'beta')?.misses[0]?.wanted).toBe('"${KEY}"');
    expect(told.cache?.partition.map(({ by }) => by)).toEqual(['route', 'rewritten-target', 'request-headers']);
  });

  test('shows nothing of a path that only some know, nor of what a route writes into its answers', () => {
    const yaml = `
listeners: { web: { port: 80 } }
pools: { shop: { endpoints: ['10.0.0.1:80'] } }
routes:
  - { name: hook, match: { path: '/hook/\${KEY}/**' }, pool: shop }
  - { name: rest, pool: shop, responseHeaders: { set: { X-K: '\${KEY}' } } }
`;
    const told = asked(yaml, { url: 'http://a.test/hook/x' }, { KEY: 'sesame' });
    expect(JSON.stringify(told)).not.toMatch(/sesame/);
    expect(told.nearMisses[0]).toMatchObject({ match: '/hook/${KEY}/**', misses: [{ wanted: '/hook/${KEY}/**' }] });
  });

  test('shows nothing of what was filled in for ${…} in policies, of groups and of the route', () => {
    const yaml = `
listeners: { web: { port: 80 } }
policies:
  blocked: { access: { deny: '\${NET}' } }
routes:
  - { respond: {}, use: blocked, access: { allow: [10.0.0.0/8, '\${NET}'] } }
`;
    const { policies } = asked(yaml, { url: 'http://a.test/' }, { NET: '203.0.113.0/24' });
    expect(policies.filter(({ policy }) => policy === 'access').map(({ words }) => words)).toEqual([
      'deny ${NET} (group blocked)',
      'allow 10.0.0.0/8, ${NET} alone',
    ]);
  });

  test.each<[url: string, more: Omit<QuestionInput, 'url'>, outcome: object]>([
    ['http://a.test/x', {}, { kind: 'reply', by: 'listener', status: 301, location: 'https://a.test/x' }],
    ['https://bank.test/', {}, { kind: 'passthrough', pool: 'shop' }],
    ['https://a.test/a%2fb', {}, { kind: 'refuse', by: 'admission', status: 400, reason: 'encoded-slash' }],
    ['https://a.test/ä', {}, { kind: 'refuse', by: 'listener', status: 400, reason: 'bad-target' }],
    ['https://a.test/', { method: 'TRACE' }, { kind: 'refuse', by: 'admission', status: 405 }],
    ['https://a.test/', { method: 'CONNECT' }, { kind: 'refuse', by: 'listener', status: 501 }],
    ['http://a.test:8080/', { headers: { a_b: '1' } }, { kind: 'refuse', reason: 'underscore-in-field-name' }],
    ['https://a.test/', { headers: { Via: Array(4).fill('1.1 headgate') } }, { kind: 'refuse', status: 508 }],
    ['http://a.test:5432/', {}, { kind: 'closed', reason: 'nothing-forwards-it' }],
    ['http://a.test/', { listener: 'nope' }, { kind: 'closed', reason: 'unknown-listener' }],
    ['https://a.test', { method: 'OPTIONS' }, { kind: 'reply', status: 204, reason: 'options' }],
    ['https://a.test/users/7', { headers: { Upgrade: 'websocket' } }, { kind: 'tunnel', protocol: 'websocket' }],
  ])('tells what comes before routing: %s %o', (url, more, outcome) => {
    expect(ask(url, more).outcome).toMatchObject(outcome);
  });
});

test('a client without the certificate that a listener requires is refused before routing', () => {
  const loaded = configFromObject({ listeners: { tls: { port: 443, tls: {} } }, routes: [{ respond: {} }] });
  const compiled = loaded.ok ? compileOnly(loaded) : null;
  if (!loaded.ok || compiled?.ok !== true) throw new Error('The configuration is wrong');
  const { tls } = loaded.config.listeners;
  const demanding = { mode: 'require', ca: 'ca.pem', forward: false } as const;
  const listeners = { tls: { ...tls, tls: { ...tls?.tls, clientCertificates: demanding } } };
  const config = { ...loaded.config, listeners } as typeof loaded.config;
  const state = { ports: new Map(), running: false, nowMs: 0, config, origins: loaded.origins };
  const outcomeOf = (input: QuestionInput) => {
    const read = readQuestion(input);
    return read.ok ? explain({ snapshot: compiled.snapshot, ...state }, read.question).outcome : null;
  };
  expect(outcomeOf({ url: 'https://a.test/' })).toMatchObject({
    ...{ kind: 'refuse', by: 'admission', status: 400, reason: 'client-certificate-required' },
  });
  expect(outcomeOf({ url: 'https://a.test/', certificate: { subject: 'CN=a' } })).toMatchObject({ kind: 'reply' });
});

describe('a question', () => {
  test.each<[input: unknown, pointer: string, message: string]>([
    ['x', '', 'a question is an object: { "method": "GET", "url": "https://…" }'],
    [{ ulr: 'x' }, '/ulr', 'unknown key “ulr”; did you mean “url”?'],
    [{}, '/url', 'missing key “url”'],
    [{ url: 'ftp://a' }, '/url', '“ftp://a” is not a URL; for example https://shop.example/api'],
    [{ url: 'http://a/', method: 'G T' }, '/method', '“G T” is not a method'],
    [
      { url: 'http://a/', headers: { 'X/Y': 'a' } },
      '/headers/X~1Y',
      '“X/Y” is not a header field name (RFC 9110 §5.1)',
    ],
    [{ url: 'http://a/', headers: { X: 'a\nb' } }, '/headers/X', '“a\nb” is not a field value'],
    [{ url: 'http://a/', client: '10.0.0.0/8' }, '/client', '“10.0.0.0/8” is not an IP address'],
    [{ url: 'http://a/', certificate: { cn: 'a' } }, '/certificate/cn', 'unknown key “cn”'],
    [{ url: 'http://a/', bodyBytes: -1 }, '/bodyBytes', '“-1” is not a number of bytes'],
  ])('%o is refused with a pointer to what is wrong', (input, pointer, message) => {
    expect(readQuestion(input)).toEqual({ ok: false, pointer, message });
  });
});

describe('routes that ask what the body says', () => {
  const yaml = `
listeners: { plain: { port: 80 } }
routes:
  - { name: buy, match: { body: { json: { /action: buy }, whenTooLarge: refuse } }, respond: { status: 201 } }
  - { name: other, respond: { status: 204 } }
bodyMatching: { limit: 100 }
`;
  const headers = { 'Content-Type': 'application/json' };
  const told = (more: Omit<QuestionInput, 'url'>) =>
    asked(yaml, { url: 'http://a.test/', method: 'POST', headers, ...more });

  test('are asked with the body that is given', () => {
    expect(told({ body: '{"action":"buy"}' }).route).toMatchObject({ name: 'buy', match: '/** + body json /action' });
    const other = told({ body: '{"action":"é"}' });
    expect(other.route).toMatchObject({ name: 'other' });
    expect(other.nearMisses[0]?.misses).toEqual([{ subject: 'body json /action', wanted: '"buy"', actual: '"é"' }]);
    expect(other.notes).toEqual([]);
  });

  test('say so where only its length is', () => {
    const { route, notes } = told({ bodyBytes: 10 });
    expect([route?.name, notes]).toEqual(['other', [expect.stringContaining('routes ask what the body says')]]);
    expect(told({}).notes).toEqual([]);
  });

  test('refuse as they would', () => {
    const large = told({ body: JSON.stringify({ x: 'x'.repeat(100) }) });
    expect(large.outcome).toMatchObject({
      kind: 'refuse',
      by: 'route',
      status: 413,
      reason: 'body-too-large-to-match',
    });
    expect(large.notes).toEqual(['would be noted in the log: match-body:too-large']);
    expect(told({ body: '{' }).notes).toEqual(['would be noted in the log: match-body:malformed']);
  });

  test.each([[7], [{}]])('%j is no body', (body) => {
    expect(readQuestion({ url: 'http://a/', body })).toMatchObject({ ok: false, pointer: '/body' });
  });
});
