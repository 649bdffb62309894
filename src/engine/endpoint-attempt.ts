import type { CoarseClock, Deadline } from '../clock.ts';
import { GatewayError, type RetryVerdict } from '../errors.ts';
import type { Attempt, AttemptReceiver, InFlight, Transport } from '../exchange/attempt.ts';
import type { ByteChannel } from '../exchange/body.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import type { HeaderList } from '../http/headers.ts';
import { type AttemptMark, nextSerial } from '../upstream/attempt-watcher.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { Pool } from '../upstream/pool.ts';
import type { AttemptSpan } from './attempt-span.ts';

/** More of an unwanted response than this is not read only to keep its connection. */
export const DISCARD_BYTES = 64 * 1024;
/** Nor is it waited for any longer. */
const DISCARD_MS = 1_000;

/** Hears of the attempts of one exchange, each with the attempt that it comes from; nothing of one that is over. */
export interface AttemptOwner {
  attemptSent(attempt: EndpointAttempt): void;
  interimCame(attempt: EndpointAttempt, status: number, headers: HeaderList): void;
  headCame(attempt: EndpointAttempt, head: ResponseHead, last: boolean): void;
  /** The attempt goes on until it is ended. */
  upgradeCame(attempt: EndpointAttempt, head: ResponseHead, channel: ByteChannel): void;
  /** Nothing more will come. The owner says with `lost` what the endpoint is to be blamed for. */
  failureCame(attempt: EndpointAttempt, cause: GatewayError): void;
}

/** Gets what follows the head of a response that is wanted. */
export interface ResponseTaker {
  dataCame(chunk: Uint8Array): boolean;
  /** Nothing of a chunk that came is kept (`AttemptReceiver.letsGo`). */
  readonly letsGo: boolean;
  /** The response is complete; the attempt is over. */
  endCame(trailers: HeaderList | null): void;
  /** It was cut short; the attempt is over. */
  responseFailed(error: GatewayError): void;
}

/**
 * One attempt at one endpoint: counts there from `begin` until it is over, and is over exactly once, by whatever comes first.
 * Hot: one object an attempt, the receiver of what the transport reports, so that two attempts of an exchange can be told apart.
 */
export class EndpointAttempt implements AttemptReceiver, AttemptMark, Deadline {
  /** Set by the transport: the response may flow again. */
  onDrain: (() => void) | null = null;
  readonly endpoint: Endpoint;
  readonly pool: Pool;
  readonly serial = nextSerial();
  status = 0;
  /** When the request was begun to be written, on the monotonic clock; 0 before. */
  sentAt = 0;
  /** When the transport had it and had no connection for it yet, likewise; 0 for one that got its connection at once. */
  handedAt = 0;
  /** How long it waited for its connection; -1 while it has none. */
  connectMs = -1;
  reusedConnection = false;
  /** When its response head came, likewise. */
  answeredAt = 0;
  /** Something of a response came, interim ones included. */
  responseBegun = false;
  /** What the budget was paid for it, to be given back if it succeeds; -1 for nothing. */
  receipt = -1;
  /** `null` where nobody traces. */
  span: AttemptSpan | null = null;
  /** When it began, for what is hedged. */
  begunAt = 0;
  /** Deadline for the response head (`limit`), or for what is discarded. */
  at = 0;
  slot = 0;
  #deadlines: CoarseClock | null = null;
  /** Bytes of its response that may still be read and dropped; -1 while the response is wanted. */
  #discardable = -1;
  /** Whoever wants its response, once its head has come; `null` before, and for one that is discarded. */
  taker: ResponseTaker | null = null;
  readonly #owner: AttemptOwner;
  #inFlight: InFlight | null = null;
  #sent = false;
  #over = false;

  constructor(owner: AttemptOwner, pool: Pool, endpoint: Endpoint) {
    this.#owner = owner;
    this.pool = pool;
    this.endpoint = endpoint;
  }

