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
  /** The same once one side has ended; 0 for none. */
  readonly halfClosedMs: number;
  /** Called when the first of the two sides has ended by itself; the other may go on. */
  readonly firstEnd?: (side: 'client' | 'upstream') => void;
}

/** How a tunnel ended. */
export interface TunnelEnd {
  /** The failure that cut it off, or `null` after both sides ended by themselves. */
  readonly cause: GatewayError | null;
  /** Which side ended first by itself, or `null` when neither did. */
  readonly endedFirst: 'client' | 'upstream' | null;
}

/**
 * Joins two byte channels after an upgrade: bytes go both ways untouched, with back-pressure; either side's end is
 * passed on and leaves the other direction open, either side's failure ends both. `ended` is called once.
 */
export function splice(parts: EngineParts, ends: TunnelEnds, ended: (end: TunnelEnd) => void): void {
  new Tunnel(parts, ends, ended).start();
}

class Tunnel {
  readonly #parts: EngineParts;
  readonly #ends: TunnelEnds;
  readonly #ended: (end: TunnelEnd) => void;
  readonly #idle: Deadline;
  #idleMs: number;
  #open = 2;
  #endedFirst: 'client' | 'upstream' | null = null;

  constructor(parts: EngineParts, ends: TunnelEnds, ended: (end: TunnelEnd) => void) {
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

  directionEnded(from: 'client' | 'upstream'): void {
    if (this.#open === 0) return;
    this.#open -= 1;
    if (this.#endedFirst === null) {
      this.#endedFirst = from;
      this.#ends.firstEnd?.(from);
    }
    if (this.#open === 0) {
      this.#parts.deadlines.disarm(this.#idle);
      this.#ended({ cause: null, endedFirst: this.#endedFirst });
      return;
    }
    this.#idleMs = this.#ends.halfClosedMs;
    this.touch();
  }

  fail(cause: GatewayError): void {
    if (this.#open === 0) return;
    this.#open = 0;
    this.#parts.deadlines.disarm(this.#idle);
    this.#ends.client.sink.fail(cause);
    this.#ends.upstream.sink.fail(cause);
    this.#ended({ cause, endedFirst: this.#endedFirst });
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
    this.#tunnel.directionEnded(this.#from);
  }

  fail(cause: GatewayError): void {
    // What a downstream says is about its client, or about us; other failures of its side mean that the client is gone.
    this.#tunnel.fail(this.#from === 'client' && cause.blame === 'upstream' ? clientGone(cause) : cause);
  }
}

function silence(): GatewayError {
  return new GatewayError('connection_read_timeout', { blame: 'gateway', status: 504, reason: 'tunnel-idle-timeout' });
}
