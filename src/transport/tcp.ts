import type { Socket } from 'node:net';
import { type Clock, systemClock } from '../clock.ts';
import { GatewayError } from '../errors.ts';
import type { InFlight } from '../exchange/attempt.ts';
import type { StreamAttempt, StreamReceiver, StreamTransport } from '../exchange/stream.ts';
import { Dial, type DialOutcome } from './dial.ts';
import { dialFailure, shutDown } from './failure.ts';
import { proxyHeader } from './proxy-header.ts';
import { socketChannel } from './socket-channel.ts';

/** A connection for each stream, made for it and closed with it. */
export class TcpTransport implements StreamTransport {
  readonly #clock: Clock;
  /** At most `maxConnections` for each place. */
  readonly #open = new Map<string, Set<Line>>();
  readonly #drained: (() => void)[] = [];
  #shut = false;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  open(attempt: StreamAttempt, into: StreamReceiver): InFlight {
    const { destination } = attempt;
    const key = destination.connectionKey;
    if (this.#shut) {
      into.failed(shutDown());
      return NOTHING;
    }
    if (this.connections(key) >= destination.limits.maxConnections) {
      into.failed(tooMany());
      return NOTHING;
    }
    const line = new Line(into, () => this.#closed(key, line));
    const lines = this.#open.get(key) ?? new Set();
    this.#open.set(key, lines.add(line));
    line.dial(attempt, this.#clock);
    return line;
  }

  connections(connectionKey: string): number {
    return this.#open.get(connectionKey)?.size ?? 0;
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#shut = true;
    if (this.#open.size === 0) return;
    const timer = deadlineMs > 0 ? this.#clock.after(deadlineMs, () => this.#resetAll()) : null;
    const emptied = new Promise<void>((resolve) => {
      this.#drained.push(resolve);
    });
    if (timer === null) this.#resetAll();
    await emptied;
    if (timer !== null) this.#clock.cancel(timer);
  }

  #resetAll(): void {
    for (const lines of this.#open.values()) for (const line of lines) line.shut();
  }

  #closed(key: string, line: Line): void {
    const lines = this.#open.get(key);
    if (lines?.delete(line) !== true || lines.size > 0) return;
    this.#open.delete(key);
    if (this.#open.size > 0) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}

/** One connection, from dial to close. */
class Line implements InFlight, DialOutcome {
  readonly #into: StreamReceiver;
  readonly #closed: () => void;
  #dial: Dial | null = null;
  #socket: Socket | null = null;

  constructor(into: StreamReceiver, closed: () => void) {
    this.#into = into;
    this.#closed = closed;
  }

  dial({ destination, client }: StreamAttempt, clock: Clock): void {
    const preamble = destination.proxyProtocol === null ? null : proxyHeader(destination.proxyProtocol, client);
    try {
      this.#dial = new Dial(destination, { tls: null, preamble, clock, outcome: this });
    } catch (error) {
      // ERR_SOCKET_BAD_PORT: what configuration checks should have refused.
      this.#closed();
      this.#into.failed(dialFailure(error, 'tcp'));
    }
  }

  dialled(_dial: Dial, socket: Socket): void {
    this.#dial = null;
    this.#socket = socket;
    socket.once('close', this.#closed);
    this.#into.opened(socketChannel(socket, 'stream'));
  }

  notDialled(_dial: Dial, error: GatewayError): void {
    this.#dial = null;
    this.#closed();
    this.#into.failed(error);
  }

  cancel(): void {
    if (this.#dial === null) return;
    this.#dial.cancel();
    this.#dial = null;
    this.#closed();
  }

  /** Cut off, whatever it does; who waits for it is told. */
  shut(): void {
    const waiting = this.#dial !== null;
    this.cancel();
    if (waiting) this.#into.failed(shutDown());
    else this.#socket?.destroy();
  }
}

const NOTHING: InFlight = { cancel: () => {} };

/** Others may have room. */
function tooMany(): GatewayError {
  return new GatewayError('connection_limit_reached', {
    blame: 'gateway',
    retry: 'always',
    status: 503,
    reason: 'too-many-streams',
  });
}
