import type { ProbeOutcome } from './health/probe-state.ts';

/** Something happened to a pool or an endpoint that an operator wants to read in the log, once each. */
export type UpstreamEvent =
  /** Active checks changed their verdict, for every pool that checks this origin alike. */
  {
    readonly kind: 'health';
    /** `http://10.0.0.1:3000` */
    readonly endpoint: string;
    readonly up: boolean;
    /** The result that decided it. */
    readonly outcome: ProbeOutcome;
    /** How long the state before lasted. */
    readonly heldMs: number;
  };

/** Hears of every event, once; for log lines and metrics. Must not throw. */
export interface UpstreamObserver {
  event(event: UpstreamEvent): void;
}
