import type { Lead } from '../cache/flights.ts';
import { fallbackReport } from '../cache/status.ts';
import { clientGone, GatewayError } from '../errors.ts';
import type { Side } from '../exchange/outcome.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import { grpcStatusIn } from '../http/grpc.ts';
import { type HeaderList, removeHeader } from '../http/headers.ts';
import { responseEndToEnd } from '../http/hop-by-hop.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { Pool } from '../upstream/pool.ts';
import { type AgreedUpgrade, Attempts, type AttemptsParts, type ResponseOwner } from './attempts.ts';
import { breakerRefusal } from './breaker-refusal.ts';
import { type Caching, wishOf, withoutEntry } from './caching.ts';
import { type Answer, Delivery, type Feeder } from './deliver.ts';
import type { EndpointAttempt } from './endpoint-attempt.ts';
import { internalError } from './fail.ts';
import { type GrpcCall, grpcCallOf } from './grpc.ts';
import { intercepted, isIntercepted } from './intercept.ts';
import { type MirrorCopy, mirrorOf } from './mirror.ts';
import { buildOutbound, hostFor } from './outbound.ts';
import type { EngineParts } from './parts.ts';
import { Patience } from './patience.ts';
import type { Progress } from './progress.ts';
import { dropAnswer } from './retrying.ts';
import type { RoutePlan, Snapshot } from './snapshot.ts';
import { isServerError } from './stale-if-error.ts';
import { isStillLed } from './still-led.ts';
import { type Resending, Substitutes } from './substitutes.ts';
import { splice } from './tunnel.ts';

/** After one side has ended, the other may finish what it was sending for this long (a WebSocket's closing handshake). */
const HALF_CLOSED_MS = 10_000;

/**
 * Steps 9 to 14 of an exchange's life: has attempts made, and hands the response of the one that got it to a `Delivery`. Hot: one
 * object an exchange.
 */
export class Forward implements ResponseOwner, Feeder {
  readonly #parts: EngineParts;
  readonly #progress: Progress;
  readonly #plan: RoutePlan;
  #pool: Pool;
  readonly #caching: Caching | null;
  #delivery: Delivery;
  #attempts: Attempts;
  #session: string | null;
  /** `null` for what is not gRPC. */
  readonly #call: GrpcCall | null;
  readonly #patience: Patience;
  /** The body of this answer is not for the client: the store has answered, or the endpoint is asked again. */
  #dropping: 'answered' | 'ask-again' | null = null;
  /** `null` for a request that no other pool gets a copy of. */
  readonly #mirror: MirrorCopy | null;
  /** `null` until no response comes from a pool. */
  #lateSubstitutes: Substitutes | null = null;
  /** `null` where nobody else may be interested in the answer. */
  readonly #lead: Lead | null;
  /** The client is gone, and others want the answer. */
  #detached = false;
  /** The edition is kept beyond the exchange. */
  #pins = false;
  #done = false;

