import { GatewayError } from '../errors.ts';
import type { BodySource, ByteChannel } from '../exchange/body.ts';
import type { UpgradeOffer } from '../exchange/exchange.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import type { HeaderList } from '../http/headers.ts';
import { isSafe } from '../http/method.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { type Admission, hasRoom, mustWait } from '../upstream/limit/admission.ts';
import type { PoolLimit } from '../upstream/limit/pool-limit.ts';
import type { Pool } from '../upstream/pool.ts';
import { withSpan } from './attempt-span.ts';
import { type AttemptOwner, EndpointAttempt, type ResponseTaker } from './endpoint-attempt.ts';
import { unavailable } from './fail.ts';
import type { GrpcCall } from './grpc.ts';
import { Hedging } from './hedging.ts';
import type { MirrorCopy } from './mirror.ts';
import { attemptAt, type Outbound } from './outbound.ts';
import type { EngineParts } from './parts.ts';
import type { Patience } from './patience.ts';
import type { Progress } from './progress.ts';
import type { ReplayBody } from './replay-body.ts';
import { bodyToSend, keepForRetry, type OverLimit } from './request-body.ts';
import { dropAnswer, noteRetry, Retrying } from './retrying.ts';
import type { RoutePlan } from './snapshot.ts';
import { turnOf } from './turn.ts';

/** The two sides of a switch to another protocol. */
export interface AgreedUpgrade {
  readonly offer: UpgradeOffer;
  readonly channel: ByteChannel;
}

/** Gets the one response of an exchange, or hears that there is none. */
export interface ResponseOwner extends ResponseTaker {
  interimCame(status: number, headers: HeaderList): void;
  /** Why this response is not wanted, although no other will come from this pool; `null` when it is. */
  declined(head: ResponseHead): GatewayError | null;
  /** `attempt` has the response; what follows of it goes to the owner, and all others are over. */
  headCame(attempt: EndpointAttempt, head: ResponseHead, last: boolean): void;
  upgradeCame(attempt: EndpointAttempt, head: ResponseHead, agreed: AgreedUpgrade): void;
  /** No response will come from this pool: nothing is under way, and nothing will be tried again. */
  noResponse(error: GatewayError): void;
  /** Something threw. */
  broke(bug: unknown): void;
}

/** What the attempts of one exchange have in common. */
export interface AttemptsParts {
  readonly parts: EngineParts;
  readonly progress: Progress;
  readonly plan: RoutePlan;
  readonly pool: Pool;
  /** Attempts that the exchange has made at other pools before. */
  readonly madeBefore: number;
  /** The request's copy for another pool, if it has one. */
  readonly mirror: MirrorCopy | null;
  /** What the client's session is known by, where the pool keeps sessions. */
  readonly session: string | null;
  /** `null` for what is not gRPC. */
  readonly call: GrpcCall | null;
  readonly patience: Patience;
}

/**
 * The attempts of one exchange at the endpoints of one pool, until one of them has the response: picks endpoints, begins
 * attempts, repeats what failed, and hedges. Hot: one object an exchange.
 */
export class Attempts implements AttemptOwner {
  /** The request as the next attempt sends it. */
  outbound: Outbound;
  readonly #owner: ResponseOwner;
  readonly #with: AttemptsParts;
  readonly #body: BodySource | null;
  /** `#body` where it is kept for another attempt, else `null`. */
  #replay: ReplayBody | null;
  /** `null` until an attempt fails. */
  #retrying: Retrying | null = null;
  /** `null` where none of several attempts may be under way at once. */
  readonly #hedging: Hedging | null;
  /** The attempt that is under way, or has the response. */
  #current: EndpointAttempt | null = null;
  #begun = false;
  /** Not `null` once it had to wait for its turn. */
  #admission: Admission | null = null;
  /** A body over its limit ends the exchange with this, not with the reset that it causes upstream. */
  readonly #overLimit: OverLimit | null;

