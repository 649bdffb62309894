import { GatewayError } from '../errors.ts';
import type { Attempt, AttemptReceiver, InFlight, Transport } from '../exchange/attempt.ts';
import type { ByteChannel } from '../exchange/body.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import type { HeaderList } from '../http/headers.ts';
import { type AttemptMark, nextSerial } from '../upstream/attempt-watcher.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { Pool } from '../upstream/pool.ts';

/** Hears of the attempts of one exchange, each with the attempt that it comes from; nothing of one that is over. */
export interface AttemptOwner {
  attemptSent(attempt: EndpointAttempt): void;
  interimCame(attempt: EndpointAttempt, status: number, headers: HeaderList): void;
  headCame(attempt: EndpointAttempt, head: ResponseHead, last: boolean): void;
  dataCame(attempt: EndpointAttempt, chunk: Uint8Array): boolean;
  /** The response is complete; the attempt is over. */
  endCame(attempt: EndpointAttempt, trailers: HeaderList | null): void;
  /** The attempt goes on until the owner ends it. */
  upgradeCame(attempt: EndpointAttempt, head: ResponseHead, channel: ByteChannel): void;
  /** Nothing more will come. The owner says with `lost` what the endpoint is to be blamed for. */
  failureCame(attempt: EndpointAttempt, cause: GatewayError): void;
}

/**
 * One attempt at one endpoint: counts there from `begin` until it is over, and is over exactly once, by whatever comes first.
 * Hot: one object an attempt, the receiver of what the transport reports, so that two attempts of an exchange can be told apart.
 */
export class EndpointAttempt implements AttemptReceiver, AttemptMark {
  /** Set by the transport: the response may flow again. */
  onDrain: (() => void) | null = null;
  readonly endpoint: Endpoint;
  readonly pool: Pool;
  readonly serial = nextSerial();
  status = 0;
  /** When the request was begun to be written, on the monotonic clock; 0 before. */
  sentAt = 0;
  reusedConnection = false;
  readonly #owner: AttemptOwner;
  #inFlight: InFlight | null = null;
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

  /** Nobody waits for it any more. `cause` is what the endpoint may be to blame for; `null` for nothing. */
  cancel(cause: GatewayError | null): void {
    if (this.#over) return;
    this.#inFlight?.cancel();
    if (cause !== null) this.pool.failed(this.endpoint, cause, this);
    this.finish();
  }

  /** It failed, with what the endpoint may be to blame for. */
  lost(error: GatewayError): void {
    if (this.#over) return;
    this.pool.failed(this.endpoint, error, this);
    this.finish();
  }

  /** It is over: it no longer counts at its endpoint, and nothing is heard of it. Idempotent. */
  finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#inFlight = null;
    this.pool.ended(this.endpoint, this);
  }

  /** The response may flow again. */
  resume(): void {
    if (!this.#over && this.onDrain !== null) this.onDrain();
  }

  // ---- what the transport reports

  sent(reusedConnection: boolean): void {
    if (this.#over) return;
    this.reusedConnection = reusedConnection;
    this.#owner.attemptSent(this);
  }

  informational(status: number, headers: HeaderList): void {
    if (!this.#over) this.#owner.interimCame(this, status, headers);
  }

  head(head: ResponseHead, last: boolean): void {
    if (!this.#over) this.#owner.headCame(this, head, last);
  }

  data(chunk: Uint8Array): boolean {
    return this.#over || this.#owner.dataCame(this, chunk);
  }

  end(trailers: HeaderList | null): void {
    if (this.#over) return;
    this.finish();
    this.#owner.endCame(this, trailers);
  }

  upgraded(head: ResponseHead, channel: ByteChannel): void {
    if (this.#over) channel.sink.fail(noLongerWanted());
    else this.#owner.upgradeCame(this, head, channel);
  }

  fail(cause: GatewayError): void {
    if (!this.#over) this.#owner.failureCame(this, cause);
  }
}

function noLongerWanted(): GatewayError {
  return new GatewayError('http_request_error', { blame: 'gateway', status: 499, reason: 'cancelled' });
}
