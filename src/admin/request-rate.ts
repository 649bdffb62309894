import type { Clock } from '../clock.ts';
import { ClientTable } from './client-table.ts';

/** So many seconds' worth of requests may come at once. */
const BURST_SECONDS = 2;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Requests of each client address: so many a second, with twice that at once (a token bucket). Bounded by `ClientTable`. */
export class RequestRate {
  readonly #perSecond: number;
  readonly #clock: Clock;
  readonly #buckets = new ClientTable<Bucket>();

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** Takes one; 0 where it was there, else the whole seconds, from 1, after which to come again. */
  take(address: string): number {
    const now = this.#clock.monotonic();
    const most = this.#perSecond * BURST_SECONDS;
    const bucket = this.#buckets.get(address) ?? { tokens: most, atMs: now };
    bucket.tokens = Math.min(most, bucket.tokens + ((now - bucket.atMs) / 1000) * this.#perSecond);
    bucket.atMs = now;
    this.#buckets.set(address, bucket);
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / this.#perSecond));
    bucket.tokens -= 1;
    return 0;
  }
}