  /** `before`: those at another pool that brought no response. They are ended, and the request's body is taken over from them. */
  constructor(owner: ResponseOwner, outbound: Outbound, parts: AttemptsParts, before: Attempts | null = null) {
    this.#owner = owner;
    this.outbound = outbound;
    this.#with = parts;
    if (before === null) {
      const { progress, plan, pool, mirror } = parts;
      // Most requests have no body, and pay for none.
      const overLimit: OverLimit | null = progress.requestBody.length === 0 ? null : { error: null };
      const source = overLimit === null ? null : bodyToSend(progress, overLimit);
      const body = source === null || mirror === null ? source : mirror.copying(source);
      this.#overLimit = overLimit;
      this.#replay = body === null ? null : keepForRetry(body, { progress, plan, pool, memory: parts.parts.replay });
      this.#body = this.#replay ?? body;
    } else {
      this.#overLimit = before.#overLimit;
      this.#body = before.#body;
      this.#replay = before.#replay;
      before.#replay = null;
      before.end(null);
      this.#body?.unpipe();
    }
    this.#hedging = parts.plan.retry.hedge === null ? null : this.#mayHedge();
  }

  /** The first attempt. */
  begin(): void {
    const { pool, progress } = this.#with;
    pool.retries.budget.request(progress.startedAt);
    this.#next(null);
  }

  /** One attempt more, after the response of the last one is through. */
  again(): void {
    this.#current = null;
    this.#next(null);
  }

  /** The request's body, if there is one, can be sent from its beginning. */
  get hasBody(): boolean {
    return this.#body === null || this.#body.untouched;
  }

  /** The response may flow again. */
  resume(): void {
    this.#current?.resume();
  }

  /** Ends what is under way; the endpoint that was waited for may be to blame. Idempotent. */
  end(cause: GatewayError | null): void {
    this.#current?.cancel(cause);
    this.#current = null;
    this.#admission?.leave();
    this.#retrying?.stop();
    this.#hedging?.end();
    this.#replay?.release();
  }

