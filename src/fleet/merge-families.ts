import type { Buckets, Series } from '../observe/family.ts';
import type { PlainFamily } from './protocol.ts';

/** What a gauge of several workers is together. `sum` for what each has a part of, `max` for what is bad news when one has it, `min` for the reverse. */
export type GaugeMerge = 'sum' | 'max' | 'min';

/**
 * Every gauge that is not the sum of the workers', by what it means. All others count something of which each worker has a part:
 * connections, requests in flight, bytes.
 */
export const NOT_SUMMED: Readonly<Record<string, GaugeMerge>> = {
  // The same everywhere, or about to be.
  headgate_build_info: 'max',
  headgate_certificate_not_after_seconds: 'min',
  headgate_config_last_reload_success: 'min',
  headgate_config_last_reload_timestamp_seconds: 'min',
  headgate_config_info: 'max',
  headgate_maintenance: 'max',
  headgate_route_maintenance: 'max',
  headgate_cache_disk_up: 'min',
  headgate_endpoint_weight: 'max',
  headgate_endpoint_standing: 'max',
  headgate_pool_discovered_endpoints: 'max',
  headgate_pool_priority_share: 'max',
  headgate_quarantined: 'max',
  headgate_metrics_folded_series: 'max',
  // One probes for all, so they only differ for a moment.
  headgate_endpoint_up: 'min',
  // Each worker judges by what it has seen itself: the one with trouble counts.
  headgate_endpoint_breaker_state: 'max',
  headgate_pool_breaker_state: 'max',
  headgate_endpoint_ejected: 'max',
  headgate_pool_panic: 'max',
  headgate_pool_shedding: 'max',
  headgate_overloaded: 'max',
  headgate_overload_severity: 'max',
  headgate_memory_share: 'max',
  headgate_event_loop_delay_seconds: 'max',
  process_start_time_seconds: 'min',
  process_max_fds: 'min',
};

export function gaugeMergeOf(family: string): GaugeMerge {
  return NOT_SUMMED[family] ?? 'sum';
}

/**
 * The families of all processes as one: counters and histograms are summed, gauges as `gaugeMergeOf` says. Families and series that only
 * some have are there too. Histograms with other bounds than the first, which an upgrade may bring for a moment, are left out.
 */
export function mergedFamilies(processes: readonly (readonly PlainFamily[])[]): readonly PlainFamily[] {
  const merged = new Map<string, { readonly family: PlainFamily; readonly series: Map<string, Series> }>();
  for (const family of processes.flat()) {
    let into = merged.get(family.name);
    if (into === undefined) {
      into = { family, series: new Map() };
      merged.set(family.name, into);
    }
    for (const series of family.series) add(into.series, series, family);
  }
  return [...merged.values()].map(({ family, series }) => ({ ...family, series: [...series.values()] }));
}

/** What must not go backwards when a process ends: its counters and histograms. */
export function lasting(families: readonly PlainFamily[]): readonly PlainFamily[] {
  return families.filter(({ kind }) => kind !== 'gauge');
}

function add(into: Map<string, Series>, [names, value]: Series, { kind, name }: PlainFamily): void {
  const key = JSON.stringify(names);
  const known = into.get(key);
  if (known === undefined) into.set(key, [names, value]);
  else if (typeof value === 'number' && typeof known[1] === 'number') {
    into.set(key, [names, kind === 'gauge' ? COMBINE[gaugeMergeOf(name)](known[1], value) : known[1] + value]);
  } else if (typeof value !== 'number' && typeof known[1] !== 'number' && sameBounds(known[1], value)) {
    into.set(key, [names, together(known[1], value)]);
  }
}

const COMBINE: Readonly<Record<GaugeMerge, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  max: Math.max,
  min: Math.min,
};

function sameBounds(a: Buckets, b: Buckets): boolean {
  return a.bounds.length === b.bounds.length && a.bounds.every((bound, i) => bound === b.bounds[i]);
}

function together(a: Buckets, b: Buckets): Buckets {
  return {
    bounds: a.bounds,
    counts: a.counts.map((count, i) => count + (b.counts[i] ?? 0)),
    sum: a.sum + b.sum,
    ...(a.exemplars === undefined ? {} : { exemplars: a.counts.map((_, i) => a.exemplars?.[i] ?? b.exemplars?.[i]) }),
  };
}
