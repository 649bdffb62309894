import fc from 'fast-check';
import type { PathMatch, RouteMatch, RouteRequest, RouteRule, ValueTest } from '../../../src/routing/route.ts';
import { certificateFacts } from '../../kit/client-certificate.ts';

// Few names and values on purpose: what matters are collisions.
const host = fc.constantFrom('a.test', 'b.a.test', 'c.b.a.test', 'x.test', 'test', '[::1]');
const hostPattern = fc.constantFrom(
  'a.test',
  'b.a.test',
  'c.b.a.test',
  '*.test',
  '*.a.test',
  '*.b.a.test',
  'x.test',
  '[::1]',
);
const segment = fc.constantFrom('a', 'b', 'ab', '');
/** No canonical path starts with two slashes. */
const segments = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .filter((parts) => parts.length === 1 || parts[0] !== '');
const text = fc.constantFrom('a', 'b', 'ab', '');
const textPattern = fc.constantFrom('^a', 'b$', '^(a|b)$', 'x');
const client = fc.constantFrom('10.0.0.1', '10.1.2.3', '192.0.2.7', '2001:db8::1');
const network = fc.constantFrom('10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '0.0.0.0/0', '192.0.2.0/24', '2001:db8::1');
const method = fc.constantFrom('GET', 'POST', 'PROPFIND');

const pathPattern = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '', '{}'), { maxLength: 3 }), fc.constantFrom('a', '{}', '**', '{...}', ''))
  .map(([before, last]) => [...before, last].map((part, i) => part.replace('{', `{p${i}`)).join('/'))
  .filter((value) => !value.startsWith('/'))
  .map((value): PathMatch => ({ kind: 'pattern', value: `/${value}` }));

const path: fc.Arbitrary<PathMatch> = fc.oneof(
  segments.map((parts): PathMatch => ({ kind: 'exact', value: `/${parts.join('/')}` })),
  segments.map((parts): PathMatch => ({ kind: 'prefix', value: `/${parts.join('/')}` })),
  pathPattern,
  fc.constantFrom('^/a', 'b', '^/(a|b)/', '/$').map((value): PathMatch => ({ kind: 'regex', value })),
);

const valueTest: fc.Arbitrary<ValueTest> = fc.oneof(
  text.map((value): ValueTest => ({ kind: 'exact', value })),
  fc.array(text, { minLength: 1, maxLength: 2 }).map((values): ValueTest => ({ kind: 'oneOf', values })),
  text.map((value): ValueTest => ({ kind: 'prefix', value })),
  textPattern.map((value): ValueTest => ({ kind: 'regex', value })),
  fc.constantFrom<ValueTest>({ kind: 'present' }, { kind: 'absent' }),
);

function tests(...names: readonly string[]) {
  return fc.dictionary(fc.constantFrom(...names), valueTest, { minKeys: 1, maxKeys: 2 });
}

const conditions = {
  host: fc.array(hostPattern, { minLength: 1, maxLength: 2 }),
  path,
  method: fc.array(method, { minLength: 1, maxLength: 2 }),
  headers: tests('X-A', 'x-b'),
  cookies: tests('c', 'd'),
  query: tests('q', 'r'),
  client: fc.array(network, { minLength: 1, maxLength: 2 }),
  sni: fc.array(hostPattern, { minLength: 1, maxLength: 2 }),
  clientCertificate: tests('subject', 'san', 'fingerprint'),
};

/** Half of the conditions of one level, rarely a nested one. */
const { match } = fc.letrec<{ match: RouteMatch; nested: RouteMatch }>((tie) => ({
  nested: fc.record(conditions, { requiredKeys: [] }).map(thinned),
  match: fc
    .record(
      {
        ...conditions,
        all: fc.array(tie('nested'), { minLength: 1, maxLength: 2 }),
        any: fc.array(tie('nested'), { minLength: 1, maxLength: 2 }),
        not: tie('nested'),
      },
      { requiredKeys: [] },
    )
    .map(thinned),
}));

/** Keeps the first three conditions at most, or no request would ever meet them all. */
function thinned(full: RouteMatch): RouteMatch {
  const entries = Object.entries(full).filter(([, value]) => value !== undefined);
  const skip = JSON.stringify(full).length % Math.max(1, entries.length);
  return Object.fromEntries([...entries.slice(skip), ...entries.slice(0, skip)].slice(0, 3));
}

export const ruleSet: fc.Arbitrary<readonly RouteRule<number>[]> = fc
  .array(fc.record({ match, priority: fc.integer({ min: -1, max: 1 }) }), { minLength: 1, maxLength: 12 })
  .map((drafts) =>
    drafts.map((draft, order) => ({
      ...draft,
      name: `r${order}`,
      at: `routes/test.yaml:${order + 1}`,
      listeners: null,
      order,
      plan: order,
    })),
  );

const headers = fc
  .array(
    fc.oneof(
      fc.tuple(fc.constantFrom('X-A', 'x-a', 'X-B', 'x-c'), text),
      fc.tuple(
        fc.constant('Cookie'),
        fc
          .array(fc.constantFrom('c=a', 'c=b', 'd=', 'd=ab', 'cc=a'), { minLength: 1, maxLength: 3 })
          .map((pairs) => pairs.join('; ')),
      ),
    ),
    { maxLength: 4 },
  )
  .map((lines) => lines.flat());

const query = fc.option(
  fc
    .array(fc.constantFrom('q=a', 'q=b', 'q', 'r=a%62', 'r=', '%71=ab', '', 'qq=a'), { maxLength: 3 })
    .map((pairs) => pairs.join('&')),
);

export const routeRequest: fc.Arbitrary<RouteRequest> = fc.record({
  method,
  host,
  path: fc.oneof(
    { weight: 20, arbitrary: segments.map((parts) => `/${parts.join('/')}`) },
    { weight: 1, arbitrary: fc.constant('*') },
  ),
  query,
  headers,
  clientAddress: client,
  serverName: fc.option(host),
  tls: fc.boolean(),
  body: fc.constant(null),
  clientCertificate: fc.option(
    fc
      .record({ subject: text, names: fc.array(text, { maxLength: 2 }), fingerprint: text })
      .map((facts) => certificateFacts(facts)),
  ),
});
