import type { GatewayError } from '../errors.ts';
import type { HeaderList } from '../http/headers.ts';

/**
 * Receives one message body. Push-based and flow-controlled: after `data` returned `false` the feeder must stop until
 * the sink calls `onDrain`. Legal order: `data* (end | fail)`; nothing may follow.
 */
export interface BodySink {
  /** Set by the feeder before the first `data`. Called by the sink, at most once for each `false`. */
  onDrain: (() => void) | null;
  data(chunk: Uint8Array): boolean;
  end(trailers: HeaderList | null): void;
  /** The body is cut short. The receiver must make that visible, never end cleanly (RFC 9112 §8). */
  fail(cause: GatewayError): void;
}

/** One message body, delivered at most once. */
export interface BodySource {
  /** Bytes announced by the sender; `0` for no body, `null` when unknown until the end. */
  readonly length: number | null;
  /** True until the first byte has been handed on: while true, the request may still go to another endpoint. */
  readonly untouched: boolean;
  /** Starts delivery into `into`, sets `into.onDrain`, and pauses itself whenever `into.data` says `false`. */
  pipe(into: BodySink): void;
  /** Detaches the sink; nothing is delivered any more. What was not read yet stays unread. */
  unpipe(): void;
  /** Reads and drops the rest, within a bound, so that the connection can be reused; beyond it, closes. */
  discard(): void;
}

/** The body of a message that has none. */
export const noBody: BodySource = {
  length: 0,
  untouched: true,
  pipe: (into) => into.end(null),
  unpipe: () => {},
  discard: () => {},
};

/** A bidirectional byte stream after an upgrade (RFC 9110 §7.8): what one side reads, the other writes. */
export interface ByteChannel {
  readonly source: BodySource;
  readonly sink: BodySink;
}
