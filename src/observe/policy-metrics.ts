import type { Metrics } from './metrics.ts';
import { Tally } from './tally.ts';

/** Counts what happens to policies besides requests: a store that is lost, keys that can't be fetched, a file that is broken. */
export class PolicyMetrics {
  readonly #events = new Tally();

  /** Adds its family to those of `metrics`. */
  constructor(metrics: Metrics) {
    metrics.counter('headgate_policy_events_total', {
      help: 'What happened to policies: stores lost and back, keys that could not be fetched, files that have changed',
      labels: ['policy', 'owner', 'event'],
      tally: this.#events,
    });
  }

  /** `owner`: `route shop`, `group staff`, as the configuration has it. */
  happened(policy: string, owner: string, event: string): void {
    this.#events.add(policy, owner, event);
  }
}
