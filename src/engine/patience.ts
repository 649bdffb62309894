import type { CoarseClock, Deadline } from '../clock.ts';
import { type ErrorCode, GatewayError } from '../errors.ts';
import type { HeaderList } from '../http/headers.ts';
import type { GrpcCall } from './grpc.ts';
import type { RouteTimeouts } from './snapshot.ts';

export interface PatienceParts {
  readonly clock: CoarseClock;
  readonly timeouts: RouteTimeouts;
  /** Not `null`: both directions stream from the start, and the call brings a deadline of its own. */
  readonly call: GrpcCall | null;
  /** Counts the bytes of the request's body: while they come, an exchange is not silent. */
  readonly exchange: { readonly bytesIn: number };
  /** Called at most once for the total, and once for a silence, unless `stop` came first. */
  readonly lost: (error: GatewayError) => void;
}

/** How long an exchange waits for its endpoint: in total, and for each next piece of the response's body. */
export class Patience {
  readonly #parts: PatienceParts;
  #total: Total | null = null;
  #idle: Silence | null = null;
  #isSpent = false;

  constructor(parts: PatienceParts) {
    this.#parts = parts;
  }

  /** The whole exchange has its time, over all its attempts, from `startedAt` on the monotonic clock: it may have waited since. */
  begin(startedAt: number): void {
    const { call, clock, timeouts } = this.#parts;
    const deadlineMs = call?.deadlineMs ?? 0;
    const isOwn = deadlineMs > 0 && (timeouts.totalMs === 0 || deadlineMs < timeouts.totalMs);
    const totalMs = isOwn ? deadlineMs : timeouts.totalMs;
    if (totalMs > 0) {
      this.#total = new Total(this.#parts, isOwn ? 'deadline-exceeded' : 'total-timeout');
      clock.arm(this.#total, totalMs, startedAt);
    }
    if (call !== null) this.#listen(timeouts.tunnelIdleMs, 'stream-idle-timeout');
  }

  /**
   * A response head came. Event streams and gRPC streams are silent for as long as nothing happens, that is their point: they
   * have as long as a tunnel has. `now` is monotonic, like that of `expect`.
   */
  awaitBody(headers: HeaderList, now: number): void {
    const { call, timeouts } = this.#parts;
    if (call !== null || isEventStream(headers)) this.#listen(timeouts.tunnelIdleMs, 'stream-idle-timeout', now);
    else this.#listen(timeouts.idleMs, 'idle-timeout', now);
  }

  #listen(idleMs: number, reason: string, now?: number): void {
    this.pause();
    this.#idle = idleMs === 0 ? null : new Silence(this.#parts, idleMs, reason);
    this.#idle?.begin(now);
  }

  /** In place of `begin`: the whole exchange has waited for all the time that it had. */
  spend(): void {
    this.#isSpent = true;
  }

  /** Milliseconds until the exchange as a whole is given up; infinite without a deadline. */
  leftMs(nowMs: number): number {
    if (this.#isSpent) return 0;
    return this.#total === null ? Number.POSITIVE_INFINITY : this.#total.at - nowMs;
  }

  /** More of the body is expected from now on. */
  expect(now: number): void {
    this.#idle?.begin(now);
  }

  /** The client takes no more for now. A slow client is not a silent endpoint: nothing is expected until it does. */
  pause(): void {
    if (this.#idle !== null) this.#parts.clock.disarm(this.#idle);
  }

  stop(): void {
    if (this.#total !== null) this.#parts.clock.disarm(this.#total);
    if (this.#idle !== null) this.#parts.clock.disarm(this.#idle);
  }
}

class Total implements Deadline {
  at = 0;
  slot = 0;
  readonly #parts: PatienceParts;
  readonly #reason: string;

  constructor(parts: PatienceParts, reason: string) {
    this.#parts = parts;
    this.#reason = reason;
  }

  expire(): void {
    this.#parts.lost(timeout('http_response_timeout', this.#reason));
  }
}

/** No piece of the response for `idleMs`, and none of the request since that was last looked at: once in `idleMs`. */
class Silence implements Deadline {
  at = 0;
  slot = 0;
  readonly #parts: PatienceParts;
  readonly #idleMs: number;
  readonly #reason: string;
  #bytesIn: number;

  constructor(parts: PatienceParts, idleMs: number, reason: string) {
    this.#parts = parts;
    this.#idleMs = idleMs;
    this.#reason = reason;
    this.#bytesIn = parts.exchange.bytesIn;
  }

  /** From now on. Hot. */
  begin(now?: number): void {
    this.#parts.clock.arm(this, this.#idleMs, now);
  }

  expire(): void {
    const { bytesIn } = this.#parts.exchange;
    if (bytesIn === this.#bytesIn) {
      this.#parts.lost(timeout('connection_read_timeout', this.#reason));
      return;
    }
    this.#bytesIn = bytesIn;
    this.begin();
  }
}

function timeout(code: ErrorCode, reason: string): GatewayError {
  return new GatewayError(code, { blame: 'upstream', status: 504, reason });
}

function isEventStream(headers: HeaderList): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length === 12 && name.toLowerCase() === 'content-type') {
      return (headers[i + 1] as string).toLowerCase().startsWith('text/event-stream');
    }
  }
  return false;
}
