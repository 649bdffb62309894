import type { EjectionReason, OutlierPolicy } from './outlier-policy.ts';

/** What happened at one endpoint in the present interval. */
export class OutlierSample {
  attempts = 0;
  failures = 0;
  /** Good answers, and the sum of the logarithms of how many milliseconds their heads took. */
  answers = 0;
  logMs = 0;

  reset(): void {
    this.attempts = 0;
    this.failures = 0;
    this.answers = 0;
    this.logMs = 0;
  }

  /** Hot: a logarithm and four additions. */
  answered(headMs: number): void {
    this.attempts += 1;
    this.answers += 1;
    this.logMs += Math.log(Math.max(headMs, SHORTEST_MS));
  }

  failed(): void {
    this.attempts += 1;
    this.failures += 1;
  }

  /** What counted as a good answer was cut short. */
  failedLate(): void {
    this.failures += 1;
  }
}

/** The logarithm of 0 would be the end of all means; nothing over a network is faster. */
const SHORTEST_MS = 0.01;

/** Own failures must be this many times as frequent as those of the others: what fails everywhere is no endpoint's doing. */
const WORSE_THAN_OTHERS = 2;

/** One endpoint stands out, and how much: the larger the worse. */
export interface OutlierVerdict<T> {
  readonly item: T;
  readonly reason: EjectionReason;
  readonly badness: number;
}

/**
 * Those of `items` that did worse in the interval than the policy allows *and* than the others, the worst first. Errors come
 * before slowness. Quadratic in the number of endpoints that stand out, linear in all others; once in an interval.
 */
export function outliersAmong<T extends { readonly sample: OutlierSample }>(
  items: readonly T[],
  policy: OutlierPolicy,
): readonly OutlierVerdict<T>[] {
  const failing = failingAmong(items, policy);
  const told = new Set(failing.map(({ item }) => item));
  return [...failing, ...slowAmong(items, policy).filter(({ item }) => !told.has(item))];
}

function failingAmong<T extends { readonly sample: OutlierSample }>(
  items: readonly T[],
  { errorRatio, minimum }: OutlierPolicy,
): OutlierVerdict<T>[] {
  if (errorRatio === null) return [];
  let attempts = 0;
  let failures = 0;
  for (const { sample } of items) {
    attempts += sample.attempts;
    failures += Math.min(sample.failures, sample.attempts);
  }
  const verdicts: OutlierVerdict<T>[] = [];
  for (const item of items) {
    const { sample } = item;
    if (sample.attempts < minimum) continue;
    const own = Math.min(sample.failures, sample.attempts);
    const badness = own / sample.attempts;
    const others = attempts === sample.attempts ? 0 : (failures - own) / (attempts - sample.attempts);
    if (badness < errorRatio || badness < others * WORSE_THAN_OTHERS) continue;
    verdicts.push({ item, reason: 'error-ratio', badness });
  }
  return verdicts.sort((a, b) => b.badness - a.badness);
}

/**
 * By the geometric mean of each endpoint against the median of those of the others: a few requests that take long by their
 * nature move neither much, and both are one number each however many requests there were.
 */
function slowAmong<T extends { readonly sample: OutlierSample }>(
  items: readonly T[],
  { latency, minimum }: OutlierPolicy,
): OutlierVerdict<T>[] {
  if (latency === null) return [];
  const timed = items
    .filter(({ sample }) => sample.answers >= minimum)
    .map((item) => ({ item, typicalMs: Math.exp(item.sample.logMs / item.sample.answers) }))
    .sort((a, b) => a.typicalMs - b.typicalMs);
  if (timed.length < 2) return [];
  const verdicts: OutlierVerdict<T>[] = [];
  for (const [index, { item, typicalMs }] of timed.entries()) {
    const othersMs = medianWithout(timed, index);
    if (typicalMs < othersMs * latency.times || typicalMs - othersMs < latency.leastMs) continue;
    verdicts.push({ item, reason: 'latency', badness: typicalMs / othersMs });
  }
  return verdicts.sort((a, b) => b.badness - a.badness);
}

/** Of at least two, in ascending order. */
function medianWithout(timed: readonly { readonly typicalMs: number }[], without: number): number {
  const count = timed.length - 1;
  const at = (rank: number): number => (timed[rank < without ? rank : rank + 1] as { typicalMs: number }).typicalMs;
  const upper = count >> 1;
  return count % 2 === 1 ? at(upper) : (at(upper - 1) + at(upper)) / 2;
}
