import type { Deadline } from '../clock.ts';
import { clientGone, GatewayError } from '../errors.ts';
import type { BodySink, ByteChannel } from '../exchange/body.ts';
import type { HeaderList } from '../http/headers.ts';
import type { EngineParts } from './parts.ts';

export interface TunnelEnds {
  readonly client: ByteChannel;
  readonly upstream: ByteChannel;
  /** Longest silence in both directions together; 0 for none. */
  readonly idleMs: number;
}

/** After one side has ended, the other may finish what it was sending for this long (a WebSocket's closing handshake). */
const HALF_CLOSED_MS = 10_000;

/**
 * Joins two byte channels after an upgrade: bytes go both ways untouched, with back-pressure; either side's end or failure
 * ends the other. `ended` is called once, with the failure, or `null` after both sides ended by themselves.
 */
export function splice(parts: EngineParts, ends: TunnelEnds, ended: (cause: GatewayError | null) => void): void {
  new Tunnel(parts, ends, ended).start();
}

class Tunnel {
  readonly #parts: EngineParts;
  readonly #ends: TunnelEnds;
  readonly #ended: (cause: GatewayError | null) => void;
  readonly #idle: Deadline;
  #idleMs: number;
  #open = 2;

  constructor(parts: EngineParts, ends: TunnelEnds, ended: (cause: GatewayError | null) => void) {
    this.#parts = parts;
    this.#ends = ends;
    this.#ended = ended;
    this.#idleMs = ends.idleMs;
    this.#idle = { at: 0, slot: 0, expire: () => this.fail(silence()) };
  }

  start(): void {
    this.touch();
    this.#ends.upstream.source.pipe(new Direction(this, this.#ends.client.sink, 'upstream'));
    this.#ends.client.source.pipe(new Direction(this, this.#ends.upstream.sink, 'client'));
  }

  /** Bytes were seen, in either direction. */
  touch(): void {
    if (this.#open > 0) this.#parts.deadlines.arm(this.#idle, this.#idleMs);
  }

  directionEnded(): void {
    if (this.#open === 0) return;
    this.#open -= 1;
    if (this.#open === 0) {
      this.#parts.deadlines.disarm(this.#idle);
      this.#ended(null);
      return;
    }
    this.#idleMs = HALF_CLOSED_MS;
    this.touch();
  }

  fail(cause: GatewayError): void {
    if (this.#open === 0) return;
    const halfClosed = this.#open === 1;
    this.#open = 0;
    this.#parts.deadlines.disarm(this.#idle);
    this.#ends.client.sink.fail(cause);
    this.#ends.upstream.sink.fail(cause);
    // One side had said goodbye and the other did not answer, or just cut the line: that is an end, not a failure.
    this.#ended(halfClosed ? null : cause);
  }
}

/** What arrives from one side goes to the other's sink. */
class Direction implements BodySink {
  onDrain: (() => void) | null = null;
  readonly #tunnel: Tunnel;
  readonly #into: BodySink;
  readonly #from: 'client' | 'upstream';

  constructor(tunnel: Tunnel, into: BodySink, from: 'client' | 'upstream') {
    this.#tunnel = tunnel;
    this.#into = into;
    this.#from = from;
    into.onDrain = () => this.onDrain?.();
  }

  data(chunk: Uint8Array): boolean {
    this.#tunnel.touch();
    return this.#into.data(chunk);
  }

  end(trailers: HeaderList | null): void {
    this.#into.end(trailers);
    this.#tunnel.directionEnded();
  }

  fail(cause: GatewayError): void {
    this.#tunnel.fail(this.#from === 'client' ? clientGone(cause) : cause);
  }
}

function silence(): GatewayError {
  return new GatewayError('connection_read_timeout', { blame: 'gateway', status: 504, reason: 'tunnel-idle-timeout' });
}
