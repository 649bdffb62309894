import type { Clock } from '../clock.ts';
import type { ReloadReport } from '../control/reload.ts';
import { Metrics } from '../observe/metrics.ts';
import { ReloadMetrics } from '../observe/reload-metrics.ts';
import { mergedFamilies } from './merge-families.ts';
import type { PlainFamily } from './protocol.ts';
import type { Slot } from './slot.ts';

/** Of each worker, which knows what is out of service. */
const OF_WORKERS: ReadonlySet<string> = new Set(['headgate_quarantined', 'headgate_metrics_folded_series']);

/** What is counted of a fleet where it is looked after: reloads, which no worker counts, and workers. */
export class FleetMetrics {
  readonly #metrics = new Metrics();
  readonly #clock: Clock;
  readonly #reloads: ReloadMetrics;

  constructor(slots: readonly Pick<Slot, 'number' | 'worker' | 'restarts'>[], clock: Clock) {
    this.#clock = clock;
    this.#reloads = new ReloadMetrics(this.#metrics, { clock, quarantined: () => [] });
    const labels = ['worker'];
    this.#metrics.add({
      ...{ name: 'headgate_worker_up', kind: 'gauge', labels },
      help: 'Does this worker serve: 1, or 0 while it is started again',
      read: () => slots.map(({ number, worker }) => [[String(number)], worker === null ? 0 : 1]),
    });
    this.#metrics.add({
      ...{ name: 'headgate_worker_restarts_total', kind: 'counter', labels },
      help: 'Times that this worker was started again after it had ended by itself',
      read: () => slots.map(({ number, restarts }) => [[String(number)], restarts]),
    });
  }

  reloaded({ result }: ReloadReport): void {
    this.#reloads.reloaded(result, this.#clock.now());
  }

  /** What is known here alone. */
  async families(): Promise<readonly PlainFamily[]> {
    const families = await this.#metrics.reading();
    return families.filter(({ name }) => !OF_WORKERS.has(name));
  }

  /** With those of the workers. */
  async with(workers: readonly PlainFamily[]): Promise<readonly PlainFamily[]> {
    const own = await this.families();
    const names = new Set(own.map(({ name }) => name));
    return mergedFamilies([workers.filter(({ name }) => !names.has(name)), own]);
  }
}