  #mayHedge(): Hedging | null {
    const { parts, progress, plan, pool, session } = this.#with;
    // A faster answer from elsewhere would be that of another session.
    if (session !== null) return null;
    const { request, upgrade } = progress.exchange;
    const { hedge: policy } = plan.retry;
    if (policy === null || this.#body !== null || upgrade !== null || !isSafe(request.method)) return null;
    return new Hedging({ clock: parts.clock, policy, account: pool.retries, hedge: () => this.#hedge() });
  }

  // ---- beginning

  #next(lastError: GatewayError | null): void {
    const { pool } = this.#with;
    const { limit } = pool;
    const endpoint = limit === null || limit.open ? this.#pick() : null;
    if (limit !== null && mustWait(pool, endpoint, this.#leftOut)) this.#awaitTurn(limit, lastError);
    else if (endpoint === null) this.#none(lastError ?? unavailable(pool));
    else this.#go(endpoint);
  }

  /** Whom it does not want any more, unless there is nobody else. */
  get #leftOut(): readonly Endpoint[] | null {
    return this.#retrying === null ? null : (this.#retrying.comingBack ?? this.#retrying.tried);
  }

  /** The pool is at its limits: in its queue, until an attempt of another exchange ends. */
  #awaitTurn(limit: PoolLimit, lastError: GatewayError | null): void {
    const { plan, pool, session } = this.#with;
    this.#admission = turnOf(pool, limit, {
      importance: plan.importance,
      again: this.#begun,
      plain: session === null && this.#retrying === null,
      tried: this.#leftOut,
      lastError,
      pick: () => this.#pick(),
      begin: (endpoint) => {
        this.#goOn();
        this.#go(endpoint);
      },
      none: (error) => {
        this.#goOn();
        this.#none(error);
        this.#rest();
      },
      broke: (bug) => this.#owner.broke(bug),
    });
    this.#admission.wait();
  }

  #none(error: GatewayError): void {
    this.#retrying?.notMade();
    this.#owner.noResponse(error);
  }

  #go(endpoint: Endpoint): void {
    this.#begun = true;
    const attempt = new EndpointAttempt(this, this.#with.pool, endpoint);
    this.#retrying?.made(attempt);
    this.#hedging?.began(attempt);
    // It may fail within `begin`, and the next one may already be under way when that returns.
    this.#current = attempt;
    this.#send(attempt);
  }

  #pick(): Endpoint | null {
    if (this.#retrying === null) return this.#pickBut(null);
    // It may be the very failure of this exchange that has made the breaker trip.
    if (this.#with.pool.breaker?.admits === false) return null;
    const endpoint = this.#pickBut(this.#retrying.tried);
    if (endpoint !== null) return endpoint;
    const { comingBack } = this.#retrying;
    return comingBack === null ? null : (this.#pickBut(comingBack) ?? this.#pickBut(null));
  }

  #pickBut(tried: readonly Endpoint[] | null): Endpoint | null {
    const { pool, progress, session } = this.#with;
    return pool.pick({ clientAddress: progress.client.address, facts: progress, session, tried });
  }

  #send(attempt: EndpointAttempt): void {
    const { parts, progress, plan, pool, call, mirror } = this.#with;
    const { endpoint } = attempt;
    // RFC 9110 §10.1.1: only now, when nothing on our side refuses the request, is its body asked for.
    if (progress.exchange.sendContinue !== null) progress.exchange.sendContinue();
    progress.lastEndpoint = endpoint;
    progress.attempts += 1;
    progress.reusedConnection = false;
    progress.connectMs = -1;
    // Nowhere else can both directions stream: elsewhere a slow body holds a whole connection.
    if (call !== null) progress.exchange.bodyMayPause = endpoint.destination.protocol !== 'http1';
    const { attemptTimeoutMs } = plan.retry;
    if (attemptTimeoutMs !== 0) attempt.limit(parts.deadlines, attemptTimeoutMs);
    const { headMs, tunnelIdleMs } = plan.timeouts;
    // An endpoint may send the head of a gRPC response with its first message; how long that may take, the deadline says.
    const headTimeoutMs = call !== null && call.deadlineMs !== null ? tunnelIdleMs : headMs;
    const outbound =
      progress.trace === null ? this.outbound : withSpan(attempt, this.outbound, { progress, clock: parts.clock });
    attempt.begin(parts.transport, attemptAt(endpoint, outbound, { progress, pool, body: this.#body, headTimeoutMs }));
    if (mirror !== null) mirror.requestSent(this.outbound);
    if (!attempt.isAwaited) return;
    const now = parts.clock.monotonic();
    if (attempt.sentAt === 0) attempt.handedAt = now;
    progress.rest(now, true);
  }

  /** The response is late: one attempt more, besides those that are under way. False when there is none. */
  #hedge(): boolean {
    const { parts, progress, plan, pool, madeBefore } = this.#with;
    const hedging = this.#hedging as Hedging;
    if (progress.attempts - madeBefore >= plan.retry.attempts || pool.breaker?.admits === false) return false;
    // It never waits, and takes no place while others do: under such a load it would only add to it.
    if (pool.limit?.spare === false) return false;
    try {
      const endpoint = this.#pickBut([...(this.#retrying?.tried ?? []), ...hedging.endpoints]);
      if (endpoint === null || !hasRoom(endpoint)) return false;
      if (pool.retries.pay(parts.clock.monotonic()) < 0) {
        progress.noRetry = 'budget';
        return false;
      }
      pool.retries.count('hedge');
      noteRetry(progress, 'hedge');
      const attempt = new EndpointAttempt(this, pool, endpoint);
      hedging.hedged(attempt);
      this.#send(attempt);
      return true;
    } catch (bug) {
      this.#owner.broke(bug);
      return false;
    }
  }

  get #retries(): Retrying {
    const { parts, progress, plan, pool, patience, madeBefore } = this.#with;
    this.#retrying ??= new Retrying({
      ...{ parts, progress, pool, patience, madeBefore },
      policy: plan.retry,
      body: this.#body,
      again: (lastError) => this.#retry(lastError),
    });
    return this.#retrying;
  }

  #retry(lastError: GatewayError | null): void {
    this.#goOn();
    try {
      this.#next(lastError);
    } catch (bug) {
      this.#owner.broke(bug);
    }
    this.#rest();
  }

  // ---- what the exchange's time goes by with

  #goOn(): void {
    const { parts, progress } = this.#with;
    if (progress.waitsSince !== 0) progress.goOn(parts.clock.monotonic());
  }

  /** All is done that can be done now. What is not for an endpoint is for a turn, a pause, or the client. */
  #rest(): void {
    const { parts, progress } = this.#with;
    if (!progress.over && progress.waitsSince === 0) progress.rest(parts.clock.monotonic(), this.#current !== null);
  }

  // ---- what attempts report

  attemptSent(attempt: EndpointAttempt): void {
    const { parts, progress } = this.#with;
    attempt.sentAt = parts.clock.monotonic();
    attempt.connectMs = attempt.handedAt === 0 ? 0 : attempt.sentAt - attempt.handedAt;
    progress.sentAt = attempt.sentAt;
    progress.connectMs = attempt.connectMs;
    progress.reusedConnection = attempt.reusedConnection;
  }

  interimCame(_attempt: EndpointAttempt, status: number, headers: HeaderList): void {
    // In a race it may not belong to the response.
    if (this.#hedging === null || !this.#hedging.isRace) this.#owner.interimCame(status, headers);
  }

  headCame(attempt: EndpointAttempt, head: ResponseHead, last: boolean): void {
    this.#answered(attempt, head);
    if (this.#isUnwanted(attempt, head) || this.#isDeclined(attempt, head)) {
      this.#rest();
      return;
    }
    this.#choose(attempt, head);
    this.#owner.headCame(attempt, head, last);
  }

  upgradeCame(attempt: EndpointAttempt, head: ResponseHead, channel: ByteChannel): void {
    const { upgrade: offer } = this.#with.progress.exchange;
    if (offer === null) {
      // RFC 9110 §15.2.2: a 101 that nobody asked for.
      const error = unaskedUpgrade();
      channel.sink.fail(error);
      this.failureCame(attempt, error);
      return;
    }
    this.#answered(attempt, head);
    this.#choose(attempt, head);
    this.#owner.upgradeCame(attempt, head, { offer, channel });
    const { parts, progress } = this.#with;
    progress.rest(parts.clock.monotonic(), false);
  }

  failureCame(attempt: EndpointAttempt, cause: GatewayError): void {
    this.#goOn();
    this.#failed(attempt, cause);
    this.#rest();
  }

  #failed(attempt: EndpointAttempt, cause: GatewayError): void {
    const error = this.#overLimit?.error ?? cause;
    attempt.lost(error);
    if (attempt.taker !== null) {
      this.#owner.responseFailed(error);
      return;
    }
    this.#current = null;
    if (this.#hedging !== null) {
      this.#current = this.#hedging.without(attempt);
      this.#retries.leaveOut(attempt.endpoint);
      if (this.#current !== null) return;
    }
    if (!this.#retries.afterFailure(attempt, error)) this.#owner.noResponse(error);
  }

  #answered(attempt: EndpointAttempt, head: ResponseHead): void {
    attempt.status = head.status;
    attempt.answeredAt = this.#with.parts.clock.monotonic();
    this.#with.progress.goOn(attempt.answeredAt);
    attempt.pool.answered(attempt.endpoint, attempt.answeredAt - attempt.sentAt, attempt);
  }

  /** A response that the route wants another one for: true when there may be one, and `attempt` has let go of its own. */
  #isUnwanted(attempt: EndpointAttempt, head: ResponseHead): boolean {
    const { plan, parts } = this.#with;
    const { statuses } = plan.retry;
    if (statuses === null || !statuses.has(head.status)) return false;
    if (this.#hedging?.isRace === true) {
      dropAnswer(attempt, head, { parts, body: this.#body });
      this.#retries.leaveOut(attempt.endpoint);
      this.#current = this.#hedging.without(attempt);
      return true;
    }
    if (!this.#retries.afterAnswer(attempt, head)) return false;
    this.#hedging?.without(attempt);
    this.#current = null;
    return true;
  }

  /** A response that no other attempt may better, and that the owner has something else for. */
  #isDeclined(attempt: EndpointAttempt, head: ResponseHead): boolean {
    const error = this.#owner.declined(head);
    if (error === null) return false;
    dropAnswer(attempt, head, { parts: this.#with.parts, body: this.#body });
    this.#current = this.#hedging?.without(attempt) ?? null;
    if (this.#current === null) this.#owner.noResponse(error);
    return true;
  }

  /** This attempt's response is the exchange's. */
  #choose(attempt: EndpointAttempt, head: ResponseHead): void {
    const { progress, pool } = this.#with;
    const { receipt, answeredAt } = attempt;
    attempt.taker = this.#owner;
    this.#current = attempt;
    progress.firstByteAt = answeredAt;
    if (receipt >= 0 && head.status < 500) pool.retries.budget.refund(receipt, answeredAt);
    this.#replay?.release();
    if (this.#hedging === null) return;
    this.#hedging.won(attempt);
    progress.lastEndpoint = attempt.endpoint;
    progress.sentAt = attempt.sentAt;
    progress.reusedConnection = attempt.reusedConnection;
    progress.connectMs = attempt.connectMs;
  }
}

function unaskedUpgrade(): GatewayError {
  return new GatewayError('http_protocol_error', { blame: 'upstream', status: 502, reason: 'unasked-upgrade' });
}
