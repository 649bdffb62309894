/** A histogram as it is read: counts of each bucket alone, one more than there are bounds. */
export interface Buckets {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
  /** For each bucket a trace that a value of it belongs to; missing where none was sampled. */
  readonly exemplars?: readonly (Exemplar | undefined)[];
}

export interface Exemplar {
  readonly traceId: string;
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly atEpoch: number;
}

/** One series: values of the labels of its family, in their order. */
export type Series = readonly [labelValues: readonly string[], value: number | Buckets];

export type FamilyKind = 'counter' | 'gauge' | 'histogram';

/** Metrics of one name as they were read: plain data, for whoever puts those of several processes together. */
export interface FamilyReading extends Omit<Family, 'read'> {
  readonly series: readonly Series[];
}

/** Metrics of one name. */
export interface Family {
  /** With prefix and unit; of a counter with `_total`. */
  readonly name: string;
  readonly kind: FamilyKind;
  /** One sentence without a full stop. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Asked whenever somebody reads the metrics, and read in slices: what changes meanwhile may be in it or not. Must not throw. */
  readonly read: () => Iterable<Series>;
}
