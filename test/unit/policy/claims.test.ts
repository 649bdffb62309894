import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { getHeader, type HeaderDraft } from '../../../src/http/headers.ts';
import type { Compiled } from '../../../src/policy/compiled.ts';
import { compileHeaderEdits } from '../../../src/policy/header-edits.ts';
import { claimText, type Identity, userOf } from '../../../src/policy/identity.ts';
import { compileRedirect } from '../../../src/policy/redirect.ts';
import { compileRespond } from '../../../src/policy/respond.ts';
import { compileRewrite } from '../../../src/policy/rewrite.ts';
import type { Variables } from '../../../src/policy/variables.ts';
import { variables } from './exchange-facts.ts';

function known(claims: Identity['claims'], over: Partial<Identity> = {}): Variables {
  const nothing = { removes: null, cookie: null, fields: [] };
  return variables({ identity: { scheme: 'jwt', user: 'alice', claims, ...nothing, ...over } });
}

function right<T>(compiled: Compiled<T>): T {
  if (!compiled.ok) throw new Error(compiled.message);
  return compiled.value;
}

function header(text: string, facts: Variables): string | null {
  const draft: HeaderDraft = [];
  right(compileHeaderEdits({ set: { 'X-It': text } }, [], 'request'))?.(draft, facts);
  return getHeader(draft, 'x-it');
}

describe('a claim as text', () => {
  test('is nothing where it would be another one once it is a field: blanks and controls at its ends go on the way', () => {
    for (const name of [' admin', 'admin ', '\tadmin', 'admin\n', '\0admin', 'admin\x7f']) {
      expect([claimText({ name }, 'name'), claimText({ name: ['a', name] }, 'name')]).toEqual(['', 'a,']);
      expect(userOf({ name }, 'name')).toBe('');
      expect(header('{claim.name}', known({ name }))).toBeNull();
    }
    expect([claimText({ name: 'a\nb' }, 'name'), userOf({ name: 'a\nb' }, 'name')]).toEqual(['a\nb', '']);
    expect(userOf({ name: 'a b \u00e9' }, 'name')).toBe('a b \u00e9');
  });

  test('is nothing for a number that JSON did not keep, or two users would have one name', () => {
    for (const written of ['9007199254740993', '-9007199254740993', '1e300', '1e400']) {
      const claims = JSON.parse(`{"sub":${written},"ids":[1,${written}]}`);
      expect([claimText(claims, 'sub'), claimText(claims, 'ids')]).toEqual(['', '1,']);
    }
    expect(claimText(JSON.parse('{"n":9007199254740991.0}'), 'n')).toBe('9007199254740991');
  });

  const claims = {
    ...{
      sub: 'u1',
      admin: true,
      level: 7,
      groups: ['a', 'b', 3],
      nested: { roles: ['x'], 'a.b': 'deep' },
      nothing: null,
    },
    'https://shop.test/role': 'owner',
    'realm.name': 'dotted',
  };
  test.each([
    ['sub', 'u1'],
    ['admin', 'true'],
    ['level', '7'],
    ['groups', 'a,b,3'],
    ['nested.roles', 'x'],
    ['nested', ''],
    ['nothing', ''],
    ['missing', ''],
    ['sub.length', ''],
    ['groups.0', 'a'],
    ['https://shop.test/role', 'owner'],
    ['realm.name', 'dotted'],
    ['constructor', ''],
    ['nested.__proto__.x', ''],
  ])('%s is %j', (name, text) => {
    expect(claimText(claims, name)).toBe(text);
  });
});

test('{auth.user}, {auth.scheme}, {claim.NAME} and {jwt.NAME} are empty for nobody, and {jwt.NAME} for who has no token', () => {
  const text = '{auth.user}|{auth.scheme}|{claim.sub}|{jwt.sub}';
  expect(header(text, variables())).toBe('|||');
  expect(header('{claim.sub}', variables())).toBe(null);
  expect(header(text, known({ sub: 'u1' }))).toBe('alice|jwt|u1|u1');
  expect(header(text, known({ sub: 'k1' }, { scheme: 'api-key' }))).toBe('alice|api-key|k1|');
});

test('{path.NAME} is the capture of that name; a route without it has no such variable', () => {
  const edits = compileHeaderEdits({ set: { 'X-It': '{path.idd}' } }, ['id'], 'request');
  expect(edits).toMatchObject({ ok: false, message: expect.stringContaining('path.idd') });
  expect(header('{path.id}', variables({ captures: ['id', '42'] }))).toBe('42');
});

/** What a hostile issuer, or a user who chooses his own name, might put into a claim. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '\r\nX-Evil: 1',
    '//evil.test',
    '\\\\evil.test',
    '../../etc',
    '%2e%2e%2f',
    '"><script>',
    '@evil.test',
    '?a#b',
  ),
);

test('whatever is in a claim, it stays one header value, one place on this host, one segment of a path, one string of JSON', () => {
  const location = right(compileRedirect({ to: 'https://{host}/u/{claim.x}', status: 302, keepQuery: false }, []));
  const relative = right(compileRedirect({ to: '/{claim.x}', status: 302, keepQuery: false }, []));
  const rewrite = right(compileRewrite({ path: '/u/{claim.x}/end' }, [], { matchedPrefix: null }));
  const respond = right(compileRespond({ status: 200, headers: {}, body: '{"it":"{claim.x}"}' }, []));
  fc.assert(
    fc.property(hostile, (x) => {
      const facts = known({ x });
      expect(header('{claim.x}', facts) ?? '').not.toMatch(/[\x00-\x08\x0a-\x1f\x7f]/);
      const url = new URL(getHeader(location(facts).headers, 'location') ?? '');
      expect([url.origin, url.pathname.startsWith('/u/')]).toEqual(['https://shop.test', true]);
      const to = getHeader(relative(facts).headers, 'location') ?? '';
      expect(new URL(to, 'https://shop.test').origin).toBe('https://shop.test');
      expect(rewrite?.('/a', facts).split('/')).toHaveLength(4);
      const body = Buffer.from(respond(facts).body ?? []).toString();
      expect(Object.keys(JSON.parse(body))).toEqual(['it']);
    }),
    { seed: 9, numRuns: 500 },
  );
});
