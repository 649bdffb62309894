import type { Endpoint } from '../upstream/endpoint.ts';
import type { ProbeOutcome } from '../upstream/health/probe-state.ts';

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
