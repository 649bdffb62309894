import { expect, test } from 'vitest';
import { type HeadLimits, headLimitsPolicy } from '../../../src/policy/head-limits.ts';
import { requestFor } from './policy-request.ts';

/** 35 bytes: `GET /abcd HTTP/1.1`, `Host: a`, `A: b`, each with its line end. */
const HEADERS = ['Host', 'a', 'A', 'b'];

function answer(limits: Partial<HeadLimits>, target = '/abcd'): string {
  const policy = headLimitsPolicy({ headerBytes: null, headerCount: null, targetBytes: null, ...limits });
  const verdict = policy.admit(requestFor(target, '/', { request: { headers: HEADERS } }));
  return verdict?.kind === 'refuse' ? `${verdict.error.status} ${verdict.error.reason}` : 'in';
}

test.each<readonly [Partial<HeadLimits>, string]>([
  [{ headerBytes: 35 }, 'in'],
  [{ headerBytes: 34 }, '431 headers-too-large'],
  [{ headerCount: 2 }, 'in'],
  [{ headerCount: 1 }, '431 headers-too-large'],
  [{ targetBytes: 5 }, 'in'],
  [{ targetBytes: 4 }, '414 target-too-long'],
  [{ targetBytes: 4, headerCount: 1 }, '414 target-too-long'],
])('a head of 35 bytes, 2 fields and a target of 5 with %j: %s', (limits, expected) => {
  expect(answer(limits)).toBe(expected);
});

test('the query is part of the target', () => {
  expect(answer({ targetBytes: 10 }, '/?a=123456')).toBe('in');
  expect(answer({ targetBytes: 10 }, '/?a=1234567')).toBe('414 target-too-long');
});
