import { GatewayError } from '../errors.ts';
import type { AttemptReceiver, Transport } from '../exchange/attempt.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import type { StreamTransport } from '../exchange/stream.ts';
import type { ProbeRequest, ProbeResult, ProbeSender } from '../upstream/health/check.ts';

/** A check's answer is its status; more than this of a body is not worth reading to keep a connection that is closed anyway. */
const BODY_BYTES = 64 * 1024;

/** Sends health checks over the transport that also carries traffic. */
export function probeSender(transport: Transport, streams: StreamTransport): ProbeSender {
  return {
    probe: (request, done) => {
      if (request.type === 'tcp') return connectOnce(streams, request, done);
      const { destination, target, host } = request;
      const receiver = new ProbeReceiver(done);
      const inFlight = transport.send(
        {
          destination,
          client: null,
          method: 'GET',
          target,
          headers: ['Host', host, 'User-Agent', 'headgate', 'Accept', '*/*'],
          body: null,
          upgrade: null,
          headTimeoutMs: 0,
        },
        receiver,
      );
      receiver.cancel = () => inFlight.cancel();
      return { cancel: () => receiver.abandon() };
    },
  };
}

/** A connection that is there is closed at once. */
function connectOnce(
  streams: StreamTransport,
  { destination }: ProbeRequest,
  done: (result: ProbeResult) => void,
): { cancel(): void } {
  return streams.open(
    { destination, client: null },
    {
      opened: (channel) => {
        channel.source.discard();
        done({ kind: 'connected' });
      },
      failed: (error) => done({ kind: 'failed', error }),
    },
  );
}

class ProbeReceiver implements AttemptReceiver {
  onDrain: (() => void) | null = null;
  cancel: () => void = () => {};
  readonly #done: (result: ProbeResult) => void;
  #finished = false;
  #received = 0;

  constructor(done: (result: ProbeResult) => void) {
    this.#done = done;
  }

  sent(): void {}
  informational(): void {}

  head(head: ResponseHead): void {
    this.#finish({ kind: 'answered', status: head.status });
  }

  data(chunk: Uint8Array): boolean {
    this.#received += chunk.byteLength;
    if (this.#received > BODY_BYTES) this.cancel();
    return true;
  }

  end(): void {}

  fail(error: GatewayError): void {
    this.#finish({ kind: 'failed', error });
  }

  /** A check asks for no upgrade; a transport that reports one has met a broken endpoint. */
  upgraded(): void {
    const error = new GatewayError('http_protocol_error', {
      blame: 'upstream',
      status: 502,
      reason: 'unasked-upgrade',
    });
    this.#finish({ kind: 'failed', error });
  }

  abandon(): void {
    this.#finished = true;
    this.cancel();
  }

  #finish(result: ProbeResult): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#done(result);
  }
}
