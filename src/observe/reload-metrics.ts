import type { Clock } from '../clock.ts';
import type { Metrics } from './metrics.ts';
import { Tally } from './tally.ts';

/** What is asked when somebody reads the metrics. */
export interface ConfigSources {
  /** What is wrong with parts that are out of service for it; a part may be in it several times. */
  readonly quarantined: () => Iterable<QuarantinedPart>;
}

export interface QuarantinedPart {
  readonly kind: (typeof KINDS)[number];
  readonly name: string;
}

const KINDS = ['route', 'pool', 'certificate'] as const;

/** Counts how the configuration came to be what it is. */
export class ReloadMetrics {
  readonly #reloads = new Tally();
  #lastAtEpoch: number;
  #lastApplied = true;

  /** Adds its families to those of `metrics`. The start counts as the first time that a configuration was applied. */
  constructor(metrics: Metrics, { quarantined, clock }: ConfigSources & { readonly clock: Clock }) {
    this.#lastAtEpoch = clock.now();
    metrics.counter('headgate_config_reloads_total', {
      help: 'Reloads of the configuration, by whether it was applied or refused',
      labels: ['result'],
      tally: this.#reloads,
    });
    const gauge = (name: string, help: string, read: () => number): void =>
      metrics.gauge(name, { help, labels: [], read: (set) => set({}, read()) });
    gauge('headgate_config_last_reload_success', '1 if the last reload was applied, or none was tried; else 0', () =>
      this.#lastApplied ? 1 : 0,
    );
    gauge(
      'headgate_config_last_reload_timestamp_seconds',
      'When a configuration was applied last, at the start or by a reload, in seconds since 1970',
      () => this.#lastAtEpoch / 1_000,
    );
    metrics.gauge('headgate_quarantined', {
      help: 'Routes, pools and certificates that are out of service for what is wrong with their configuration',
      labels: ['kind'],
      read: (set) => {
        const parts = [...quarantined()];
        for (const kind of KINDS) {
          set({ kind }, new Set(parts.flatMap((part) => (part.kind === kind ? [part.name] : []))).size);
        }
      },
    });
  }

  /** One is over. */
  reloaded(result: 'applied' | 'refused', nowEpoch: number): void {
    this.#reloads.add(result);
    this.#lastApplied = result === 'applied';
    if (this.#lastApplied) this.#lastAtEpoch = nowEpoch;
  }
}
