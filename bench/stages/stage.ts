/** One part of what is done for a request, by itself. */
export interface Stage {
  readonly name: string;
  /** Makes what the next `CALLS` calls are about, as new as what comes from a socket: strings that were never hashed. Not measured. */
  readonly prepare?: () => void;
  /** `CALLS` calls. Throws when they did not do what they are there for. */
  readonly run: () => void;
}

/**
 * Calls of one measurement: enough for the clock (1 µs), few enough for what is prepared for them to stay in the processor's caches
 * together with the rest, as the requests of a busy gateway do.
 */
export const CALLS = 1_000;
