import { describe, expect, test } from 'vitest';
import { type AccessOptions, accessPolicy } from '../../../../src/policy/access/access.ts';
import { NetworkSetDraft } from '../../../../src/policy/access/network-set.ts';
import type { PolicyRequest } from '../../../../src/policy/admit.ts';
import { policyRequest } from '../policy-request.ts';

function networks(...entries: string[]) {
  const draft = new NetworkSetDraft();
  for (const entry of entries) expect(draft.add(entry)).toBeNull();
  return { current: draft.built() };
}

function policyOf(options: Partial<AccessOptions>) {
  return accessPolicy({ deny: [], allow: null, methods: null, rules: [], dryRun: false, ...options });
}

/** `status reason Allow`, or "in". */
function answer(options: Partial<AccessOptions>, request: PolicyRequest): string {
  const verdict = policyOf(options).admit(request);
  if (verdict?.kind !== 'refuse') return 'in';
  const { status, reason, code, fields } = verdict.error;
  expect(code).toBe('http_request_denied');
  return [status, reason, ...fields].join(' ');
}

const from = (address: string) => policyRequest({ client: { address } });

describe('addresses', () => {
  const office = { allow: [networks('10.0.0.0/8', 'unix:'), networks('fd00::/8')], deny: [networks('10.6.6.0/24')] };

  test.each([
    ['10.1.1.1', 'in'],
    ['fd00::1', 'in'],
    ['unix:', 'in'],
    ['10.6.6.1', '403 address-denied'],
    ['192.0.2.7', '403 address-denied'],
    ['', '403 address-denied'],
  ])('of an office, without one network of it: %s is %s', (address, expected) => {
    expect(answer(office, from(address))).toBe(expected);
  });

  test.each([
    ['203.0.113.9', '403 address-denied'],
    ['203.0.113.10', 'in'],
    ['2001:db8::1', 'in'],
    ['', 'in'],
  ])('where one is denied and nobody is allowed by name: %s is %s', (address, expected) => {
    expect(answer({ deny: [networks('203.0.113.9')] }, from(address))).toBe(expected);
  });

  test('an allow-list that is empty lets nobody in', () => {
    expect(answer({ allow: [] }, from('10.0.0.1'))).toBe('403 address-denied');
  });

  test('what a file holds counts from the moment when it is there', () => {
    const file = { current: networks('10.0.0.1').current };
    const policy = policyOf({ deny: [file] });
    expect(policy.admit(from('10.0.0.2'))).toBeNull();
    file.current = networks('10.0.0.2').current;
    expect(policy.admit(from('10.0.0.2'))).not.toBeNull();
    expect(policy.admit(from('10.0.0.1'))).toBeNull();
  });
});

describe('methods', () => {
  test.each([
    ['GET', 'in'],
    ['HEAD', 'in'],
    ['PUT', 'in'],
    ['POST', '405 method-not-allowed Allow GET, HEAD, PUT'],
    ['get', '405 method-not-allowed Allow GET, HEAD, PUT'],
  ])('GET and PUT alone: %s is %s', (method, expected) => {
    expect(answer({ methods: ['GET', 'PUT'] }, policyRequest({ request: { method } }))).toBe(expected);
  });

  test('are not told to who may not come in at all', () => {
    const request = policyRequest({ request: { method: 'POST' } });
    expect(answer({ methods: ['GET'], deny: [networks('0.0.0.0/0')] }, request)).toBe('403 address-denied');
  });
});

describe('rules', () => {
  const rule = (label: string, allows: boolean, holds: boolean) => ({ label, allows, holds: () => holds });

  test.each([
    ['none holds', [rule('1', false, false)], 'in', []],
    ['the first denies', [rule('a', false, true), rule('b', true, true)], '403 rule-denied', ['access-rule:a']],
    ['the first allows', [rule('a', true, true), rule('b', false, true)], 'in', []],
    ['a later one denies', [rule('a', true, false), rule('2', false, true)], '403 rule-denied', ['access-rule:2']],
  ])('where %s', (_, rules, expected, notes) => {
    const request = policyRequest();
    expect(answer({ rules }, request)).toBe(expected);
    expect(request.notes).toEqual(notes);
  });

  test('that allow let nobody in whose address is denied', () => {
    expect(answer({ deny: [networks('192.0.2.0/24')], rules: [rule('1', true, true)] }, policyRequest())).toBe(
      '403 address-denied',
    );
  });
});

test('a dry run lets everybody in, and notes who would not have been', () => {
  const request = policyRequest();
  expect(answer({ deny: [networks('192.0.2.7')], dryRun: true }, request)).toBe('in');
  expect(request.notes).toEqual(['address-denied:dry-run']);
});
