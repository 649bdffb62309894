import { GatewayError } from '../errors.ts';
import type { BodySource, ByteChannel } from '../exchange/body.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import { setHeader } from '../http/headers.ts';
import { hasRoom } from '../upstream/limit/admission.ts';
import type { MirrorDrop, MirrorLive } from '../upstream/mirror-live.ts';
import type { Pool } from '../upstream/pool.ts';
import { CopiedBody, type CopyTaker, storedBody } from './copied-body.ts';
import { type AttemptOwner, EndpointAttempt } from './endpoint-attempt.ts';
import { attemptAt, MIRROR_FIELD, type Outbound } from './outbound.ts';
import type { EngineParts } from './parts.ts';
import type { Progress } from './progress.ts';

/** Which requests of a route another pool gets a copy of, compiled. */
export interface MirrorPlan {
  readonly pool: Pool;
  /** Of the requests that are forwarded, above 0. */
  readonly share: number;
  /** Most of a body that is kept for the copy; requests with a larger one are not copied. 0 for none with a body. */
  readonly bodyBytes: number;
  /** Copies at once. */
  readonly inFlight: number;
  /** From the beginning of a copy to the head of its response. */
  readonly timeoutMs: number;
  readonly live: MirrorLive;
}

/** The copy of a request, if it is to have one. Never fails, never waits. */
export function mirrorOf(plan: MirrorPlan, parts: EngineParts, progress: Progress): MirrorCopy | null {
  const { exchange } = progress;
  if (exchange.upgrade !== null || parts.random() >= plan.share) return null;
  const obstacle = obstacleTo(plan, parts, exchange.requestBody);
  if (obstacle === null) return new MirrorCopy(plan, parts, progress);
  plan.live.drop(obstacle);
  return null;
}

function obstacleTo(plan: MirrorPlan, { overload }: EngineParts, { length }: BodySource): MirrorDrop | null {
  if (overload?.active === true) return 'overload';
  if (plan.live.inFlight >= plan.inFlight) return 'in-flight';
  return (length ?? 0) > plan.bodyBytes || (length === null && plan.bodyBytes === 0) ? 'body-too-large' : null;
}

/**
 * A copy of one request on its way to another pool: sent once the request itself has gone out and all of its body is there, tried
 * once, its response read and dropped (at most 64 KiB, for a second). Nothing of what becomes of it reaches the exchange. Counts
 * against the mirror's bound from its beginning until its response head, its failure, or its being dropped, whatever comes first.
 */
export class MirrorCopy implements AttemptOwner, CopyTaker {
  readonly #plan: MirrorPlan;
  readonly #parts: EngineParts;
  readonly #progress: Progress;
  /** `null` for a request without one. */
  #body: CopiedBody | null = null;
  #outbound: Outbound | null = null;
  /** `null` until all of it is there. */
  #chunks: readonly Uint8Array[] | null = null;
  #state: 'waiting' | 'sent' | 'over' = 'waiting';

  constructor(plan: MirrorPlan, parts: EngineParts, progress: Progress) {
    this.#plan = plan;
    this.#parts = parts;
    this.#progress = progress;
    plan.live.inFlight += 1;
  }

  /** The body of the request, to be sent in its place. */
  copying(source: BodySource): BodySource {
    this.#body = new CopiedBody(source, { bytes: this.#plan.bodyBytes, memory: this.#parts.replay }, this);
    return this.#body;
  }

  /** The request has gone out like this. Only the first time counts. */
  requestSent(outbound: Outbound): void {
    this.#outbound ??= outbound;
    this.#sendIfReady();
  }

  complete(chunks: readonly Uint8Array[]): void {
    this.#chunks = chunks;
    this.#sendIfReady();
  }

  lost(why: MirrorDrop): void {
    if (this.#state === 'waiting') this.#drop(why);
  }

  /** The exchange is over: a request that has not come in by now never will. A copy that was sent goes on. */
  exchangeOver(): void {
    this.lost('body-incomplete');
  }

  #sendIfReady(): void {
    const outbound = this.#outbound;
    if (this.#state !== 'waiting' || outbound === null || (this.#body !== null && this.#chunks === null)) return;
    try {
      this.#send(outbound);
    } catch {
      // A bug, whatever it is: this is not the place to make a client's request fail of it. It is counted.
      this.#drop('bug');
    }
  }

  #send(outbound: Outbound): void {
    const { pool, timeoutMs, live } = this.#plan;
    if (pool.breaker?.admits === false) {
      this.#drop('breaker-open');
      return;
    }
    const endpoint = pool.pick({
      clientAddress: this.#progress.client.address,
      facts: this.#progress,
      session: null,
      tried: null,
    });
    if (endpoint === null || pool.limit?.open === false || !hasRoom(endpoint)) {
      this.#drop(endpoint === null ? 'no-endpoint' : 'pool-limit');
      return;
    }
    this.#state = 'sent';
    live.sent += 1;
    const attempt = new EndpointAttempt(this, pool, endpoint);
    attempt.limit(this.#parts.deadlines, timeoutMs);
    attempt.begin(
      this.#parts.transport,
      attemptAt(endpoint, this.#marked(outbound), {
        progress: this.#progress,
        pool,
        body: this.#chunks === null ? null : storedBody(this.#chunks),
        headTimeoutMs: 0,
      }),
    );
  }

  #marked({ target, headers }: Outbound): Outbound {
    const marked = headers.slice();
    setHeader(marked, MIRROR_FIELD, this.#progress.pool ?? '');
    return { target, headers: marked };
  }

  #drop(why: MirrorDrop): void {
    this.#plan.live.drop(why);
    this.#end();
  }

  #end(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#plan.live.inFlight -= 1;
    this.#body?.release();
    this.#chunks = null;
  }

  // ---- what the attempt reports

  attemptSent(attempt: EndpointAttempt): void {
    attempt.sentAt = this.#parts.clock.monotonic();
  }

  interimCame(): void {}

  headCame(attempt: EndpointAttempt, head: ResponseHead): void {
    attempt.status = head.status;
    attempt.answeredAt = this.#parts.clock.monotonic();
    attempt.pool.answered(attempt.endpoint, attempt.answeredAt - attempt.sentAt, attempt);
    this.#plan.live.answer(head.status);
    attempt.discard(this.#parts.deadlines);
    this.#end();
  }

  upgradeCame(attempt: EndpointAttempt, _head: ResponseHead, channel: ByteChannel): void {
    const error = new GatewayError('http_protocol_error', {
      blame: 'upstream',
      status: 502,
      reason: 'unasked-upgrade',
    });
    channel.sink.fail(error);
    this.failureCame(attempt, error);
  }

  failureCame(attempt: EndpointAttempt, cause: GatewayError): void {
    attempt.lost(cause);
    this.#plan.live.fail(cause.reason);
    this.#end();
  }
}
