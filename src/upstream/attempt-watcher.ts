import type { GatewayError } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';

/**
 * Hears of every attempt at the endpoints of a pool: passive health, breakers, latency, adaptive limits. Order for each attempt:
 * `began (answered failed? | failed)? ended`. Hot, and must not throw.
 */
export interface AttemptWatcher {
  /** The endpoint was picked; nothing is connected or sent yet. */
  began(endpoint: Endpoint): void;
  /** The final response head came, so many milliseconds after the request was begun to be written. */
  answered(endpoint: Endpoint, status: number, headMs: number): void;
  /** No response came, or one that was cut short. Only what the endpoint is to blame for. */
  failed(endpoint: Endpoint, error: GatewayError): void;
  /** Nobody waits for it any more: the body's end, a failure, a client that left, a faster attempt elsewhere. */
  ended(endpoint: Endpoint): void;
}