  constructor(
    parts: EngineParts,
    progress: Progress,
    route: { readonly plan: RoutePlan; readonly pool: Pool; readonly caching: Caching | null },
  ) {
    this.#parts = parts;
    this.#progress = progress;
    const { plan, pool, caching } = route;
    this.#plan = plan;
    this.#pool = pool;
    const { exchange } = progress;
    this.#caching = caching;
    this.#lead = caching?.lead ?? null;
    this.#delivery = new Delivery(parts, progress, route);
    this.#session = this.#sessionAt(pool);
    this.#call = grpcCallOf(exchange.request);
    this.#patience = new Patience({
      clock: parts.deadlines,
      timeouts: plan.timeouts,
      call: this.#call,
      exchange,
      lost: (error) => this.#giveUp(error),
    });
    this.#mirror = plan.mirror === null ? null : mirrorOf(plan.mirror, parts, progress);
    const wish = caching === null ? null : wishOf(caching);
    this.#attempts = new Attempts(this, buildOutbound(progress, plan, wish), this.#attemptsParts);
    const gone = (cause: GatewayError): void => this.#clientGone(cause);
    exchange.onClientGone = gone;
  }

  get #attemptsParts(): AttemptsParts {
    return {
      parts: this.#parts,
      progress: this.#progress,
      plan: this.#plan,
      pool: this.#pool,
      madeBefore: this.#progress.attempts,
      mirror: this.#mirror,
      session: this.#session,
      call: this.#call,
      patience: this.#patience,
    };
  }

  #sessionAt({ affinity }: Pool): string | null {
    return affinity === null ? null : affinity.sessionOf(this.#progress.exchange.request.headers);
  }

  start(): void {
    if (this.#progress.exchange.upgrade === null) this.#patience.begin(this.#progress.startedAt);
    this.#admitted();
  }

  /** In place of `start`: all its time has gone by while it waited for another one's answer. */
  timedOut(error: GatewayError): void {
    this.#patience.spend();
    this.noResponse(error);
  }

  /** Nothing on our side keeps the exchange from its first attempt. What does may call this later, or `noResponse`. */
  #admitted(): void {
    const { breaker } = this.#pool;
    const refusal = breaker === null ? null : breakerRefusal(breaker);
    if (refusal !== null) {
      this.noResponse(refusal);
      return;
    }
    this.#attempts.begin();
  }

  interimCame(status: number, headers: HeaderList): void {
    // RFC 9110 §15.2: every 1xx but 100 is forwarded; ours was answered by us, 101 never comes this way.
    if (status === 100) return;
    const draft = responseEndToEnd(headers);
    // RFC 9110 §8.6
    removeHeader(draft, 'content-length');
    this.#progress.exchange.response.informational(status, draft);
  }

  headCame(attempt: EndpointAttempt, head: ResponseHead, last: boolean): void {
    if (this.#call !== null) this.#progress.noteGrpc(head.headers);
    try {
      const verdict = this.#delivery.start(this.#answer(head, attempt.endpoint), last, this);
      if (verdict !== 'delivering') this.#drop(verdict, attempt, head);
      // The client's protocol has no way to say this head, and was told so: nobody is there to take the body.
      else if (this.#progress.exchange.response.unsendable) this.#unsendable();
    } catch (bug) {
      this.broke(bug);
      return;
    }
    this.deserted();
    const now = this.#parts.clock.monotonic();
    if (!this.#done) this.#patience.awaitBody(head.headers, now);
    this.#progress.rest(now, !this.#done);
  }

  #drop(verdict: 'answered' | 'ask-again', attempt: EndpointAttempt, head: ResponseHead): void {
    this.#dropping = verdict;
    // A 304 ends at once, and its connection can take the next request.
    if (verdict === 'answered' || head.status === 304) return;
    attempt.taker = null;
    dropAnswer(attempt, head, { parts: this.#parts, body: null });
    // Not within the transport's own call.
    queueMicrotask(() => {
      if (!this.#done) this.#askAgain();
    });
  }

  #unsendable(): void {
    const error = unsendable();
    this.#progress.status = error.status;
    this.#giveUp(error);
  }

  get letsGo(): boolean {
    return this.#delivery.letsGo;
  }

  dataCame(chunk: Uint8Array): boolean {
    if (this.#dropping !== null) return true;
    const { clock } = this.#parts;
    this.#progress.goOn(clock.monotonic());
    const more = this.#delivery.data(chunk);
    // It may have turned out that it will not be stored.
    if (this.#pins) this.deserted();
    const now = clock.monotonic();
    this.#progress.rest(now, more && !this.#done);
    if (this.#done) return true;
    if (more) this.#patience.expect(now);
    else this.#patience.pause();
    return more;
  }

  endCame(trailers: HeaderList | null): void {
    const progress = this.#progress;
    progress.goOn(this.#parts.clock.monotonic());
    if (this.#dropping === 'ask-again') {
      this.#askAgain();
      return;
    }
    this.#finish();
    if (this.#call !== null) progress.grpcStatus ??= grpcStatusIn(trailers);
    if (this.#dropping === null) this.#delivery.end(trailers);
    // Until the client has taken what is left.
    if (!progress.over) progress.rest(this.#parts.clock.monotonic(), false);
  }

  upgradeCame(attempt: EndpointAttempt, head: ResponseHead, { offer, channel }: AgreedUpgrade): void {
    const { exchange } = this.#progress;
    exchange.onClientGone = null;
    try {
      const client = offer.accept(this.#delivery.upgradeHead(this.#answer(head, attempt.endpoint)));
      const idleMs = this.#plan.timeouts.tunnelIdleMs;
      const ends = { client, upstream: channel, idleMs, halfClosedMs: HALF_CLOSED_MS };
      // Now, not at the end: a client that is gone after its own end closes the exchange before the tunnel is through.
      const firstEnd = (side: Side): void => {
        this.#progress.endSide = side;
      };
      const joined = { pool: this.#pool, endpoint: attempt.endpoint };
      const isLedBy = (snapshot: Snapshot): boolean => isStillLed(this.#progress, joined, snapshot);
      const retired = (cause: GatewayError): void => this.#progress.blame(cause);
      splice(this.#parts, { ...ends, firstEnd, isLedBy, retired }, (end) => {
        this.#finish();
        this.#delivery.tunnelEnded(end);
      });
    } catch (bug) {
      channel.sink.fail(internalError(bug));
      this.broke(bug);
    }
  }

  responseFailed(error: GatewayError): void {
    if (this.#progress.exchange.response.phase === 'open') {
      this.noResponse(error);
      return;
    }
    this.#finish();
    if (this.#dropping !== 'answered') this.#delivery.fail(error);
  }

  /** A 304 that validated nothing, or a part that completes nothing: the same request once more, as if nothing were stored (RFC 9111 §4.3.3). */
  #askAgain(): void {
    this.#dropping = null;
    this.#patience.pause();
    const caching = this.#caching === null ? null : withoutEntry(this.#caching);
    this.#attempts.outbound = buildOutbound(this.#progress, this.#plan, caching === null ? null : wishOf(caching));
    this.#delivery = new Delivery(this.#parts, this.#progress, { plan: this.#plan, caching });
    this.#attempts.again();
  }

  unreadable(): void {
    this.#finish();
    const caching = this.#caching === null ? null : withoutEntry(this.#caching);
    this.#progress.cacheReport = null;
    new Forward(this.#parts, this.#progress, { plan: this.#plan, pool: this.#pool, caching }).start();
  }

  bodyLost(error: GatewayError, bug: unknown): void {
    this.#progress.bug ??= bug;
    this.#attempts.end(null);
    this.#finish();
    this.#delivery.fail(error);
  }

  #answer(head: ResponseHead, endpoint: Endpoint): Answer {
    const { affinity } = this.#pool;
    const overTls = this.#progress.client.tls !== null;
    return {
      head,
      endpoint,
      sentAuthority: hostFor(this.#pool, endpoint, this.#progress.request.authority),
      setCookie:
        affinity === null
          ? null
          : affinity.answered(endpoint, { session: this.#session, headers: head.headers, overTls }),
    };
  }

  broke(bug: unknown): void {
    this.#finish();
    this.#progress.bug ??= bug;
    this.#delivery.fail(internalError(bug));
  }

  resume(): void {
    if (this.#done) return;
    const now = this.#parts.clock.monotonic();
    this.#patience.expect(now);
    if (this.#progress.waitsSince !== 0) {
      this.#progress.goOn(now);
      this.#progress.rest(now, true);
    }
    this.#attempts.resume();
  }

  #clientGone(cause: GatewayError): void {
    // All of the answer is here, and only the client was slow.
    if (this.#done) {
      if (this.#delivery.isSending) this.#delivery.clientLeft(cause);
    } else if (!this.#detached && this.#delivery.isWanted) this.#detach(cause);
    else this.#giveUp(cause);
  }

  /** The exchange ends here; what it has asked for goes on for others, within the same times, and keeps the edition. */
  #detach(cause: GatewayError): void {
    this.#detached = true;
    this.outlive();
    const deserted = (): void => this.deserted();
    if (this.#lead !== null) this.#lead.onDeserted = deserted;
    this.#delivery.clientLeft(cause);
  }

  outlive(): void {
    if (this.#pins) return;
    this.#pins = true;
    this.#progress.edition.pin();
  }

  deserted(): void {
    if (!this.#pins || this.#done || this.#delivery.isSending) return;
    if (!this.#delivery.isWanted) this.#giveUp(clientGone());
  }

  /** A deadline has passed, or the client is gone. */
  #giveUp(cause: GatewayError): void {
    if (this.#done) return;
    this.#attempts.end(cause);
    if (this.#progress.exchange.response.phase === 'open') {
      this.noResponse(cause);
      return;
    }
    this.#finish();
    this.#delivery.fail(cause);
  }

  declined(head: ResponseHead): GatewayError | null {
    const { status } = head;
    if (this.#plan.fallback === null && !isServerError(status)) return null;
    const better = this.#substitutes.declined(status, this.#resending);
    if (better !== null || this.#call !== null) return better;
    return intercepted(this.#progress, head, this.#parts.clock.now());
  }

  noResponse(error: GatewayError): void {
    if (this.#lead !== null) this.#lead.failed();
    if (this.#detached) {
      this.#finish();
      return;
    }
    const substitute = this.#done || isIntercepted(error) ? null : this.#substitutes.next(error, this.#resending);
    if (substitute === null) {
      this.#finish();
      this.#delivery.fail(error);
    } else if (substitute.kind === 'pool') {
      this.#askInstead(substitute.pool);
    } else {
      this.#finish();
      this.#substitutes.answer(substitute, error);
    }
  }

  get #substitutes(): Substitutes {
    this.#lateSubstitutes ??= new Substitutes({
      parts: this.#parts,
      progress: this.#progress,
      plan: this.#plan,
      caching: this.#caching,
    });
    return this.#lateSubstitutes;
  }

  get #resending(): Resending {
    const leftMs = this.#patience.leftMs(this.#parts.clock.monotonic());
    return { pool: this.#pool, hasBody: this.#attempts.hasBody, leftMs };
  }

  /** The same request at another pool, within the same time. What that says is not stored: it is not what this route answers with. */
  #askInstead(pool: Pool): void {
    this.#pool = pool;
    this.#progress.pool = pool.name;
    this.#session = this.#sessionAt(pool);
    if (this.#caching !== null) this.#progress.cacheReport = fallbackReport(this.#caching);
    this.#delivery = new Delivery(this.#parts, this.#progress, { plan: this.#plan, caching: null });
    const outbound = buildOutbound(this.#progress, this.#plan, null);
    this.#attempts = new Attempts(this, outbound, this.#attemptsParts, this.#attempts);
    try {
      this.#admitted();
    } catch (bug) {
      this.broke(bug);
    }
  }

  /** Gives back everything this exchange holds upstream. Idempotent. */
  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#attempts.end(null);
    this.#patience.stop();
    if (this.#mirror !== null) this.#mirror.exchangeOver();
    if (this.#lead !== null) this.#lead.failed();
    if (this.#pins) this.#progress.edition.unpin();
  }
}

function unsendable(): GatewayError {
  return new GatewayError('http_protocol_error', { blame: 'upstream', status: 502, reason: 'unsendable-response' });
}
