import type { TimerHandle } from '../clock.ts';
import type { GatewayError } from '../errors.ts';
import type { BodySource } from '../exchange/body.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import { getHeader, hasHeader } from '../http/headers.ts';
import { isIdempotent } from '../http/method.ts';
import { parseRetryAfter } from '../http/retry-after.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { Pool } from '../upstream/pool.ts';
import { type AttemptFacts, judgeAnswer, judgeRetry, type RetryPolicy } from '../upstream/retry.ts';
import type { RetryReason } from '../upstream/retry-account.ts';
import { backoffMs } from '../upstream/retry-backoff.ts';
import { DISCARD_BYTES, type EndpointAttempt } from './endpoint-attempt.ts';
import type { EngineParts } from './parts.ts';
import type { Patience } from './patience.ts';
import type { Progress, RetryObstacle } from './progress.ts';
import { ReplayBody } from './replay-body.ts';

export interface RetryingParts {
  readonly parts: EngineParts;
  readonly progress: Progress;
  readonly policy: RetryPolicy;
  readonly pool: Pool;
  /** Attempts at other pools. */
  readonly madeBefore: number;
  readonly body: BodySource | null;
  readonly patience: Patience;
  /** Makes the next attempt, which `made` is to hear of; `lastError` is for the case that there is no endpoint for it. */
  readonly again: (lastError: GatewayError | null) => void;
}

/** Is sending it twice sending it once: by its method (RFC 9110 §9.2.2), or by a key that the route believes? */
export function isRepeatable(progress: Progress, policy: RetryPolicy): boolean {
  const { method, headers } = progress.request;
  return isIdempotent(method) || (policy.idempotencyKey && hasHeader(headers, 'idempotency-key'));
}

/**
 * The attempts of one exchange after the first: whether there is one more, when, and where not. Made when the first one
 * fails: an exchange that needs no retry has none of this.
 */
export class Retrying {
  readonly #with: RetryingParts;
  /** Endpoints that failed this exchange; as many as it has attempts at most. */
  readonly #tried: Endpoint[] = [];
  #failed: Endpoint | null = null;
  #replayedReused = false;
  #why: RetryReason = 'connect';
  #receipt = -1;
  #pause: TimerHandle | null = null;

  constructor(parts: RetryingParts) {
    this.#with = parts;
  }

  get tried(): readonly Endpoint[] {
    return this.#tried;
  }

  /**
   * When every endpoint that can serve was tried: whom to leave out all the same, or `null` when none may be asked again. One that
   * could not be connected to is not worth the wait; one that was overloaded or slow may have recovered in the pause.
   */
  get comingBack(): readonly Endpoint[] | null {
    return this.#why === 'connect' || this.#failed === null ? null : [this.#failed];
  }

