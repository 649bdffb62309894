import { markdownTable } from '../report.ts';
import type { StageTime } from './rounds.ts';

/** A change below this is noise whatever the spread says: code moves in memory from one commit to the next. */
const LEAST_CHANGE = 0.05;

/** What has become of a stage since an earlier run. */
export interface StageChange {
  readonly name: string;
  /** `null` for a stage that one of the runs has not. */
  readonly beforeNs: number | null;
  readonly nowNs: number | null;
  /** Of the least times, 0.1 for a tenth more; `null` where there is nothing to compare. */
  readonly change: number | null;
  readonly verdict: 'slower' | 'faster' | 'same' | 'new' | 'gone';
}

/**
 * By the least times, which other work on the machine can't lower. A change counts when it is more than a twentieth and more than the
 * spread of either run.
 */
export function compareStages(before: readonly StageTime[], now: readonly StageTime[]): StageChange[] {
  const old = new Map(before.map((time) => [time.name, time]));
  const current = new Set(now.map(({ name }) => name));
  const changes = now.map((time): StageChange => {
    const earlier = old.get(time.name);
    const { name, leastNs } = time;
    if (earlier === undefined) return { name, beforeNs: null, nowNs: leastNs, change: null, verdict: 'new' };
    const change = leastNs / earlier.leastNs - 1;
    const noise = Math.max(LEAST_CHANGE, time.spread, earlier.spread);
    const verdict = Math.abs(change) <= noise ? 'same' : change > 0 ? 'slower' : 'faster';
    return { name, beforeNs: earlier.leastNs, nowNs: leastNs, change, verdict };
  });
  const gone = before.filter(({ name }) => !current.has(name));
  return [
    ...changes,
    ...gone.map(
      ({ name, leastNs }): StageChange => ({ name, beforeNs: leastNs, nowNs: null, change: null, verdict: 'gone' }),
    ),
  ];
}

export function stageTable(times: readonly StageTime[]): string {
  const lines = times.map(({ name, leastNs, medianNs, spread }) => [
    ...[name, nanoseconds(leastNs), nanoseconds(medianNs)],
    `${Math.round(spread * 100)} %`,
  ]);
  return markdownTable(['stage', 'ns at least', 'ns at the median', 'spread'], lines);
}

export function changeTable(changes: readonly StageChange[]): string {
  const lines = changes.map(({ name, beforeNs, nowNs, change, verdict }) => [
    ...[name, nanoseconds(beforeNs), nanoseconds(nowNs)],
    ...[change === null ? '' : `${change < 0 ? '−' : '+'}${Math.abs(change * 100).toFixed(1)} %`, verdict],
  ]);
  return markdownTable(['stage', 'ns before', 'ns now', 'change', ''], lines);
}

function nanoseconds(value: number | null): string {
  if (value === null) return '';
  return value < 100 ? value.toFixed(1) : value.toFixed(0);
}
