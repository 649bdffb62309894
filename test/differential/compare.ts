import { isDeepStrictEqual } from 'node:util';
import type { Observation } from './observation.ts';

export type Aspect = 'client' | 'origin' | 'records' | 'refusals';

/** Where two runs of one case differ. */
export interface Difference {
  readonly aspect: Aspect;
  /** For the reader. */
  readonly text: string;
}

const ASPECTS: readonly Aspect[] = ['client', 'origin', 'records', 'refusals'];

/** Everything in which `other` is not what `reference` is; empty when they are the same. */
export function compare(reference: Observation, other: Observation): Difference[] {
  return ASPECTS.flatMap((aspect) => {
    if (isDeepStrictEqual(reference[aspect], other[aspect])) return [];
    return [{ aspect, text: `reference: ${shown(reference[aspect])}\n    other: ${shown(other[aspect])}` }];
  });
}

function shown(value: unknown): string {
  return JSON.stringify(value);
}
