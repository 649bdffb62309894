import type { GatewayError } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';

/** What tells one attempt from the others at the same endpoint: the same object from `began` to `ended`. */
export interface AttemptMark {
  /** Of `nextSerial`: attempts that began later have larger ones, whatever their pool. */
  readonly serial: number;
  /** Status that it was answered with; 0 before that, and for connections that are forwarded as they are. */
  readonly status: number;
  /** When it was begun to be written, on the monotonic clock; 0 before that, and missing for what is not written. */
  readonly sentAt?: number;
  /** How long it waited for its connection, in milliseconds; below 0 while it has none. */
  readonly connectMs?: number;
  /** That connection had been used before. */
  readonly reusedConnection?: boolean;
  /** A connection that is forwarded as it is was made. */
  readonly connected?: boolean;
}

let serials = 0;

/** For a new attempt. Kept state compares them to tell what began before it changed, so they are never reused in a process. */
export function nextSerial(): number {
  serials += 1;
  return serials;
}

/**
 * Hears of every attempt at the endpoints of a pool: passive health, breakers, latency, adaptive limits. Order for each attempt:
 * `began (answered failed? | failed)? ended`. Hot, and must not throw.
 */
export interface AttemptWatcher {
  /** The endpoint was picked; nothing is connected or sent yet. */
  began(endpoint: Endpoint, attempt: AttemptMark): void;
  /**
   * The final response head came, so many milliseconds after the request was begun to be written. For a connection that is
   * forwarded as it is: it was made, with status 0, so many milliseconds after it was begun to be.
   */
  answered(endpoint: Endpoint, status: number, headMs: number, attempt: AttemptMark): void;
  /** No response came, or one that was cut short. Only what the endpoint is to blame for. */
  failed(endpoint: Endpoint, error: GatewayError, attempt: AttemptMark): void;
  /** Nobody waits for it any more: the body's end, a failure, a client that left, a faster attempt elsewhere. */
  ended(endpoint: Endpoint, attempt: AttemptMark): void;
}
