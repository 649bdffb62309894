import type { TimerHandle } from '../../clock.ts';
import type { Endpoint } from '../endpoint.ts';
import type { EndpointLive } from '../endpoint-live.ts';
import type { UpstreamParts } from '../parts.ts';

/** A pool as slow start sees it. */
export interface RampingPool {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  /** How long an endpoint takes to its full weight; 0 for none of this. */
  readonly slowStartMs: number;
}

/** Share of its weight that an endpoint begins with. */
const FIRST_SHARE = 0.1;
/** A ramp has so many steps, unless they would be shorter than the shortest. */
const STEPS = 20;
const SHORTEST_STEP_MS = 50;

interface Ramp {
  readonly pool: string;
  readonly endpoint: Endpoint;
  readonly begunAt: number;
  readonly durationMs: number;
}

/**
 * Lets endpoints that come back, or join others, begin with a tenth of their weight: cold caches and just-in-time compilers can't
 * take a full share. Looks at the pools when it is told to and compares, so that nobody has to tell it what has happened.
 * One timer for all ramps, and none while there is none; a ramp for each endpoint of the pools at most.
 */
export class SlowStarts {
  readonly #parts: Pick<UpstreamParts, 'clock' | 'observer'>;
  readonly #pools: () => Iterable<RampingPool>;
  /** Whether an endpoint served when it was last looked at; `first`: it has not yet, and was there from the beginning. */
  readonly #seen = new WeakMap<EndpointLive, 'serves' | 'serves-not' | 'first'>();
  readonly #ramps = new Map<EndpointLive, Ramp>();
  #begun = false;
  #timer: TimerHandle | null = null;

  constructor(parts: Pick<UpstreamParts, 'clock' | 'observer'>, pools: () => Iterable<RampingPool>) {
    this.#parts = parts;
    this.#pools = pools;
  }

  /** The process has started: nothing ramps for what is there now, not even when it comes up for the first time. */
  begin(): void {
    for (const pool of this.#pools()) this.#note(pool);
    this.#begun = true;
  }

  /** To be called when members, their health or their standing have changed. Does nothing before `begin`. */
  look(): void {
    if (!this.#begun) return;
    for (const pool of this.#pools()) {
      // The first members that discovery finds have nobody to come up to.
      if (!pool.endpoints.some(({ live }) => this.#seen.has(live))) this.#note(pool);
      else this.#lookAt(pool);
    }
    this.#next();
  }

  /** Every endpoint has its full weight again, and no timer is left. */
  stop(): void {
    this.#begun = false;
    for (const live of this.#ramps.keys()) live.ramp = 1;
    this.#ramps.clear();
    if (this.#timer !== null) this.#parts.clock.cancel(this.#timer);
    this.#timer = null;
  }

  #note({ endpoints }: RampingPool): void {
    for (const endpoint of endpoints) this.#seen.set(endpoint.live, serves(endpoint) ? 'serves' : 'first');
  }

  #lookAt(pool: RampingPool): void {
    // Alone an endpoint gets everything, whatever its weight.
    const hasOthers = pool.endpoints.some((other) => this.#seen.get(other.live) === 'serves' && serves(other));
    for (const endpoint of pool.endpoints) {
      const { live } = endpoint;
      const before = this.#seen.get(live);
      if (!serves(endpoint)) {
        if (before !== 'first') this.#seen.set(live, 'serves-not');
        this.#end(live);
        continue;
      }
      this.#seen.set(live, 'serves');
      if (pool.slowStartMs === 0) this.#end(live);
      else if (before !== 'serves' && before !== 'first' && hasOthers) this.#start(endpoint, pool);
    }
  }

  #start(endpoint: Endpoint, { name: pool, slowStartMs: durationMs }: RampingPool): void {
    this.#ramps.set(endpoint.live, { pool, endpoint, begunAt: this.#parts.clock.monotonic(), durationMs });
    endpoint.live.ramp = FIRST_SHARE;
    this.#parts.observer.event({ kind: 'slow-start', pool, endpoint: endpoint.origin, durationMs });
  }

  #end(live: EndpointLive): void {
    if (this.#ramps.delete(live)) live.ramp = 1;
  }

  #step(): void {
    const now = this.#parts.clock.monotonic();
    for (const [live, { begunAt, durationMs }] of this.#ramps) {
      const done = (now - begunAt) / durationMs;
      if (done >= 1) this.#end(live);
      else live.ramp = FIRST_SHARE + (1 - FIRST_SHARE) * done;
    }
    this.#next();
  }

  #next(): void {
    if (this.#timer !== null || this.#ramps.size === 0) return;
    let stepMs = Number.POSITIVE_INFINITY;
    for (const { durationMs } of this.#ramps.values()) stepMs = Math.min(stepMs, durationMs / STEPS);
    this.#timer = this.#parts.clock.after(Math.max(SHORTEST_STEP_MS, stepMs), () => {
      this.#timer = null;
      this.#step();
    });
  }
}

/** A breaker lets requests through one by one when it has tripped: it needs no help. */
function serves({ probe, live }: Endpoint): boolean {
  return (probe === null || probe.up) && !live.ejected && live.standing === 'enabled';
}
