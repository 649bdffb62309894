import type { Clock } from '../clock.ts';
import { addAttemptMetrics } from '../observe/attempt-metrics.ts';
import { BreakerMetrics } from '../observe/breaker-metrics.ts';
import { addLimitMetrics } from '../observe/limit-metrics.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { addMirrorMetrics } from '../observe/mirror-metrics.ts';
import { addRetryMetrics } from '../observe/retry-metrics.ts';
import { UpstreamMetrics } from '../observe/upstream-metrics.ts';
import { type Endpoint, isHealthy, weightOf } from '../upstream/endpoint.ts';
import type { UpstreamEvent } from '../upstream/events.ts';
import type { CheckObserver } from '../upstream/health/check.ts';
import type { ProbeOutcome } from '../upstream/health/probe-state.ts';
import { SlowStarts } from '../upstream/health/slow-start.ts';
import type { MirrorLive } from '../upstream/mirror-live.ts';
import type { Pool } from '../upstream/pool.ts';
import { logUpstream } from './upstream-log.ts';

export interface WatchedUpstream {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Those of the snapshot that is served now. */
  readonly pools: () => Iterable<Pool>;
  readonly mirrors: () => Iterable<MirrorLive>;
  /** How many endpoints were found, for each pool that is not told by the configuration alone. */
  readonly discovered: () => Iterable<readonly [pool: string, found: number]>;
}

/**
 * Makes log lines and metrics of what happens to pools and endpoints, and has those look again who depend on how the members of a
 * pool are: passive health and slow start.
 */
export class UpstreamWatch implements CheckObserver {
  readonly #log: Logger;
  readonly #metrics: UpstreamMetrics;
  readonly #breakers: BreakerMetrics;
  readonly #pools: () => Iterable<Pool>;
  readonly #slowStarts: SlowStarts;
  #running = false;

  constructor(log: Logger, { clock, metrics, pools, mirrors, discovered }: WatchedUpstream) {
    this.#log = log;
    this.#pools = pools;
    this.#slowStarts = new SlowStarts({ clock, observer: this }, pools);
    this.#breakers = new BreakerMetrics(metrics, () => breakersOf(pools()));
    this.#metrics = new UpstreamMetrics(metrics, {
      endpoints: () => endpointsOf(pools()),
      pools: () => gaugesOf(pools()),
      discovered,
    });
    addAttemptMetrics(metrics, () => attemptsOf(pools()));
    addRetryMetrics(metrics, () => retriesOf(pools()));
    addMirrorMetrics(metrics, mirrors);
    addLimitMetrics(metrics, () => limitsOf(pools()));
  }

  /** Before this, nobody looks. */
  start(): void {
    this.#running = true;
    this.#slowStarts.begin();
  }

  /** Leaves no timer. */
  stop(): void {
    this.#running = false;
    this.#slowStarts.stop();
  }

  event(event: UpstreamEvent): void {
    logUpstream(this.#log, event);
    if (event.kind === 'outlier' && event.change.ejected) {
      this.#metrics.ejected(event.pool, event.endpoint, event.change.reason);
    }
    if (event.kind === 'breaker' && event.reason !== null) {
      this.#breakers.tripped(event.pool, event.endpoint, event.reason);
    }
    this.#look();
  }

  /** These pools are all there are, and these origins all that any of them has. */
  retain(origins: ReadonlySet<string>, pools: ReadonlySet<string>): void {
    this.#metrics.retain(origins, pools);
    this.#breakers.retain(origins, pools);
  }

  discoveryFailed(pool: string, reason: string): void {
    this.#metrics.discoveryFailed(pool, reason);
  }

  checked(endpoint: string, outcome: ProbeOutcome): void {
    this.#metrics.checked(endpoint, outcome);
  }

  /** The health of an endpoint has changed, and another process has said so. */
  heard(): void {
    this.#look();
  }

  /** What looking changes is an event again, which finds everything as it should be. */
  #look(): void {
    if (!this.#running) return;
    for (const { outliers } of this.#pools()) outliers?.look();
    this.#slowStarts.look();
  }
}

function* endpointsOf(pools: Iterable<Pool>) {
  for (const { name: pool, endpoints, affinity } of pools) {
    for (const endpoint of endpoints) {
      const { origin, live } = endpoint;
      const sessions = affinity?.sessionsAt(endpoint) ?? null;
      const { standing, ejected } = live;
      const now = { up: isHealthy(endpoint), standing, ejected, weight: weightOf(endpoint), sessions };
      yield { pool, endpoint: origin, ...now };
    }
  }
}

function* attemptsOf(pools: Iterable<Pool>) {
  for (const { name: pool, attempts, endpoints } of pools) {
    if (attempts === null) continue;
    const { duration, connect, failures } = attempts;
    yield { pool, duration, connect, failures, endpoints: endpoints.map(attemptsAt) };
  }
}

function attemptsAt({ origin: endpoint, live: { attempts, inFlight } }: Endpoint) {
  const { answered, failed, cancelled } = attempts;
  return { endpoint, inFlight, answered, failed, cancelled };
}

function* retriesOf(pools: Iterable<Pool>) {
  for (const { name: pool, retries } of pools) {
    const { made, refused, hedgesWon, left } = retries;
    yield { pool, made, refused, hedgesWon, left };
  }
}

function* breakersOf(pools: Iterable<Pool>) {
  for (const { name: pool, breaker, endpoints } of pools) {
    if (breaker !== null) yield { pool, endpoint: null, state: breaker.state, refusals: breaker.refusals };
    for (const { origin: endpoint, live } of endpoints) {
      if (live.breaker !== null) yield { pool, endpoint, state: live.breaker.state, refusals: 0 };
    }
  }
}

function* gaugesOf(pools: Iterable<Pool>) {
  for (const { name: pool, panicking, tiers: priorities } of pools) yield { pool, panicking, priorities };
}

function* limitsOf(pools: Iterable<Pool>) {
  for (const { name: pool, limit, endpoints } of pools) {
    if (limit === null) continue;
    const endpointLimits = endpoints
      .filter(({ live }) => Number.isFinite(live.limit))
      .map(({ origin, live }) => [origin, live.limit] as const);
    yield { pool, ...limit.figures(), endpointLimits };
  }
}
