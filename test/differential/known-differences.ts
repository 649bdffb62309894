import type { Case } from './case.ts';
import type { Finding } from './run.ts';

/** Something that two variants are meant to do differently. */
export interface KnownDifference {
  readonly what: string;
  readonly why: string;
  readonly variant: 'lane' | 'lean';
  /** Is this all that the finding shows? */
  explains(one: Case, finding: Finding): boolean;
  /** Cases that show it: it is taken off this list when they no longer do. */
  readonly examples: readonly Case[];
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [];

export function explained(one: Case, finding: Finding): boolean {
  return KNOWN_DIFFERENCES.some((known) => known.explains(one, finding));
}
