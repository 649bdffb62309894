import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientGone, GatewayError, type RetryVerdict } from '../../../src/errors.ts';
import { type FailedAttempt, judgeRetry } from '../../../src/upstream/retry.ts';

function failure(retry: RetryVerdict): GatewayError {
  return new GatewayError('connection_terminated', { blame: 'upstream', status: 502, reason: 'reset', retry });
}

const unseen: FailedAttempt = {
  error: failure('always'),
  method: 'POST',
  bodyUntouched: true,
  attempt: 1,
  maxAttempts: 3,
  reusedConnection: false,
  replayedReused: false,
};
const stale: FailedAttempt = { ...unseen, error: failure('if-reused'), method: 'GET', reusedConnection: true };

describe('a failed attempt', () => {
  test.each<[string, FailedAttempt, ReturnType<typeof judgeRetry>]>([
    ['that the endpoint cannot have seen goes elsewhere, even a POST', unseen, { again: true, why: 'not-seen' }],
    [
      'on a stale kept-alive connection is repeated when it is a GET',
      stale,
      { again: true, why: 'reused-connection-died' },
    ],
    [
      'that may have been acted upon is final',
      { ...unseen, error: failure('never'), method: 'GET' },
      { again: false, why: 'may-have-been-acted-upon' },
    ],
    ['of a client that left is final', { ...unseen, error: clientGone() }, { again: false, why: 'client-gone' }],
    ['is final when it was the last allowed one', { ...unseen, attempt: 3 }, { again: false, why: 'attempts-spent' }],
    [
      'is final when retries are switched off, stale connection or not',
      { ...stale, maxAttempts: 1 },
      { again: false, why: 'attempts-spent' },
    ],
    [
      'is final once a byte of its body was sent',
      { ...unseen, bodyUntouched: false },
      { again: false, why: 'body-sent' },
    ],
    [
      'on a stale connection is final once a byte of its body was sent',
      { ...stale, method: 'PUT', bodyUntouched: false },
      { again: false, why: 'body-sent' },
    ],
    [
      'that died on a fresh connection is final',
      { ...stale, reusedConnection: false },
      { again: false, why: 'fresh-connection' },
    ],
    [
      'on a second stale connection is final',
      { ...stale, attempt: 2, replayedReused: true },
      { again: false, why: 'already-replayed' },
    ],
    [
      'after the replay still goes elsewhere if the endpoint cannot have seen it',
      { ...unseen, attempt: 2, replayedReused: true },
      { again: true, why: 'not-seen' },
    ],
  ])('%s', (_, failed, expected) => {
    expect(judgeRetry(failed)).toEqual(expected);
  });

  test.each([
    ['GET', true],
    ['HEAD', true],
    ['OPTIONS', true],
    ['TRACE', true],
    ['QUERY', true],
    ['PUT', true],
    ['DELETE', true],
    ['POST', false],
    ['PATCH', false],
    ['CONNECT', false],
    ['get', false],
    ['PROPFIND', false],
  ])('on a stale connection, %s, is repeated: %s (RFC 9110 §9.2.2)', (method, again) => {
    expect(judgeRetry({ ...stale, method }).again).toBe(again);
  });

  test('is never repeated after a sent byte, a client that left, or the last attempt, whatever else holds', () => {
    const any = fc.record({
      error: fc.constantFrom(failure('always'), failure('if-reused'), failure('never'), clientGone()),
      method: fc.constantFrom('GET', 'POST', 'PUT'),
      bodyUntouched: fc.boolean(),
      attempt: fc.integer({ min: 1, max: 5 }),
      maxAttempts: fc.integer({ min: 1, max: 5 }),
      reusedConnection: fc.boolean(),
      replayedReused: fc.boolean(),
    });
    fc.assert(
      fc.property(any, (failed) => {
        if (!judgeRetry(failed).again) return;
        expect(failed.bodyUntouched).toBe(true);
        expect(failed.error.blame).not.toBe('client');
        expect(failed.attempt).toBeLessThan(failed.maxAttempts);
      }),
    );
  });
});
