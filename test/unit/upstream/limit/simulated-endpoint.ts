import { AdaptiveLimit, type AdaptiveOptions } from '../../../../src/upstream/limit/adaptive-limit.ts';

export interface Server {
  /** Requests that it works on at a time; all others wait in it, in turn. */
  readonly workers: number;
  readonly serviceMs: number;
}

/** What came out of a stretch of simulated time. */
export interface Stretch {
  readonly done: number;
  readonly perSecond: number;
  /** Median time to an answer. */
  readonly medianMs: number;
  /** Mean of the limit. */
  readonly limit: number;
}

/**
 * A server with so many workers behind an adaptive limit, in simulated time: deterministic, and all the time there is at no cost.
 * Service times vary evenly by a fifth either way.
 */
export class SimulatedEndpoint {
  server: Server;
  readonly limit: AdaptiveLimit;
  readonly #options: AdaptiveOptions;
  readonly #random: () => number;
  /** When each worker is through with what it has; as long as the server has workers. */
  #free: number[] = [];
  /** Begun, in order of their ends. */
  readonly #inFlight: { readonly beganMs: number; readonly endsMs: number }[] = [];
  #nowMs = 0;

  constructor(server: Server, options: AdaptiveOptions, random: () => number) {
    this.server = server;
    this.#options = options;
    this.#random = random;
    this.limit = new AdaptiveLimit(options, random);
  }

  /** As many as the limit allows are always in flight, up to `demand`. */
  run(forMs: number, demand: number): Stretch {
    const untilMs = this.#nowMs + forMs;
    const latencies: number[] = [];
    let limits = 0;
    while (this.#nowMs < untilMs) {
      while (this.#inFlight.length < Math.min(this.limit.value(this.#options), demand)) this.#begin();
      const { beganMs, endsMs } = this.#inFlight[0] as { beganMs: number; endsMs: number };
      this.#nowMs = endsMs;
      latencies.push(endsMs - beganMs);
      limits += this.limit.value(this.#options);
      this.limit.answered(
        { status: 200, headMs: endsMs - beganMs, nowMs: endsMs },
        this.#inFlight.length,
        this.#options,
      );
      this.#inFlight.shift();
    }
    latencies.sort((a, b) => a - b);
    return {
      done: latencies.length,
      perSecond: latencies.length / (forMs / 1_000),
      medianMs: latencies[latencies.length >>> 1] as number,
      limit: limits / latencies.length,
    };
  }

  #begin(): void {
    const { workers, serviceMs } = this.server;
    // In order, those who are free first.
    this.#free.length = Math.min(this.#free.length, workers);
    while (this.#free.length < workers) this.#free.unshift(0);
    const startsMs = Math.max(this.#nowMs, this.#free.shift() as number);
    const endsMs = startsMs + serviceMs * (0.8 + 0.4 * this.#random());
    this.#free.splice(
      placeOf(this.#free, endsMs, (at) => at),
      0,
      endsMs,
    );
    const attempt = { beganMs: this.#nowMs, endsMs };
    this.#inFlight.splice(
      placeOf(this.#inFlight, endsMs, (other) => other.endsMs),
      0,
      attempt,
    );
    this.limit.began(this.#inFlight.length);
  }
}

/** Where in an ordered list something belongs: after its equals. */
function placeOf<T>(list: readonly T[], value: number, keyOf: (item: T) => number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keyOf(list[middle] as T) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
