import { type Clock, systemClock } from '../clock.ts';
import type { Config } from '../config/schema/config.ts';
import type { CompileResult } from '../control/compile.ts';
import type { ReloadReport } from '../control/reload.ts';
import { ConfigDigest } from '../observe/config-digest.ts';
import { EventLoopMetrics } from '../observe/event-loop-metrics.ts';
import { addListenerMetrics, type ListenerSources } from '../observe/listener-metrics.ts';
import { Metrics } from '../observe/metrics.ts';
import { addProcessMetrics } from '../observe/process-metrics.ts';
import { type QuarantinedPart, ReloadMetrics } from '../observe/reload-metrics.ts';
import { TrafficMetrics } from '../observe/traffic-metrics.ts';
import { version } from '../version.ts';

export interface GatewayMetricsParts {
  readonly config: Config['metrics'];
  readonly clock: Clock;
  readonly front: ListenerSources;
  /** Parts that are left out of what serves now. */
  readonly quarantined: () => Iterable<QuarantinedPart>;
}

/** What the gateway counts of itself and of its clients. Whoever has more to tell adds it to `metrics`. */
export class GatewayMetrics {
  readonly metrics: Metrics;
  /** Hears of everything that clients asked for. */
  readonly traffic: TrafficMetrics;
  /** Bounds of the histograms of durations, as configured. */
  readonly latencySeconds: readonly number[];
  readonly #clock: Clock;
  readonly #reloads: ReloadMetrics;
  readonly #eventLoop: EventLoopMetrics;
  readonly #digest: ConfigDigest;

  constructor({ config, clock, front, quarantined }: GatewayMetricsParts) {
    this.#clock = clock;
    this.latencySeconds = config.buckets.map((ms) => ms / 1_000);
    this.metrics = new Metrics(config.seriesPerFamily);
    this.traffic = new TrafficMetrics(this.metrics, { clock, latencySeconds: this.latencySeconds });
    addListenerMetrics(this.metrics, front);
    this.#reloads = new ReloadMetrics(this.metrics, { clock, quarantined });
    this.#digest = new ConfigDigest(this.metrics);
    // There is one event loop, whatever time a test plays with.
    this.#eventLoop = new EventLoopMetrics(this.metrics, systemClock);
    addProcessMetrics(this.metrics, version);
  }

  /** This configuration serves from now on. */
  adopt(config: Config, { routes }: CompileResult & { readonly ok: true }): void {
    const { listeners, pools } = config;
    this.#digest.adopt(config);
    this.traffic.adopt({
      listeners: new Set(Object.keys(listeners)),
      routes: new Set(routes.map(({ name }) => name)),
      pools: new Set(Object.keys(pools)),
    });
  }

  reloaded({ result }: ReloadReport): void {
    this.#reloads.reloaded(result, this.#clock.now());
  }

  start(): void {
    this.#eventLoop.start();
  }

  /** Leaves no timer. */
  stop(): void {
    this.#eventLoop.stop();
  }
}
