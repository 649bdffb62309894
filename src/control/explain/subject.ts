import type { Origins } from '../../config/origins.ts';
import type { Config } from '../../config/schema/config.ts';
import type { Snapshot } from '../../engine/snapshot.ts';

/** The configuration that questions are about, compiled, and what is known of its state. */
export interface Subject {
  readonly snapshot: Snapshot;
  readonly config: Config;
  readonly origins: Origins;
  /** What listeners are bound to, by name; empty when nothing runs. */
  readonly ports: ReadonlyMap<string, number>;
  /** It serves: endpoints have a state, and something may be stored. False: nobody knows. */
  readonly running: boolean;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}
