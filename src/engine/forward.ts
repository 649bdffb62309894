import { GatewayError } from '../errors.ts';
import type { BodySource, ByteChannel } from '../exchange/body.ts';
import type { Side } from '../exchange/outcome.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import { grpcStatusIn } from '../http/grpc.ts';
import { type HeaderList, removeHeader } from '../http/headers.ts';
import { responseEndToEnd } from '../http/hop-by-hop.ts';
import { limitBody } from '../policy/body-limit.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { Pool } from '../upstream/pool.ts';
import { judgeRetry } from '../upstream/retry.ts';
import { breakerRefusal } from './breaker-refusal.ts';
import type { Caching } from './decide.ts';
import { type Answer, Delivery } from './deliver.ts';
import { type AttemptOwner, EndpointAttempt } from './endpoint-attempt.ts';
import { internalError } from './fail.ts';
import { type GrpcCall, grpcCallOf } from './grpc.ts';
import { attemptAt, buildOutbound, hostFor, type Outbound } from './outbound.ts';
import type { EngineParts } from './parts.ts';
import { Patience } from './patience.ts';
import type { Progress } from './progress.ts';
import type { RoutePlan } from './snapshot.ts';
import { splice } from './tunnel.ts';

/** After one side has ended, the other may finish what it was sending for this long (a WebSocket's closing handshake). */
const HALF_CLOSED_MS = 10_000;

/**
 * Steps 9 to 14 of an exchange's life: picks endpoints, begins attempts, and hands what comes back to a `Delivery`. Coordinates
 * the attempts of one exchange; each of them is an object of its own.
 */
export class Forward implements AttemptOwner {
  readonly #parts: EngineParts;
  readonly #progress: Progress;
  readonly #plan: RoutePlan;
  readonly #pool: Pool;
  readonly #caching: Caching | null;
  #delivery: Delivery;
  #outbound: Outbound;
  readonly #body: BodySource | null;
  readonly #session: string | null;
  /** `null` for what is not gRPC. */
  readonly #call: GrpcCall | null;
  readonly #patience: Patience;
  #tried: Endpoint[] | null = null;
  /** The attempt that is under way, or whose response is being delivered. */
  #current: EndpointAttempt | null = null;
  #replayedReused = false;
  /** A body over its limit ends the exchange with this, not with the reset that it causes upstream. */
  #overLimit: GatewayError | null = null;
  /** The body of this answer is not for the client: the store has answered, or the endpoint is asked again. */
  #dropping: 'answered' | 'ask-again' | null = null;
  #done = false;

