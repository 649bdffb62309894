import type { AttemptFigures } from './attempt-figures.ts';
import type { Cursor } from './balance/balancer.ts';

/** How a pool feels right now. Kept by the ledger under the pool's name, so that a new configuration adopts it. */
export class PoolLive implements Cursor {
  /** Whose turn it is among the endpoints of priority 0. */
  next = 0;
  /** So few of its endpoints are healthy that it does not ask for their health. */
  panicking = false;
  /** `null` where nobody counts. */
  readonly attempts: AttemptFigures | null;

  constructor(attempts: AttemptFigures | null = null) {
    this.attempts = attempts;
  }
}
