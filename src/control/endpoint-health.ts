import type { Endpoint } from '../upstream/endpoint.ts';
import type { ProbeOutcome } from '../upstream/health/probe-state.ts';
import type { EjectionReason } from '../upstream/outlier/outlier-policy.ts';

/** What active checks know of an endpoint. Times are ISO 8601. */
export interface CheckStatus {
  /** Since when it is up or down. */
  readonly since: string;
  /** Results in a row that speak against that. */
  readonly contrary: number;
  /** The latest result; `null` before the first. */
  readonly last: (ProbeOutcome & { readonly at: string }) | null;
  /** When the next one is sent; `null` while none is planned. */
  readonly next: string | null;
}

/** An endpoint that passive health has put aside. Times are ISO 8601. */
export interface EjectionStatus {
  readonly reason: EjectionReason;
  readonly since: string;
  readonly until: string;
  /** Times in a row, and in all. */
  readonly inARow: number;
  readonly ejections: number;
}

/** `null` for one that is not put aside. */
export function ejectionStatusOf({ live }: Endpoint): EjectionStatus | null {
  const { outlier } = live;
  if (outlier === null) return null;
  const { reason, ejectedAt, ejectedUntil, inARow, ejections } = outlier;
  if (reason === null || ejectedAt === null || ejectedUntil === null) return null;
  return { reason, since: isoTime(ejectedAt), until: isoTime(ejectedUntil), inARow, ejections };
}

/** `null` for an endpoint that is not checked. */
export function checkStatusOf({ probe }: Endpoint): CheckStatus | null {
  if (probe === null) return null;
  const { sinceMs, run, last, lastMs, nextMs } = probe;
  return {
    since: isoTime(sinceMs),
    contrary: run,
    last: last === null || lastMs === null ? null : { ...last, at: isoTime(lastMs) },
    next: nextMs === null ? null : isoTime(nextMs),
  };
}

function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
