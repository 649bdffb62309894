/** What a pool may spend on attempts after the first. */
export interface RetryBudgetOptions {
  /** Retries for each request of the window, in [0, 1]. */
  readonly share: number;
  /** So many a second are always allowed: with few requests, a share of them is less than one. */
  readonly minimumPerSecond: number;
  /** How far back both are counted. */
  readonly windowMs: number;
}

const BUCKETS = 10;

/**
 * At most a share of the requests of a sliding window may be repeated, or `minimumPerSecond × window` if that is more. It
 * keeps a pool whose endpoints all fail from getting a multiple of the traffic that made it fail (Finagle's `RetryBudget`,
 * linkerd's and Envoy's of the same name): from `minimumPerSecond / share` requests a second on, attempts are at most
 * (1 + share) × requests.
 *
 * Counted in ten buckets, so the window is between nine tenths and all of `windowMs`. Two small arrays, whatever the traffic.
 */
export class RetryBudget {
  #options: RetryBudgetOptions;
  #bucketMs: number;
  readonly #requests = new Uint32Array(BUCKETS);
  readonly #retries = new Uint32Array(BUCKETS);
  #requestsInWindow = 0;
  #retriesInWindow = 0;
  /** Number of the newest bucket, counted from the start of the clock. */
  #newest = 0;

  constructor(options: RetryBudgetOptions) {
    this.#options = options;
    this.#bucketMs = options.windowMs / BUCKETS;
  }

  /** What is counted stays, unless it was counted over another window. */
  adopt(options: RetryBudgetOptions): void {
    if (options.windowMs !== this.#options.windowMs) {
      this.#clear();
      // Buckets of another length have other numbers: the old one may be hours ahead of them.
      this.#newest = 0;
    }
    this.#options = options;
    this.#bucketMs = options.windowMs / BUCKETS;
  }

  /** A request begins, at `nowMs` on the monotonic clock. Hot. */
  request(nowMs: number): void {
    this.#turnTo(nowMs);
    this.#requests[this.#newest % BUCKETS] = (this.#requests[this.#newest % BUCKETS] as number) + 1;
    this.#requestsInWindow += 1;
  }

  /** Pays for one attempt more: a receipt for `refund`, or -1 when nothing is left. */
  take(nowMs: number): number {
    this.#turnTo(nowMs);
    if (this.#left < 1) return -1;
    this.#retries[this.#newest % BUCKETS] = (this.#retries[this.#newest % BUCKETS] as number) + 1;
    this.#retriesInWindow += 1;
    return this.#newest;
  }

  /** Gives back what `take` paid, unless that is out of the window already. */
  refund(receipt: number, nowMs: number): void {
    this.#turnTo(nowMs);
    if (receipt < 0 || receipt > this.#newest || receipt <= this.#newest - BUCKETS) return;
    const at = receipt % BUCKETS;
    if (this.#retries[at] === 0) return;
    this.#retries[at] = (this.#retries[at] as number) - 1;
    this.#retriesInWindow -= 1;
  }

  /** Attempts that could be paid for at `nowMs`; less than 1 when there is none. */
  leftAt(nowMs: number): number {
    this.#turnTo(nowMs);
    return this.#left;
  }

  get windowMs(): number {
    return this.#options.windowMs;
  }

  get #left(): number {
    const { share, minimumPerSecond, windowMs } = this.#options;
    return Math.max(this.#requestsInWindow * share, (minimumPerSecond * windowMs) / 1000) - this.#retriesInWindow;
  }

  #turnTo(nowMs: number): void {
    const bucket = Math.floor(nowMs / this.#bucketMs);
    if (bucket <= this.#newest) return;
    if (bucket - this.#newest >= BUCKETS) this.#clear();
    else for (let old = this.#newest + 1; old <= bucket; old += 1) this.#forget(old % BUCKETS);
    this.#newest = bucket;
  }

  #forget(at: number): void {
    this.#requestsInWindow -= this.#requests[at] as number;
    this.#retriesInWindow -= this.#retries[at] as number;
    this.#requests[at] = 0;
    this.#retries[at] = 0;
  }

  #clear(): void {
    this.#requests.fill(0);
    this.#retries.fill(0);
    this.#requestsInWindow = 0;
    this.#retriesInWindow = 0;
  }
}
