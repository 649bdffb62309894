import { GatewayError } from '../../errors.ts';
import type { Attempt, AttemptReceiver, Transport } from '../../exchange/attempt.ts';
import type { ByteChannel } from '../../exchange/body.ts';
import type { ResponseHead } from '../../exchange/response-sink.ts';
import type { HeaderList } from '../../http/headers.ts';
import { BODY_BYTES, type ProbeResult } from '../../upstream/health/probe-sender.ts';

/** What came back to a check; `trailers` are `null` unless it was read to its end. */
export interface ProbeAnswer {
  readonly head: ResponseHead;
  /** At most `BODY_BYTES`. */
  readonly body: Buffer;
  readonly trailers: HeaderList | null;
}

/** How a kind of check reads its answers. */
export interface ProbeReading {
  /** Is more than the head wanted? */
  readonly wantsBody: (status: number) => boolean;
  readonly result: (answer: ProbeAnswer) => ProbeResult;
}

const NOTHING = Buffer.alloc(0);

/** Sends `attempt` as a check and calls `done` once: with its head, or with the beginning of its body if that is wanted. */
export function sendProbe(
  transport: Transport,
  attempt: Pick<Attempt, 'destination' | 'method' | 'target' | 'headers' | 'body'>,
  to: { readonly reading: ProbeReading; readonly done: (result: ProbeResult) => void },
): { cancel(): void } {
  const receiver = new ProbeReceiver(to.reading, to.done);
  const inFlight = transport.send({ ...attempt, client: null, upgrade: null, headTimeoutMs: 0 }, receiver);
  receiver.began(() => inFlight.cancel());
  return { cancel: () => receiver.abandon() };
}

/** Reads at most `BODY_BYTES` of a body, wanted or not: more is not worth the reading, and the connection is closed anyway. */
class ProbeReceiver implements AttemptReceiver {
  onDrain: (() => void) | null = null;
  readonly #reading: ProbeReading;
  readonly #done: (result: ProbeResult) => void;
  #cancel: (() => void) | null = null;
  #head: ResponseHead | null = null;
  #wanted: Buffer[] | null = null;
  #finished = false;
  /** What is left is to be cancelled, as soon as there is something to cancel. */
  #enough = false;
  #received = 0;

  constructor(reading: ProbeReading, done: (result: ProbeResult) => void) {
    this.#reading = reading;
    this.#done = done;
  }

  began(cancel: () => void): void {
    this.#cancel = cancel;
    if (this.#enough) cancel();
  }

  sent(): void {}
  informational(): void {}

  head(head: ResponseHead): void {
    this.#head = head;
    if (this.#reading.wantsBody(head.status)) this.#wanted = [];
    else this.#answered(null);
  }

  data(chunk: Uint8Array): boolean {
    // Copied: what a transport hands over is its own again afterwards.
    this.#wanted?.push(Buffer.from(chunk.subarray(0, BODY_BYTES - this.#received)));
    this.#received += chunk.byteLength;
    if (this.#received < BODY_BYTES) return true;
    this.#answered(null);
    this.#stop();
    return true;
  }

  end(trailers: HeaderList | null): void {
    this.#answered(trailers);
  }

  fail(error: GatewayError): void {
    this.#finish({ kind: 'failed', error });
  }

  /** A check asks for no upgrade; a transport that reports one has met a broken endpoint. */
  upgraded(_head: ResponseHead, channel: ByteChannel): void {
    channel.source.discard();
    const error = new GatewayError('http_protocol_error', {
      blame: 'upstream',
      status: 502,
      reason: 'unasked-upgrade',
    });
    this.#finish({ kind: 'failed', error });
  }

  abandon(): void {
    this.#finished = true;
    this.#stop();
  }

  #stop(): void {
    this.#enough = true;
    this.#wanted = null;
    this.#cancel?.();
  }

  #answered(trailers: HeaderList | null): void {
    const body = this.#wanted === null ? NOTHING : Buffer.concat(this.#wanted);
    this.#wanted = null;
    this.#finish(this.#finished ? null : this.#reading.result({ head: this.#head as ResponseHead, body, trailers }));
  }

  #finish(result: ProbeResult | null): void {
    if (this.#finished || result === null) return;
    this.#finished = true;
    this.#done(result);
  }
}
