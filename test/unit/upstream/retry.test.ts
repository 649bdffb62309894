import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientGone, type ErrorCode, GatewayError, type RetryVerdict } from '../../../src/errors.ts';
import { type AttemptFacts, judgeAnswer, judgeRetry, type RetryPolicy } from '../../../src/upstream/retry.ts';

function failure(retry: RetryVerdict, code: ErrorCode = 'connection_terminated'): GatewayError {
  return new GatewayError(code, { blame: 'upstream', status: 502, reason: 'reset', retry });
}

const usual: RetryPolicy = {
  attempts: 3,
  connect: true,
  reused: true,
  reset: false,
  timeout: false,
  statuses: null,
  attemptTimeoutMs: 0,
  backoff: { baseMs: 25, maxMs: 250, retryAfterMs: 5_000 },
  bodyBytes: 65_536,
  idempotencyKey: false,
  hedge: null,
};
const eager: RetryPolicy = { ...usual, reset: true, timeout: true, statuses: new Set([502, 503]) };

const first: AttemptFacts = {
  attempt: 1,
  repeatable: true,
  bodyKept: true,
  reusedConnection: false,
  responseBegun: false,
  replayedReused: false,
};
const post: AttemptFacts = { ...first, repeatable: false };
const stale: AttemptFacts = { ...first, reusedConnection: true };
const unseen = failure('always');
const died = failure('if-reused');
const reset = failure('never');
const late = failure('never', 'http_response_timeout');
const garbage = failure('never', 'http_protocol_error');
const again = (why: string) => ({ again: true, why });
const no = (why: string) => ({ again: false, why });

describe('a failed attempt', () => {
  test.each<[string, GatewayError, AttemptFacts, RetryPolicy, object]>([
    ['that the endpoint cannot have seen goes elsewhere, even a POST', unseen, post, usual, again('connect')],
    ['the same where that is not asked for', unseen, post, { ...eager, connect: false }, no('not-asked-for')],
    ['on a stale kept-alive connection is repeated', died, stale, usual, again('reused')],
    ['the same where that is not asked for', died, stale, { ...usual, reused: false }, no('not-asked-for')],
    ['on a stale connection is final for a POST', died, { ...stale, repeatable: false }, eager, no('not-idempotent')],
    ['of a client that left is final', clientGone(), first, eager, no('client-gone')],
    ['is final when it was the last allowed one', unseen, { ...first, attempt: 3 }, usual, no('attempts-spent')],
    ['is final when retries are switched off', died, stale, { ...usual, attempts: 1 }, no('attempts-spent')],
    ['is final once its body is gone', unseen, { ...first, bodyKept: false }, eager, no('body-sent')],
    [
      'on a stale connection is final once its body is gone',
      died,
      { ...stale, bodyKept: false },
      usual,
      no('body-sent'),
    ],
    ['that died on a fresh connection is final', died, first, usual, no('fresh-connection')],
    ['on a second stale connection is final', died, { ...stale, replayedReused: true }, usual, no('already-replayed')],
    ['on a second stale connection counts as a reset', died, { ...stale, replayedReused: true }, eager, again('reset')],
    ['that was reset is final unless that is asked for', reset, first, usual, no('may-have-been-acted-upon')],
    ['that was reset is repeated where that is asked for', reset, first, eager, again('reset')],
    ['that was reset is final for a POST', reset, post, eager, no('not-idempotent')],
    [
      'after an interim response is final',
      reset,
      { ...first, responseBegun: true },
      eager,
      no('may-have-been-acted-upon'),
    ],
    ['that was late is final unless that is asked for', late, first, usual, no('may-have-been-acted-upon')],
    ['that was late is repeated where that is asked for', late, first, eager, again('timeout')],
    ['that was late is final for a POST', late, post, eager, no('not-idempotent')],
    [
      'that was late before it was sent goes elsewhere, even a POST',
      failure('always', 'http_response_timeout'),
      post,
      { ...eager, connect: false },
      again('timeout'),
    ],
    ['that got garbage is final whatever is asked for', garbage, first, eager, no('may-have-been-acted-upon')],
  ])('%s', (_, error, facts, policy, expected) => {
    expect(judgeRetry(error, facts, policy)).toEqual(expected);
  });

  test('is never repeated where that could do harm, whatever else holds', () => {
    const codes: ErrorCode[] = ['connection_terminated', 'http_response_timeout', 'http_protocol_error'];
    const anyError = fc.oneof(
      fc.constant(clientGone()),
      fc
        .tuple(fc.constantFrom<RetryVerdict>('always', 'if-reused', 'never'), fc.constantFrom(...codes))
        .map(([retry, code]) => failure(retry, code)),
    );
    const anyFacts = fc.record({
      attempt: fc.integer({ min: 1, max: 5 }),
      repeatable: fc.boolean(),
      bodyKept: fc.boolean(),
      reusedConnection: fc.boolean(),
      responseBegun: fc.boolean(),
      replayedReused: fc.boolean(),
    });
    const anyPolicy = fc
      .record({
        attempts: fc.integer({ min: 1, max: 5 }),
        connect: fc.boolean(),
        reused: fc.boolean(),
        reset: fc.boolean(),
        timeout: fc.boolean(),
      })
      .map((part): RetryPolicy => ({ ...usual, ...part }));
    fc.assert(
      fc.property(anyError, anyFacts, anyPolicy, (error, facts, policy) => {
        if (!judgeRetry(error, facts, policy).again) return;
        expect(facts.bodyKept).toBe(true);
        expect(error.blame).not.toBe('client');
        expect(facts.attempt).toBeLessThan(policy.attempts);
        if (error.retry !== 'always') expect(facts.repeatable).toBe(true);
      }),
      { seed: 4, numRuns: 2_000 },
    );
  });
});

describe('an answer', () => {
  test.each<[string, number, AttemptFacts, RetryPolicy, object]>([
    ['with a listed status is asked for again', 503, first, eager, again('503')],
    ['with another one is an answer', 500, first, eager, no('not-asked-for')],
    ['is an answer whatever its status, unless asked for', 503, first, usual, no('not-asked-for')],
    ['to a POST is an answer: the endpoint has seen it', 503, post, eager, no('not-idempotent')],
    ['to the last allowed attempt is an answer', 503, { ...first, attempt: 3 }, eager, no('attempts-spent')],
    ['to a request whose body is gone is an answer', 503, { ...first, bodyKept: false }, eager, no('body-sent')],
  ])('%s', (_, status, facts, policy, expected) => {
    expect(judgeAnswer(status, facts, policy)).toEqual(expected);
  });
});
