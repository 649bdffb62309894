import type { Case } from './case.ts';
import { LEAN_DIFFERENCES } from './known-lean-differences.ts';
import type { Observation } from './observation.ts';
import type { Finding } from './run.ts';

/** Something that two variants are meant to do differently. */
export interface KnownDifference {
  readonly what: string;
  readonly why: string;
  readonly variant: 'lane' | 'lean';
  /** Is this all that the two runs of `one` show? */
  explains(reference: Observation, other: Observation, one: Case): boolean;
  /** Cases that show it: it is taken off this list when they no longer do. */
  readonly examples: readonly Case[];
}

/** Between the fast lane and Fastify alone there are none. */
export const KNOWN_DIFFERENCES: readonly KnownDifference[] = LEAN_DIFFERENCES;

export function explained({ reference, other, one }: Finding): boolean {
  return KNOWN_DIFFERENCES.some((known) => known.explains(reference, other, one));
}
