import type { Clock } from '../clock.ts';
import type { UpstreamObserver } from './events.ts';
import type { Revision } from './revision.ts';

/** What pools and endpoints are given from outside, one of each for a gateway. */
export interface UpstreamParts {
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly observer: UpstreamObserver;
  readonly revision: Revision;
  /** Bounds of the histograms of waits, in seconds; without, nothing is counted. */
  readonly latencySeconds?: readonly number[];
}
