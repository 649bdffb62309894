import type { BreakerChange } from './breaker/breaker.ts';
import type { Standing } from './endpoint-live.ts';
import type { ProbeOutcome } from './health/probe-state.ts';
import type { OutlierChange } from './outlier/outlier.ts';

/** Something happened to a pool or an endpoint that an operator wants to read in the log, once each. */
export type UpstreamEvent =
  /** So few endpoints of a pool are healthy that it no longer asks for their health, or enough again. Told when it is next used. */
  | {
      readonly kind: 'panic';
      readonly pool: string;
      readonly panicking: boolean;
      /** Endpoints that are meant to take work, and those of them that are healthy. */
      readonly inService: number;
      readonly healthy: number;
    }
  /** Active checks changed their verdict, for every pool that checks this origin alike. */
  | {
      readonly kind: 'health';
      /** `http://10.0.0.1:3000` */
      readonly endpoint: string;
      readonly up: boolean;
      /** The result that decided it. */
      readonly outcome: ProbeOutcome;
      /** How long the state before lasted. */
      readonly heldMs: number;
    }
  /** A pool's retries are more than its budget allows, or have not been for a whole window. */
  | {
      readonly kind: 'retry-budget';
      readonly pool: string;
      readonly spent: boolean;
    }
  /** A breaker has changed its state. */
  | ({
      readonly kind: 'breaker';
      readonly pool: string;
      /** `http://10.0.0.1:3000`; `null` for the breaker of the whole pool. */
      readonly endpoint: string | null;
    } & BreakerChange)
  /** Requests wait too long for their turn at this pool, and not just in a burst; or do so no more. */
  | {
      readonly kind: 'queue';
      readonly pool: string;
      /** The newest are served first, and those who wait for longer than the target are refused. */
      readonly standing: boolean;
      readonly queued: number;
    }
  /** Passive health has put an endpoint aside, or it is back. */
  | {
      readonly kind: 'outlier';
      readonly pool: string;
      /** Its origin. */
      readonly endpoint: string;
      readonly change: OutlierChange;
    }
  /** An endpoint has come back or joined others, and begins with a part of its weight. */
  | {
      readonly kind: 'slow-start';
      readonly pool: string;
      /** Its origin. */
      readonly endpoint: string;
      /** Until it has all of it. */
      readonly durationMs: number;
    }
  /** Somebody has said by hand what an endpoint is to do. */
  | {
      readonly kind: 'hand';
      readonly pool: string;
      /** Its origin. */
      readonly endpoint: string;
      readonly standing: Standing;
      /** In place of the configuration's; `null` for none. */
      readonly weightByHand: number | null;
      readonly by: Hand;
    }
  /** A pool has other members: origins that were found or are gone, and how many there are now. */
  | {
      readonly kind: 'members';
      readonly pool: string;
      readonly found: readonly string[];
      readonly lost: readonly string[];
      readonly count: number;
    }
  /** More endpoints were found than a pool has room for. */
  | { readonly kind: 'members-dropped'; readonly pool: string; readonly dropped: number; readonly most: number }
  /** What endpoints are found by works no longer, or again. */
  | {
      readonly kind: 'discovery';
      /** `dns api.internal`, `file endpoints.yaml` */
      readonly source: string;
      readonly works: boolean;
      /** Enumerated: `no-such-name`, `dns-timeout`, `broken-file`, …; `null` when it works. */
      readonly reason: string | null;
      readonly detail: string | null;
    }
  /** What a source has and is no endpoint, all of it, whenever that changes. */
  | {
      readonly kind: 'left-out';
      readonly source: string;
      readonly leftOut: readonly { readonly what: string; readonly reason: string }[];
    };

/** Whose hand: by the command line, by the admin listener, or in this process. */
export interface Hand {
  readonly via: 'cli' | 'api' | 'program';
  /** Of the client of the admin listener; `null` within the process. */
  readonly address: string | null;
}

/** Hears of every event, once; for log lines and metrics. Must not throw. */
export interface UpstreamObserver {
  event(event: UpstreamEvent): void;
}
