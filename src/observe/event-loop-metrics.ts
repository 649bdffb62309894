import { performance } from 'node:perf_hooks';
import type { Clock, TimerHandle } from '../clock.ts';
import { Histogram } from '../histogram.ts';
import type { Metrics } from './metrics.ts';

/** How often somebody looks: what holds up the event loop for longer is never missed, and shorter holds are met by chance. */
const TICK_MS = 20;

/** Seconds: from what nobody notices to what everybody does. */
const LAG_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/**
 * How late the event loop is, and how busy. A histogram of its own in place of `monitorEventLoopDelay`: that has percentiles since its
 * last reset, so that two scrapers take them from each other, and percentiles of several processes can't be put together. Costs 50
 * timers a second, 0.02 % of a core.
 */
export class EventLoopMetrics {
  readonly #lag = new Histogram(LAG_SECONDS);
  readonly #clock: Clock;
  #timer: TimerHandle | null = null;
  #dueMs = 0;

  /** Adds its families to those of `metrics`. */
  constructor(metrics: Metrics, clock: Clock) {
    this.#clock = clock;
    metrics.histogram('headgate_event_loop_lag_seconds', {
      help: 'How late the event loop was, looked at 50 times a second',
      labels: [],
      entries: () => [[[], this.#lag]],
    });
    const counter = (name: string, help: string, read: () => number): void =>
      metrics.counter(name, { help, labels: [], tally: { entries: () => [[[], read() / 1_000]] } });
    counter('headgate_event_loop_active_seconds_total', 'Time that the event loop was busy', () => {
      return performance.eventLoopUtilization().active;
    });
    counter('headgate_event_loop_idle_seconds_total', 'Time that the event loop waited for something to do', () => {
      return performance.eventLoopUtilization().idle;
    });
  }

  start(): void {
    if (this.#timer === null) this.#arm();
  }

  /** Leaves no timer. */
  stop(): void {
    if (this.#timer !== null) this.#clock.cancel(this.#timer);
    this.#timer = null;
  }

  #arm(): void {
    this.#dueMs = this.#clock.monotonic() + TICK_MS;
    this.#timer = this.#clock.after(TICK_MS, this.#onTick);
  }

  readonly #onTick = (): void => {
    this.#lag.observe(Math.max(0, this.#clock.monotonic() - this.#dueMs) / 1_000);
    this.#arm();
  };
}