  /** `attempt` failed, and nothing else is under way. True: there will be another, or it is under way already. */
  afterFailure(attempt: EndpointAttempt, error: GatewayError): boolean {
    const { policy, body } = this.#with;
    const verdict = judgeRetry(error, this.#facts(attempt), policy);
    if (!verdict.again) return false;
    const { why } = verdict;
    // At once where it goes to an endpoint that has not seen it, or where only the connection was at fault.
    const pauseMs = why === 'reused' || why === 'connect' ? 0 : this.#backoffMs();
    if (!this.#pays(why, pauseMs)) return false;
    body?.unpipe();
    if (why === 'reused') this.#replayedReused = true;
    else this.leaveOut(attempt.endpoint);
    if (pauseMs === 0) this.#with.again(error);
    else this.#wait(pauseMs, error);
    return true;
  }

  /** The same after a response head: true means that the response is not wanted, and `attempt` is over or being discarded. */
  afterAnswer(attempt: EndpointAttempt, head: ResponseHead): boolean {
    const { parts, policy, body } = this.#with;
    const verdict = judgeAnswer(head.status, this.#facts(attempt), policy);
    if (!verdict.again) return false;
    const asked = this.#retryAfterMs(head);
    if (asked > policy.backoff.retryAfterMs) return this.#not('retry-after');
    const pauseMs = Math.max(asked, this.#backoffMs());
    if (!this.#pays(verdict.why, pauseMs)) return false;
    dropAnswer(attempt, head, { parts, body });
    body?.unpipe();
    this.leaveOut(attempt.endpoint);
    // Never within the transport's own call.
    this.#wait(pauseMs, null);
    return true;
  }

  /** Not to be picked again, as long as there are others. */
  leaveOut(endpoint: Endpoint): void {
    this.#failed = endpoint;
    if (!this.#tried.includes(endpoint)) this.#tried.push(endpoint);
  }

  /** `attempt` is the retry that was announced. */
  made(attempt: EndpointAttempt): void {
    const { progress, pool } = this.#with;
    // Nothing was announced: the exchange asks again for reasons of its own.
    if (this.#receipt < 0) return;
    noteRetry(progress, this.#why);
    pool.retries.count(this.#why);
    // What no endpoint has seen costs none of them anything, if it is answered now: see `RetryBudget.refund`.
    if (this.#why === 'connect') attempt.receipt = this.#receipt;
    this.#receipt = -1;
  }

  /** The announced retry can't be made: no endpoint is left. */
  notMade(): void {
    this.#with.pool.retries.budget.refund(this.#receipt, this.#with.parts.clock.monotonic());
    this.#receipt = -1;
  }

  /** No more retries. Idempotent. */
  stop(): void {
    if (this.#pause !== null) this.#with.parts.clock.cancel(this.#pause);
    this.#pause = null;
  }

  #facts(attempt: EndpointAttempt): AttemptFacts {
    const { progress, policy, body, madeBefore } = this.#with;
    return {
      attempt: progress.attempts - madeBefore,
      repeatable: isRepeatable(progress, policy),
      bodyKept: body === null || body.untouched,
      reusedConnection: attempt.reusedConnection,
      responseBegun: attempt.responseBegun,
      replayedReused: this.#replayedReused,
    };
  }

  #backoffMs(): number {
    const { parts, progress, policy } = this.#with;
    return backoffMs(policy.backoff, progress.attempts, parts.random);
  }

  #retryAfterMs(head: ResponseHead): number {
    const value = getHeader(head.headers, 'retry-after');
    return value === null ? 0 : (parseRetryAfter(value, this.#with.parts.clock.now()) ?? 0);
  }

  /** Does the time that is left allow it, and the budget pay for it? */
  #pays(why: RetryReason, pauseMs: number): boolean {
    const { parts, patience, pool } = this.#with;
    const now = parts.clock.monotonic();
    if (pauseMs >= patience.leftMs(now)) return this.#not('deadline');
    this.#receipt = pool.retries.pay(now);
    if (this.#receipt < 0) return this.#not('budget');
    this.#why = why;
    return true;
  }

  #not(obstacle: RetryObstacle): false {
    this.#with.progress.noRetry = obstacle;
    return false;
  }

  #wait(pauseMs: number, lastError: GatewayError | null): void {
    this.#pause = this.#with.parts.clock.after(pauseMs, () => {
      this.#pause = null;
      this.#with.again(lastError);
    });
  }
}

/** For the log: why the exchange was tried once more. */
export function noteRetry(progress: Progress, why: RetryReason): void {
  progress.retries ??= [];
  progress.retries.push(why);
}

/** Lets go of an answer that is not wanted: its connection is kept if that costs little, and the request is through. */
export function dropAnswer(
  attempt: EndpointAttempt,
  head: ResponseHead,
  { parts, body }: { readonly parts: EngineParts; readonly body: BodySource | null },
): void {
  const announced = Number(getHeader(head.headers, 'content-length') ?? 0);
  if (announced > DISCARD_BYTES || !wasDelivered(body)) attempt.cancel(null);
  else attempt.discard(parts.deadlines);
}

function wasDelivered(body: BodySource | null): boolean {
  return body === null || (body instanceof ReplayBody && body.delivered);
}
