import { expect, test } from 'vitest';
import { type ClaimTest, compileRequire, type RequireConfig } from '../../../../src/policy/auth/require.ts';
import type { AuthScheme } from '../../../../src/policy/identity.ts';
import { problemsOf, working } from '../exchange-facts.ts';
import { policyRequest } from '../policy-request.ts';

const CLAIMS = {
  role: 'admin',
  level: 5,
  serial: JSON.parse('9007199254740993'),
  staff: true,
  groups: ['a', 'b', 7],
  scope: 'read write',
  org: { id: 'x' },
  no: null,
};

function asked(config: Partial<RequireConfig>, scheme: AuthScheme = 'jwt') {
  const request = policyRequest();
  request.identity = { scheme, user: 'ada', claims: CLAIMS, fields: [], removes: null, cookie: null };
  const verdict = working(compileRequire({ claims: {}, users: null, ...config })).admit(request);
  if (verdict === null) return 'passes';
  if (verdict.kind !== 'refuse') throw new Error(verdict.kind);
  const { status, reason, fields } = verdict.error;
  return [status, reason, ...fields.slice(1), ...request.notes].join(' · ');
}

test.each<[string, string, ClaimTest, boolean]>([
  ['a value', 'role', { kind: 'oneOf', values: ['admin'] }, true],
  ['another value', 'role', { kind: 'oneOf', values: ['Admin', 'user'] }, false],
  ['a number', 'level', { kind: 'oneOf', values: ['5'] }, true],
  ['a number that JSON did not keep', 'serial', { kind: 'oneOf', values: ['9007199254740992'] }, false],
  ['a boolean', 'staff', { kind: 'oneOf', values: ['true'] }, true],
  ['a list where a value is meant', 'groups', { kind: 'oneOf', values: ['a', 'a,b,7'] }, false],
  ['an object where a value is meant', 'org', { kind: 'oneOf', values: ['[object Object]'] }, false],
  ['a member of a list', 'groups', { kind: 'contains', values: ['b'] }, true],
  ['all of several members', 'groups', { kind: 'contains', values: ['b', '7'] }, true],
  ['not all of several members', 'groups', { kind: 'contains', values: ['b', 'c'] }, false],
  ['a word of a text', 'scope', { kind: 'contains', values: ['write'] }, true],
  ['a piece of a word', 'scope', { kind: 'contains', values: ['writ'] }, false],
  ['the text itself', 'scope', { kind: 'contains', values: ['read write'] }, true],
  ['a claim in a claim', 'org.id', { kind: 'oneOf', values: ['x'] }, true],
  ['a name that objects have anyway', 'toString', { kind: 'present' }, false],
  ['anything', 'org', { kind: 'present' }, true],
  ['nothing', 'missing', { kind: 'present' }, false],
  ['null', 'no', { kind: 'present' }, false],
  ['a match', 'role', { kind: 'regex', source: '^adm' }, true],
  ['no match', 'role', { kind: 'regex', source: '^user$' }, false],
  ['a match of a list', 'groups', { kind: 'regex', source: '.*' }, false],
])('%s', (_, claim, claimTest, passes) => {
  expect(asked({ claims: { [claim]: claimTest } }) === 'passes').toBe(passes);
});

test('the reason, the claim and, for tokens, what would do are told', () => {
  const scope = { scope: { kind: 'contains', values: ['write', 'admin'] } } as const;
  expect(asked({ claims: scope })).toBe(
    '403 · claim-refused · Bearer error="insufficient_scope", scope="write admin" · claim-refused:scope',
  );
  expect(asked({ claims: { x: { kind: 'present' } } })).toBe(
    '403 · claim-missing · Bearer error="insufficient_scope" · claim-missing:x',
  );
  expect(asked({ claims: scope }, 'api-key')).toBe('403 · claim-refused · claim-refused:scope');
  const quoted = { scope: { kind: 'contains', values: ['a"b'] } } as const;
  expect(asked({ claims: quoted })).toContain('Bearer error="insufficient_scope" ·');
});

test('users are told by their names, and both rules have to hold', () => {
  expect(asked({ users: ['bob', 'ada'] })).toBe('passes');
  expect(asked({ users: ['bob'] })).toBe('403 · user-refused');
  expect(asked({ users: ['ada'], claims: { x: { kind: 'present' } } })).toContain('claim-missing');
});

test('nobody at all is refused, but for a question that nobody sent', () => {
  const policy = working(compileRequire({ claims: {}, users: ['ada'] }));
  expect(policy.admit(policyRequest())).toMatchObject({ kind: 'refuse', error: { status: 403 } });
  expect(policy.admit(policyRequest({ hypothetical: true }))).toBeNull();
});

test('a regular expression that RE2 does not know is told of at its place', () => {
  const problems = problemsOf(compileRequire({ claims: { a: { kind: 'regex', source: '(?=x)' } }, users: null }));
  expect(problems[0]).toMatch(/^claims\.a\.regex: not a regular expression that RE2 knows/);
});