  /** It may be over when this returns. */
  begin(transport: Transport, attempt: Attempt): void {
    this.pool.began(this.endpoint, this);
    const inFlight = transport.send(attempt, this);
    if (this.#over) inFlight.cancel();
    else this.#inFlight = inFlight;
  }

  /** Fails with `attempt-timeout` unless the response head comes within `timeoutMs`. To be called before `begin`. */
  limit(deadlines: CoarseClock, timeoutMs: number): void {
    this.#deadlines = deadlines;
    deadlines.arm(this, timeoutMs);
  }

  /**
   * Its response is not wanted, but its connection is: what is left is read and dropped, up to 64 KiB and for a second.
   * Beyond that the connection is closed. Nothing is heard of it any more.
   */
  discard(deadlines: CoarseClock): void {
    this.#discardable = DISCARD_BYTES;
    this.#deadlines = deadlines;
    deadlines.arm(this, DISCARD_MS);
    this.onDrain?.();
  }

  expire(): void {
    if (this.#discardable >= 0) {
      this.cancel(null);
      return;
    }
    this.#inFlight?.cancel();
    this.#owner.failureCame(this, attemptTimeout(this.#sent ? 'never' : 'always'));
  }

  /** Nobody waits for it any more. `cause` is what the endpoint may be to blame for; `null` for nothing. */
  cancel(cause: GatewayError | null): void {
    if (this.#over) return;
    this.#inFlight?.cancel();
    if (this.span !== null) this.span.failed(cause);
    if (cause !== null) this.pool.failed(this.endpoint, cause, this);
    this.finish();
  }

  /** It failed, with what the endpoint may be to blame for. */
  lost(error: GatewayError): void {
    if (this.#over) return;
    if (this.span !== null) this.span.failed(error);
    this.pool.failed(this.endpoint, error, this);
    this.finish();
  }

  /** It is over: it no longer counts at its endpoint, and nothing is heard of it. Idempotent. */
  finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#inFlight = null;
    if (this.at !== 0) this.#deadlines?.disarm(this);
    this.pool.ended(this.endpoint, this);
    if (this.span !== null) this.span.end(this);
  }

  /** It has neither been answered nor failed. */
  get isAwaited(): boolean {
    return !this.#over && this.status === 0;
  }

  /** The response may flow again. */
  resume(): void {
    if (!this.#over && this.onDrain !== null) this.onDrain();
  }

  // ---- what the transport reports

  sent(reusedConnection: boolean): void {
    if (this.#over) return;
    this.#sent = true;
    this.reusedConnection = reusedConnection;
    this.#owner.attemptSent(this);
  }

  informational(status: number, headers: HeaderList): void {
    this.responseBegun = true;
    if (!this.#over) this.#owner.interimCame(this, status, headers);
  }

  head(head: ResponseHead, last: boolean): void {
    if (this.#over) return;
    if (this.at !== 0) this.#deadlines?.disarm(this);
    this.#owner.headCame(this, head, last);
  }

  get letsGo(): boolean {
    return this.taker?.letsGo === true;
  }

  data(chunk: Uint8Array): boolean {
    if (this.#over) return true;
    if (this.taker !== null) return this.taker.dataCame(chunk);
    this.#discardable -= chunk.byteLength;
    if (this.#discardable < 0) this.cancel(null);
    return true;
  }

  end(trailers: HeaderList | null): void {
    if (this.#over) return;
    this.finish();
    this.taker?.endCame(trailers);
  }

  upgraded(head: ResponseHead, channel: ByteChannel): void {
    if (this.#over) {
      channel.sink.fail(noLongerWanted());
      return;
    }
    if (this.at !== 0) this.#deadlines?.disarm(this);
    this.#owner.upgradeCame(this, head, channel);
  }

  fail(cause: GatewayError): void {
    if (this.#over) return;
    if (this.#discardable < 0) this.#owner.failureCame(this, cause);
    else this.finish();
  }
}

function attemptTimeout(retry: RetryVerdict): GatewayError {
  const reason = 'attempt-timeout';
  return new GatewayError('http_response_timeout', { blame: 'upstream', status: 504, reason, retry });
}

function noLongerWanted(): GatewayError {
  return new GatewayError('http_request_error', { blame: 'gateway', status: 499, reason: 'cancelled' });
}
