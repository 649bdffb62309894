import type { Buckets, Family, Series } from './family.ts';

/** Labels whose values are as many as somebody configures. Those of all others are enumerated. */
const FOLDED_LABELS: ReadonlySet<string> = new Set(['route', 'pool', 'endpoint']);

/** What stands for all names beyond the limit. */
export const OTHER = '_other';

/**
 * The series of `family`, at most `limit` of them and the few that all others become: with `_other` in place of their names, added up.
 * Gauges can't be added up, so that the others are left out. `folded` hears how many that were, at the end.
 */
export function* limited(family: Family, limit: number, folded: (count: number) => void): Iterable<Series> {
  const others = new Map<string, [labelValues: readonly string[], value: number | Buckets]>();
  let count = 0;
  for (const series of family.read()) {
    count += 1;
    if (count <= limit) yield series;
    else if (family.kind !== 'gauge') fold(others, family, series);
  }
  yield* others.values();
  folded(Math.max(0, count - limit));
}

function fold(others: Map<string, [readonly string[], number | Buckets]>, { labels }: Family, [names, value]: Series) {
  const values = names.map((name, i) => (FOLDED_LABELS.has(labels[i] as string) ? OTHER : name));
  const key = values.join('\n');
  const before = others.get(key);
  if (before === undefined) others.set(key, [values, value]);
  else before[1] = sum(before[1], value);
}

function sum(a: number | Buckets, b: number | Buckets): number | Buckets {
  if (typeof a === 'number') return typeof b === 'number' ? a + b : a;
  if (typeof b === 'number') return a;
  return { bounds: a.bounds, counts: a.counts.map((count, i) => count + (b.counts[i] ?? 0)), sum: a.sum + b.sum };
}
