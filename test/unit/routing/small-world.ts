import fc from 'fast-check';
import type { RequestMessage } from '../../../src/routing/body/request-message.ts';
import type { PathMatch, RouteMatch, RouteRequest, RouteRule, ValueTest } from '../../../src/routing/route.ts';
import { certificateFacts } from '../../kit/client-certificate.ts';
import { jsonBody } from './bodies.ts';

// A world so small that all of its requests can be tried, and rules so alike that many hide or contradict each other.

const HOSTS = ['a.test', 'b.a.test', 'other'];
const METHODS = ['GET', 'PUT'];
const PATHS = ['/', '/a', '/a/b', '/a/', '*'];
const VALUES = [[], ['a'], ['b'], ['a', 'b'], ['b', 'a']];
const CLIENTS = ['10.0.0.1', '10.1.0.1', '192.0.2.7'];

/** Every request there is: 4 500. */
export const everyRequest: readonly RouteRequest[] = HOSTS.flatMap((host) =>
  METHODS.flatMap((method) =>
    PATHS.flatMap((path) =>
      CLIENTS.flatMap((clientAddress) =>
        VALUES.flatMap((header) =>
          VALUES.map((other) => ({ host, method, path, clientAddress, ...valuesOf(header, other) })),
        ),
      ),
    ),
  ),
);

/** The same values for cookie and parameter, which keeps the world small and loses no combination with the header. */
function valuesOf(header: readonly string[], other: readonly string[]) {
  const cookies = other.map((value) => `c=${value}`).join('; ');
  return {
    headers: [...header.flatMap((value) => ['X', value]), ...(cookies === '' ? [] : ['Cookie', cookies])],
    query: other.length === 0 ? null : other.map((value) => `q=${value}`).join('&'),
    serverName: null,
    tls: false,
    body: bodyOf(header.join('')),
    clientCertificate:
      header.length === 0 ? null : certificateFacts({ subject: header[0] ?? '', names: header, fingerprint: 'a' }),
  };
}

/** What the header says, in the body too: one value, an object, or what is no JSON. */
function bodyOf(said: string): RequestMessage | null {
  if (said === '') return null;
  return jsonBody(said.length === 1 ? `{"p":"${said}"}` : said === 'ab' ? '{"p":[]}' : '{"p"');
}

const valueTest: fc.Arbitrary<ValueTest> = fc.constantFrom<ValueTest>(
  { kind: 'exact', value: 'a' },
  { kind: 'exact', value: 'b' },
  { kind: 'oneOf', values: ['a', 'b'] },
  { kind: 'oneOf', values: ['a'] },
  { kind: 'prefix', value: '' },
  { kind: 'regex', value: '^[ab]$' },
  { kind: 'present' },
  { kind: 'absent' },
);

const path: fc.Arbitrary<PathMatch> = fc.constantFrom<PathMatch>(
  { kind: 'exact', value: '/a' },
  { kind: 'prefix', value: '/a' },
  { kind: 'prefix', value: '/' },
  { kind: 'pattern', value: '/{x}' },
  { kind: 'pattern', value: '/a/{y}' },
  { kind: 'pattern', value: '/{x}/**' },
  { kind: 'regex', value: 'b$' },
);

const condition: fc.Arbitrary<RouteMatch> = fc.oneof(
  fc.constantFrom(['a.test'], ['*.test'], ['*.a.test'], ['a.test', '*.test'], ['other']).map((host) => ({ host })),
  path.map((value) => ({ path: value })),
  fc.constantFrom(['GET'], ['PUT'], ['GET', 'PUT']).map((method) => ({ method })),
  fc.constantFrom(['10.0.0.0/8'], ['10.0.0.1'], ['192.0.2.0/24', '10.1.0.0/16']).map((client) => ({ client })),
  valueTest.map((test) => ({ headers: { x: test } })),
  valueTest.map((test) => ({ headers: { X: test } })),
  valueTest.map((test) => ({ cookies: { c: test } })),
  valueTest.map((test) => ({ query: { q: test } })),
  valueTest.map((test) => ({ clientCertificate: { subject: test } })),
  valueTest.map((test) => ({ clientCertificate: { san: test } })),
  fc.tuple(valueTest, fc.constantFrom('no-match' as const, 'refuse' as const)).map(([test, whenMalformed]) => ({
    body: { json: { '/p': test }, whenTooLarge: 'no-match' as const, whenMalformed },
  })),
  fc.tuple(valueTest, valueTest).map(([san, subject]) => ({ clientCertificate: { san, subject } })),
);

function merged(parts: readonly RouteMatch[]): RouteMatch {
  return Object.assign({}, ...parts);
}

const { match } = fc.letrec<{ match: RouteMatch; nested: RouteMatch }>((tie) => ({
  nested: fc.array(fc.oneof({ depthSize: 'small' }, condition, tie('match')), { maxLength: 2 }).map(merged),
  match: fc
    .array(
      fc.oneof(
        { weight: 5, arbitrary: condition },
        { weight: 1, arbitrary: fc.array(tie('nested'), { minLength: 1, maxLength: 2 }).map((all) => ({ all })) },
        { weight: 1, arbitrary: fc.array(tie('nested'), { minLength: 1, maxLength: 2 }).map((any) => ({ any })) },
        { weight: 1, arbitrary: tie('nested').map((not) => ({ not })) },
      ),
      { maxLength: 4 },
    )
    .map(merged),
}));

const LISTENERS = [null, ['web'], ['admin'], ['web', 'admin']];

export const alikeRules: fc.Arbitrary<readonly RouteRule<number>[]> = fc
  .array(
    fc.record({
      match,
      priority: fc.constantFrom(0, 0, 1),
      listeners: fc.constantFrom(...LISTENERS),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((drafts) =>
    drafts.map((draft, order) => ({
      ...draft,
      name: `r${order}`,
      at: `routes/test.yaml:${order + 1}`,
      order,
      plan: order,
    })),
  );
