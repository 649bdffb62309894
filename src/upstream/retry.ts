import type { GatewayError } from '../errors.ts';
import type { RetryReason } from './retry-account.ts';
import type { Backoff } from './retry-backoff.ts';

/** Hedging: a second attempt when the first takes longer than most. */
export interface HedgePolicy {
  /** Of the latency of the pool's response heads, in (0, 1): a hedge starts when so many would have come. */
  readonly quantile: number;
  /** Hedges of one exchange. */
  readonly max: number;
  /** None starts earlier. */
  readonly minimumMs: number;
}

/** What a route says of its retries, compiled. */
export interface RetryPolicy {
  /** In total, hedges included; 1 for no retry. */
  readonly attempts: number;
  /** Failures before the request was seen: refused, unreachable, TLS, a stream that was refused. */
  readonly connect: boolean;
  /** A kept-alive connection that died as the request left, once an exchange. */
  readonly reused: boolean;
  /** A connection or stream that died before a byte of response. */
  readonly reset: boolean;
  /** No head in time. */
  readonly timeout: boolean;
  /** `null` for none. */
  readonly statuses: ReadonlySet<number> | null;
  /** For each attempt, from its beginning to the head of its response; 0 for none. */
  readonly attemptTimeoutMs: number;
  readonly backoff: Backoff;
  /** A request body up to this size can be sent again. */
  readonly bodyBytes: number;
  /** A request with an `Idempotency-Key` counts as idempotent. */
  readonly idempotencyKey: boolean;
  /** `null` for none. */
  readonly hedge: HedgePolicy | null;
}

/** What the exchange has spent so far, and whether it could be sent again at all. */
export interface AttemptFacts {
  /** This attempt's number, from 1. */
  readonly attempt: number;
  /** Sending it twice is sending it once: by its method (RFC 9110 §9.2.2), or by a key that the route believes. */
  readonly repeatable: boolean;
  /** The body can be sent from its beginning: none of it was handed on, or all that was is kept. True without a body. */
  readonly bodyKept: boolean;
  /** The connection had carried a request before; false when nothing was sent. */
  readonly reusedConnection: boolean;
  /** An interim response came. */
  readonly responseBegun: boolean;
  /** The exchange was already repeated because a reused connection died. */
  readonly replayedReused: boolean;
}

/** Whether to try again, and why. */
export type RetryJudgement =
  | { readonly again: true; readonly why: RetryReason }
  | { readonly again: false; readonly why: NoRetry };

export type NoRetry =
  | 'client-gone'
  | 'may-have-been-acted-upon'
  | 'attempts-spent'
  | 'body-sent'
  | 'fresh-connection'
  | 'already-replayed'
  | 'not-idempotent'
  | 'not-asked-for';

/**
 * May the exchange make another attempt after this one failed? Pure. Never after a client that left, the last allowed attempt, or
 * a body that is not there any more. What the endpoint cannot have seen goes elsewhere, whatever its method; what it may have
 * seen, only if sending it twice does no harm. Precedence: client, attempts, body, class of failure, method.
 */
export function judgeRetry(error: GatewayError, facts: AttemptFacts, policy: RetryPolicy): RetryJudgement {
  if (error.blame === 'client') return no('client-gone');
  if (facts.attempt >= policy.attempts) return no('attempts-spent');
  if (!facts.bodyKept) return no('body-sent');
  if (error.retry === 'always') return judgeUnseen(error, policy);
  if (isTimeout(error)) return policy.timeout ? ifRepeatable('timeout', facts) : no('may-have-been-acted-upon');
  if (error.code !== 'connection_terminated' || facts.responseBegun) return no('may-have-been-acted-upon');
  return judgeReset(error, facts, policy);
}

/** The same for an answer: is its status one that the route wants another attempt for? */
export function judgeAnswer(status: number, facts: AttemptFacts, policy: RetryPolicy): RetryJudgement {
  if (policy.statuses === null || !policy.statuses.has(status)) return no('not-asked-for');
  if (facts.attempt >= policy.attempts) return no('attempts-spent');
  if (!facts.bodyKept) return no('body-sent');
  return ifRepeatable(`${status}`, facts);
}

function judgeUnseen(error: GatewayError, policy: RetryPolicy): RetryJudgement {
  if (policy.timeout && isTimeout(error)) return { again: true, why: 'timeout' };
  return policy.connect ? { again: true, why: 'connect' } : no('not-asked-for');
}

function judgeReset(error: GatewayError, facts: AttemptFacts, policy: RetryPolicy): RetryJudgement {
  const stale = error.retry === 'if-reused' && facts.reusedConnection;
  // The endpoint itself is not suspect: whatever else is asked for, this has a name of its own.
  if (stale && policy.reused && !facts.replayedReused) return ifRepeatable('reused', facts);
  if (policy.reset) return ifRepeatable('reset', facts);
  if (error.retry === 'never') return no('may-have-been-acted-upon');
  return no(stale ? (policy.reused ? 'already-replayed' : 'not-asked-for') : 'fresh-connection');
}

function ifRepeatable(why: RetryReason, facts: AttemptFacts): RetryJudgement {
  return facts.repeatable ? { again: true, why } : no('not-idempotent');
}

/** Nobody has answered in time: the head of the response, or the endpoint that took no more of the body. */
function isTimeout({ code }: GatewayError): boolean {
  return code === 'http_response_timeout' || code === 'connection_write_timeout';
}

function no(why: NoRetry): RetryJudgement {
  return { again: false, why };
}
