import type { Clock, TimerHandle } from '../clock.ts';
import { Overload, type OverloadOptions, type OverloadStatus, type Pressure } from '../engine/overload.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { MemoryGauge } from './memory-gauge.ts';

export interface OverloadGuardParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** In place of measuring it. For tests. */
  readonly pressure?: (() => Pressure) | undefined;
}

/** How late a timer of this length is, so late is the event loop: everything else in it waits as long. */
const TICK_MS = 100;
/** The resident set is read from the kernel, in every so many ticks. */
const TICKS_PER_READING = 10;

/** Measures the pressure on the process, and says so when it becomes too much and when it is over. Costs requests nothing. */
export class OverloadGuard {
  /** Never active while nothing is guarded against. */
  readonly overload: Overload;
  readonly #parts: OverloadGuardParts;
  readonly #memory = new MemoryGauge();
  #guards = false;
  /** Its metrics are there. */
  #counted = false;
  #started = false;
  #tick: TimerHandle | null = null;
  #dueMs = 0;
  #ticks = 0;
  #used = 0;

  constructor(options: OverloadOptions, parts: OverloadGuardParts) {
    this.#parts = parts;
    this.overload = new Overload(options, parts.random);
    this.adopt(options);
  }

  /** `null` when nothing is guarded against. */
  status(): OverloadStatus | null {
    return this.#guards ? this.overload.status() : null;
  }

  /** What is guarded against from now on. */
  adopt(options: OverloadOptions): void {
    this.overload.adopt(options);
    this.#guards = options.eventLoopDelayMs > 0 || options.memory > 0;
    if (this.#guards && !this.#counted) {
      this.#counted = true;
      addMetrics(this.#parts.metrics, this.overload);
    }
    if (this.#started) this.start();
  }

  start(): void {
    this.#started = true;
    if (this.#guards === (this.#tick !== null)) return;
    if (this.#guards) {
      this.#memory.start();
      this.#arm();
    } else this.#rest();
  }

  stop(): void {
    this.#started = false;
    this.#rest();
  }

  #rest(): void {
    this.#memory.stop();
    if (this.#tick !== null) this.#parts.clock.cancel(this.#tick);
    this.#tick = null;
  }

  #arm(): void {
    this.#dueMs = this.#parts.clock.monotonic() + TICK_MS;
    this.#tick = this.#parts.clock.after(TICK_MS, this.#onTick);
  }

  readonly #onTick = (): void => {
    const now = this.#parts.clock.monotonic();
    const pressure = this.#parts.pressure?.() ?? this.#measured(now);
    if (this.overload.observe(pressure, now)) this.#tell(this.overload.status());
    this.#arm();
  };

  #measured(now: number): Pressure {
    if (this.#ticks % TICKS_PER_READING === 0) this.#used = this.#memory.read();
    this.#ticks += 1;
    return { eventLoopDelayMs: Math.max(now - this.#dueMs, 0), memory: this.#used };
  }

  #tell({ active, severity, eventLoopDelayMs, memory, refused }: OverloadStatus): void {
    const { log } = this.#parts;
    const fields = { eventLoopDelayMs: Math.round(eventLoopDelayMs), memory: Number(memory.toFixed(3)), refused };
    if (active) log.warn({ ...fields, severity: Number(severity.toFixed(3)) }, 'Overloaded: requests are refused');
    else log.info(fields, 'No longer overloaded');
  }
}

function addMetrics(metrics: Metrics, overload: Overload): void {
  const gauge = (name: string, help: string, read: (status: OverloadStatus) => number): void =>
    metrics.gauge(name, { help, labels: [], read: (set) => set({}, read(overload.status())) });
  gauge('headgate_overloaded', '1 while requests are refused for the sake of the others', ({ active }) =>
    active ? 1 : 0,
  );
  gauge('headgate_overload_severity', 'From 0 to 1, where everything is refused', ({ severity }) => severity);
  gauge(
    'headgate_event_loop_delay_seconds',
    'How late the event loop is: median of the last half second',
    (status) => status.eventLoopDelayMs / 1_000,
  );
  gauge('headgate_memory_share', 'Memory used, as a share of what the process may have', ({ memory }) => memory);
  metrics.counter('headgate_overload_refused_total', {
    help: 'Requests and connections refused because the gateway was overloaded',
    labels: [],
    tally: { entries: () => [[[], overload.status().refused]] },
  });
}
