import type { CoarseClock, Deadline } from '../clock.ts';
import { type ErrorCode, GatewayError } from '../errors.ts';
import type { HeaderList } from '../http/headers.ts';
import type { RouteTimeouts } from './snapshot.ts';

/** How long an exchange waits for its endpoint: in total, and for each next piece of the response's body. */
export class Patience {
  readonly #clock: CoarseClock;
  readonly #timeouts: RouteTimeouts;
  readonly #lost: (error: GatewayError) => void;
  #total: Wait | null = null;
  #idle: Wait | null = null;

  /** `lost` is called at most once for each of the two, unless `stop` came first. */
  constructor(clock: CoarseClock, timeouts: RouteTimeouts, lost: (error: GatewayError) => void) {
    this.#clock = clock;
    this.#timeouts = timeouts;
    this.#lost = lost;
  }

  /** The whole exchange begins, over all its attempts. */
  begin(): void {
    if (this.#timeouts.totalMs === 0) return;
    this.#total = new Wait(this.#lost, 'http_response_timeout', 'total-timeout');
    this.#clock.arm(this.#total, this.#timeouts.totalMs);
  }

  /** A response head came. Event streams are silent for as long as nothing happens: that is their point. */
  awaitBody(headers: HeaderList): void {
    this.pause();
    this.#idle = null;
    if (this.#timeouts.idleMs === 0 || isEventStream(headers)) return;
    this.#idle = new Wait(this.#lost, 'connection_read_timeout', 'idle-timeout');
    this.#clock.arm(this.#idle, this.#timeouts.idleMs);
  }

  /** More of the body is expected from now on. */
  expect(): void {
    if (this.#idle !== null) this.#clock.arm(this.#idle, this.#timeouts.idleMs);
  }

  /** The client takes no more for now. A slow client is not a silent endpoint: nothing is expected until it does. */
  pause(): void {
    if (this.#idle !== null) this.#clock.disarm(this.#idle);
  }

  stop(): void {
    if (this.#total !== null) this.#clock.disarm(this.#total);
    if (this.#idle !== null) this.#clock.disarm(this.#idle);
  }
}

class Wait implements Deadline {
  at = 0;
  slot = 0;
  readonly #lost: (error: GatewayError) => void;
  readonly #code: ErrorCode;
  readonly #reason: string;

  constructor(lost: (error: GatewayError) => void, code: ErrorCode, reason: string) {
    this.#lost = lost;
    this.#code = code;
    this.#reason = reason;
  }

  expire(): void {
    this.#lost(new GatewayError(this.#code, { blame: 'upstream', status: 504, reason: this.#reason }));
  }
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
