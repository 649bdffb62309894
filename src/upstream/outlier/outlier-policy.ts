/** When an endpoint is put aside for what it did to requests, and for how long. */
export interface OutlierPolicy {
  /** Failures in a row; 0 for no such condition. */
  readonly consecutive: number;
  /** Share of its attempts in an interval that failed, above 0; `null` for no such condition. */
  readonly errorRatio: number | null;
  /** Response heads that take `times` as long as those of the others, and `leastMs` longer; `null` for no such condition. */
  readonly latency: { readonly times: number; readonly leastMs: number } | null;
  /** Attempts at an endpoint in an interval below which neither its share of errors nor its latency counts, at least 1. */
  readonly minimum: number;
  readonly intervalMs: number;
  /** Put aside for the first time in a row. Doubled each further time, up to `maxEjectionMs`. */
  readonly ejectionMs: number;
  readonly maxEjectionMs: number;
  /** Share of the pool that may be put aside at once, in [0, 1]; never all of it. */
  readonly maxEjected: number;
  /** Statuses that are failures although they are answers. */
  readonly isFailure: (status: number) => boolean;
}

/** What an endpoint was put aside for. */
export type EjectionReason = 'consecutive-failures' | 'error-ratio' | 'latency';

/** Why it came back: its time was over, its active checks saw it fall and rise again, or nobody else was left. */
export type ReturnReason = 'time-served' | 'checks-passed' | 'needed';

/** How many of `members` endpoints may be put aside at once: the share rounded down, and one always stays. */
export function mostEjected(members: number, maxEjected: number): number {
  // 0.3 × 10 is 2.9999999999999996 for some shares: what is that close to a whole number is meant to be it.
  return Math.max(0, Math.min(members - 1, Math.floor(members * maxEjected + 1e-9)));
}