  constructor(
    parts: EngineParts,
    progress: Progress,
    route: { readonly plan: RoutePlan; readonly pool: Pool; readonly caching: Caching | null },
  ) {
    this.#parts = parts;
    this.#progress = progress;
    this.#plan = route.plan;
    this.#pool = route.pool;
    const { exchange } = progress;
    const { caching } = route;
    this.#caching = caching;
    this.#outbound = buildOutbound(
      progress,
      route.plan,
      caching?.lookup.kind === 'revalidate' ? caching.lookup.conditional : null,
    );
    this.#delivery = new Delivery(parts, progress, route);
    this.#body = this.#bodyToSend();
    this.#session = route.pool.affinity === null ? null : route.pool.affinity.sessionOf(exchange.request.headers);
    this.#call = grpcCallOf(exchange.request);
    this.#patience = new Patience({
      clock: parts.deadlines,
      timeouts: route.plan.timeouts,
      call: this.#call,
      exchange,
      lost: (error) => this.#giveUp(error),
    });
    exchange.onClientGone = (cause) => this.#giveUp(cause);
  }

  start(): void {
    if (this.#progress.exchange.upgrade === null) this.#patience.begin();
    this.#admitted();
  }

  /** Nothing on our side keeps the exchange from its first attempt. What does may call this later, or `#noResponse`. */
  #admitted(): void {
    const { exchange } = this.#progress;
    const { breaker } = this.#pool;
    const refusal = breaker === null ? null : breakerRefusal(breaker);
    if (refusal !== null) {
      this.#noResponse(refusal);
      return;
    }
    // RFC 9110 §10.1.1: only now, when nothing on our side refuses the request, is its body asked for.
    if (exchange.sendContinue !== null) exchange.sendContinue();
    this.#attempt(null);
  }

  /** An endpoint may send the head of a gRPC response with its first message; how long that may take, the deadline says. */
  get #headTimeoutMs(): number {
    const { headMs, tunnelIdleMs } = this.#plan.timeouts;
    return this.#call !== null && this.#call.deadlineMs !== null ? tunnelIdleMs : headMs;
  }

  #bodyToSend(): BodySource | null {
    const source = this.#progress.exchange.requestBody;
    if (source.length === 0) return null;
    const limit = this.#progress.bodyLimitBytes;
    // An announced length was checked before; what is not announced is counted as it flows.
    if (limit === null || source.length !== null) return source;
    return limitBody(source, limit, (error) => {
      this.#overLimit = error;
    });
  }

  #attempt(lastError: GatewayError | null): void {
    // It may be the very failure of this exchange that has made it trip.
    if (lastError !== null && this.#pool.breaker?.admits === false) {
      this.#noResponse(lastError);
      return;
    }
    const endpoint = this.#pool.pick({
      clientAddress: this.#progress.client.address,
      session: this.#session,
      tried: this.#tried,
    });
    if (endpoint === null) {
      this.#noResponse(lastError ?? unavailable());
      return;
    }
    this.#progress.lastEndpoint = endpoint;
    this.#progress.attempts += 1;
    this.#progress.reusedConnection = false;
    // Nowhere else can both directions stream: elsewhere a slow body holds a whole connection.
    if (this.#call !== null) this.#progress.exchange.bodyMayPause = endpoint.destination.protocol === 'http2';
    const attempt = new EndpointAttempt(this, this.#pool, endpoint);
    // It may fail within `begin`, and the next one may already be under way when that returns.
    this.#current = attempt;
    attempt.begin(
      this.#parts.transport,
      attemptAt(endpoint, this.#outbound, {
        progress: this.#progress,
        pool: this.#pool,
        body: this.#body,
        headTimeoutMs: this.#headTimeoutMs,
      }),
    );
  }

  attemptSent(attempt: EndpointAttempt): void {
    attempt.sentAt = this.#parts.clock.monotonic();
    this.#progress.sentAt = attempt.sentAt;
    this.#progress.reusedConnection = attempt.reusedConnection;
  }

  interimCame(_attempt: EndpointAttempt, status: number, headers: HeaderList): void {
    // RFC 9110 §15.2: every 1xx but 100 is forwarded; ours was answered by us, 101 never comes this way.
    if (status === 100) return;
    const draft = responseEndToEnd(headers);
    // RFC 9110 §8.6
    removeHeader(draft, 'content-length');
    this.#progress.exchange.response.informational(status, draft);
  }

  headCame(attempt: EndpointAttempt, head: ResponseHead, last: boolean): void {
    this.#answered(attempt, head);
    this.#progress.exchange.response.onDrain = () => this.#resume();
    if (this.#call !== null) this.#progress.noteGrpc(head.headers);
    try {
      const verdict = this.#delivery.start(this.#answer(head, attempt.endpoint), last);
      if (verdict !== 'delivering') this.#dropping = verdict;
      // The client's protocol has no way to say this head, and was told so: nobody is there to take the body.
      else if (this.#progress.exchange.response.unsendable) this.#unsendable();
    } catch (bug) {
      this.#bug(bug);
      return;
    }
    if (!this.#done) this.#patience.awaitBody(head.headers);
  }

  #answered(attempt: EndpointAttempt, head: ResponseHead): void {
    const now = this.#parts.clock.monotonic();
    this.#progress.firstByteAt = now;
    attempt.status = head.status;
    attempt.pool.answered(attempt.endpoint, now - attempt.sentAt, attempt);
  }

  #unsendable(): void {
    const error = unsendable();
    this.#progress.status = error.status;
    this.#giveUp(error);
  }

  dataCame(_attempt: EndpointAttempt, chunk: Uint8Array): boolean {
    if (this.#dropping !== null) return true;
    const more = this.#delivery.data(chunk);
    if (more) this.#patience.expect();
    else this.#patience.pause();
    return more;
  }

  endCame(_attempt: EndpointAttempt, trailers: HeaderList | null): void {
    if (this.#dropping === 'ask-again') {
      this.#askAgain();
      return;
    }
    this.#finish();
    if (this.#call !== null) this.#progress.grpcStatus ??= grpcStatusIn(trailers);
    if (this.#dropping === null) this.#delivery.end(trailers);
  }

  upgradeCame(attempt: EndpointAttempt, head: ResponseHead, channel: ByteChannel): void {
    const { exchange } = this.#progress;
    if (exchange.upgrade === null) {
      // RFC 9110 §15.2.2: a 101 that nobody asked for.
      const error = new GatewayError('http_protocol_error', {
        blame: 'upstream',
        status: 502,
        reason: 'unasked-upgrade',
      });
      channel.sink.fail(error);
      this.failureCame(attempt, error);
      return;
    }
    this.#answered(attempt, head);
    exchange.onClientGone = null;
    try {
      const client = exchange.upgrade.accept(this.#delivery.upgradeHead(this.#answer(head, attempt.endpoint)));
      const idleMs = this.#plan.timeouts.tunnelIdleMs;
      const ends = { client, upstream: channel, idleMs, halfClosedMs: HALF_CLOSED_MS };
      // Now, not at the end: a client that is gone after its own end closes the exchange before the tunnel is through.
      const firstEnd = (side: Side): void => {
        this.#progress.endSide = side;
      };
      splice(this.#parts, { ...ends, firstEnd }, (end) => {
        this.#finish();
        this.#delivery.tunnelEnded(end);
      });
    } catch (bug) {
      channel.sink.fail(internalError(bug));
      this.#bug(bug);
    }
  }

  failureCame(attempt: EndpointAttempt, cause: GatewayError): void {
    const error = this.#overLimit ?? cause;
    attempt.lost(error);
    if (this.#progress.exchange.response.phase !== 'open') {
      this.#finish();
      if (this.#dropping !== 'answered') this.#delivery.fail(error);
      return;
    }
    const verdict = judgeRetry({
      error,
      method: this.#progress.request.method,
      bodyUntouched: this.#body === null || this.#body.untouched,
      attempt: this.#progress.attempts,
      maxAttempts: this.#plan.attempts,
      reusedConnection: attempt.reusedConnection,
      replayedReused: this.#replayedReused,
    });
    if (verdict.again) this.#retry(attempt.endpoint, error, verdict.why === 'reused-connection-died');
    else this.#noResponse(error);
  }

  #retry(endpoint: Endpoint, error: GatewayError, sameEndpoint: boolean): void {
    this.#current = null;
    if (this.#body !== null) this.#body.unpipe();
    if (sameEndpoint) {
      // The connection was stale, not the endpoint: it may be asked again, once.
      this.#replayedReused = true;
    } else {
      this.#tried ??= [];
      this.#tried.push(endpoint);
    }
    this.#attempt(error);
  }

  /** A 304 that validated nothing: the same request once more, as if nothing were stored (RFC 9111 §4.3.3). */
  #askAgain(): void {
    this.#current = null;
    this.#dropping = null;
    this.#patience.pause();
    this.#outbound = buildOutbound(this.#progress, this.#plan, null);
    this.#delivery = new Delivery(this.#parts, this.#progress, {
      plan: this.#plan,
      caching: this.#caching === null ? null : withoutEntry(this.#caching),
    });
    this.#attempt(null);
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

  #bug(bug: unknown): void {
    this.#finish();
    this.#progress.bug ??= bug;
    this.#delivery.fail(internalError(bug));
  }

  #resume(): void {
    if (this.#done) return;
    this.#patience.expect();
    this.#current?.resume();
  }

  /** A deadline has passed, or the client is gone. */
  #giveUp(cause: GatewayError): void {
    if (this.#done) return;
    this.#current?.cancel(cause);
    if (this.#progress.exchange.response.phase === 'open') {
      this.#noResponse(cause);
      return;
    }
    this.#finish();
    this.#delivery.fail(cause);
  }

  /** No response will come from this pool, and none has begun: nothing is under way, and nothing will be tried again. */
  #noResponse(error: GatewayError): void {
    this.#finish();
    this.#delivery.fail(error);
  }

  /** Gives back everything this exchange holds upstream. Idempotent. */
  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#current?.cancel(null);
    this.#current = null;
    this.#patience.stop();
  }
}

/** Nothing stored is left to be validated: what comes now is a miss. */
function withoutEntry(caching: Caching): Caching {
  if (caching.lookup.kind !== 'revalidate') return caching;
  return { ...caching, lookup: { kind: 'miss', why: 'stale', epoch: caching.lookup.epoch } };
}

function unsendable(): GatewayError {
  return new GatewayError('http_protocol_error', { blame: 'upstream', status: 502, reason: 'unsendable-response' });
}

function unavailable(): GatewayError {
  return new GatewayError('destination_unavailable', {
    blame: 'upstream',
    status: 503,
    reason: 'no-endpoint-available',
  });
}
