import type { GatewayError } from '../errors.ts';
import { isIdempotent } from '../http/method.ts';

/** A failed attempt before any byte of response, and what the exchange has spent so far. */
export interface FailedAttempt {
  readonly error: GatewayError;
  readonly method: string;
  /** `BodySource.untouched` of the request: true as well when there is no body. */
  readonly bodyUntouched: boolean;
  /** This attempt's number, from 1. */
  readonly attempt: number;
  /** Attempts in total, at least 1. */
  readonly maxAttempts: number;
  /** What `AttemptReceiver.sent` said; false when it was never called. */
  readonly reusedConnection: boolean;
  /** The exchange was already repeated once because a reused connection died. */
  readonly replayedReused: boolean;
}

/** Whether to try again, and why. */
export type RetryJudgement =
  /** The endpoint cannot have seen the request: add it to `tried` and pick another. None left: stop with this error. */
  | { readonly again: true; readonly why: 'not-seen' }
  /** The kept-alive connection was stale; the endpoint itself is not suspect: pick without adding it to `tried`. */
  | { readonly again: true; readonly why: 'reused-connection-died' }
  | { readonly again: false; readonly why: NoRetry };

export type NoRetry =
  | 'client-gone'
  | 'may-have-been-acted-upon'
  | 'attempts-spent'
  | 'body-sent'
  | 'fresh-connection'
  | 'already-replayed'
  | 'not-idempotent';

const NOT_SEEN: RetryJudgement = { again: true, why: 'not-seen' };
const REUSED_CONNECTION_DIED: RetryJudgement = { again: true, why: 'reused-connection-died' };

/**
 * May the exchange make another attempt? Pure. A repeat never follows a client that left, a body of which a byte was
 * sent, or the last allowed attempt. Beyond that the error's own verdict decides; a request that the endpoint may have
 * seen is repeated only if its method is idempotent (RFC 9110 §9.2.2), and only once.
 */
export function judgeRetry(failed: FailedAttempt): RetryJudgement {
  const { error } = failed;
  if (error.blame === 'client') return no('client-gone');
  if (error.retry === 'never') return no('may-have-been-acted-upon');
  if (failed.attempt >= failed.maxAttempts) return no('attempts-spent');
  if (!failed.bodyUntouched) return no('body-sent');
  if (error.retry === 'always') return NOT_SEEN;
  if (!failed.reusedConnection) return no('fresh-connection');
  if (failed.replayedReused) return no('already-replayed');
  if (!isIdempotent(failed.method)) return no('not-idempotent');
  return REUSED_CONNECTION_DIED;
}

function no(why: NoRetry): RetryJudgement {
  return { again: false, why };
}
