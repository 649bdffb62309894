import type { Deadline } from '../clock.ts';
import { clientGone, GatewayError } from '../errors.ts';
import type { BodySink, ByteChannel } from '../exchange/body.ts';
import type { HeaderList } from '../http/headers.ts';
import type { OpenTunnel } from './open-tunnels.ts';
import type { EngineParts } from './parts.ts';
import type { Snapshot } from './snapshot.ts';

export interface TunnelEnds {
  readonly client: ByteChannel;
  readonly upstream: ByteChannel;
  /** Longest silence in both directions together; 0 for none. */
  readonly idleMs: number;
  /** The same once one side has ended; 0 for none. */
  readonly halfClosedMs: number;
  /** Called when the first of the two sides has ended by itself; the other may go on. */
  readonly firstEnd?: (side: 'client' | 'upstream') => void;
  /** A snapshot would bring the two together again. */
  readonly isLedBy: (snapshot: Snapshot) => boolean;
  /** Called before both sides are ended from here. */
  readonly retired?: (cause: GatewayError) => void;
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

/** Who was shown the end has this long to say goodbye. */
const FAREWELL_MS = 10_000;

class Tunnel implements OpenTunnel {
  readonly #parts: EngineParts;
  readonly #ends: TunnelEnds;
  readonly #ended: (end: TunnelEnd) => void;
  readonly #idle: Deadline;
  #idleMs: number;
  #open = 2;
  #endedFirst: 'client' | 'upstream' | null = null;
  readonly #directions: Direction[] = [];
  /** Not `null` once both sides were ended from here. */
  #retired: GatewayError | null = null;

  constructor(parts: EngineParts, ends: TunnelEnds, ended: (end: TunnelEnd) => void) {
    this.#parts = parts;
    this.#ends = ends;
    this.#ended = ended;
    this.#idleMs = ends.idleMs;
    this.#idle = { at: 0, slot: 0, expire: () => this.fail(this.#retired ?? silence()) };
  }

  start(): void {
    this.#parts.tunnels.add(this);
    this.touch();
    const { client, upstream } = this.#ends;
    const toClient = new Direction(this, client.sink, 'upstream');
    const toUpstream = new Direction(this, upstream.sink, 'client');
    this.#directions.push(toClient, toUpstream);
    upstream.source.pipe(toClient);
    client.source.pipe(toUpstream);
  }

  isLedBy(snapshot: Snapshot): boolean {
    return this.#ends.isLedBy(snapshot);
  }

  retire(): void {
    // One side has ended by itself: the other one does soon.
    if (this.#open < 2 || this.#retired !== null) return;
    const cause = superseded();
    this.#retired = cause;
    this.#ends.retired?.(cause);
    this.#parts.deadlines.arm(this.#idle, FAREWELL_MS);
    for (const direction of this.#directions) direction.cut();
  }

  /** Bytes were seen, in either direction. */
  touch(): void {
    if (this.#open > 0 && this.#retired === null) this.#parts.deadlines.arm(this.#idle, this.#idleMs);
  }

  directionEnded(from: 'client' | 'upstream'): void {
    if (this.#open === 0) return;
    this.#open -= 1;
    if (this.#endedFirst === null && this.#retired === null) {
      this.#endedFirst = from;
      this.#ends.firstEnd?.(from);
    }
    if (this.#open === 0) {
      this.#over({ cause: this.#endedFirst === null ? this.#retired : null, endedFirst: this.#endedFirst });
      return;
    }
    this.#idleMs = this.#ends.halfClosedMs;
    this.touch();
  }

  fail(cause: GatewayError): void {
    if (this.#open === 0) return;
    this.#open = 0;
    this.#ends.client.sink.fail(cause);
    this.#ends.upstream.sink.fail(cause);
    this.#over({ cause: this.#retired ?? cause, endedFirst: this.#endedFirst });
  }

  #over(end: TunnelEnd): void {
    this.#parts.deadlines.disarm(this.#idle);
    this.#parts.tunnels.delete(this);
    this.#ended(end);
  }
}

/** What arrives from one side goes to the other's sink. */
class Direction implements BodySink {
  onDrain: (() => void) | null = null;
  readonly #tunnel: Tunnel;
  readonly #into: BodySink;
  readonly #from: 'client' | 'upstream';
  /** The receiver has seen an end. */
  #shut = false;

  constructor(tunnel: Tunnel, into: BodySink, from: 'client' | 'upstream') {
    this.#tunnel = tunnel;
    this.#into = into;
    this.#from = from;
    const drained = (): void => this.onDrain?.();
    into.onDrain = drained;
  }

  /** The receiver sees an end; what is still sent to it is for nobody. */
  cut(): void {
    if (this.#shut) return;
    this.#shut = true;
    this.#into.end(null);
  }

  data(chunk: Uint8Array): boolean {
    if (this.#shut) return true;
    this.#tunnel.touch();
    return this.#into.data(chunk);
  }

  end(trailers: HeaderList | null): void {
    if (!this.#shut) this.#into.end(trailers);
    this.#shut = true;
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

function superseded(): GatewayError {
  return new GatewayError('connection_terminated', { blame: 'gateway', status: 503, reason: 'reloaded' });
}
