/** Buckets for each doubling: neighbours differ by 9 %, which is how far an answer may be off. */
const PER_OCTAVE = 8;
/** From an eighth of a millisecond to two minutes; the ends take what is beyond them. */
const LOWEST_OCTAVE = -3;
const BUCKETS = 20 * PER_OCTAVE;
/** Everything counts half once so many more have come: what was long ago fades, at any rate of requests. */
const HALF_LIFE = 1_000;
/** With fewer, the last twentieth of them is chance. */
const ENOUGH = 100;
/** An answer serves for so many more requests. */
const RECKONED_EVERY = 32;

/**
 * How long response heads take, as a log-linear histogram that forgets: quantiles of about the last two thousand. 160 numbers.
 */
export class HeadLatency {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;
  #sinceReckoned = RECKONED_EVERY;
  #reckonedFor = 0;
  #answer = 0;

  /** Hot for what is hedged. */
  record(ms: number): void {
    this.#counts[bucketOf(ms)] = (this.#counts[bucketOf(ms)] as number) + 1;
    this.#total += 1;
    this.#sinceReckoned += 1;
    if (this.#total >= 2 * HALF_LIFE) this.#fade();
  }

  /** `share` of the heads came within so many milliseconds; `null` while too few are known to tell. */
  quantile(share: number): number | null {
    if (this.#total < ENOUGH) return null;
    if (this.#sinceReckoned >= RECKONED_EVERY || this.#reckonedFor !== share) {
      this.#answer = this.#reckon(share);
      this.#reckonedFor = share;
      this.#sinceReckoned = 0;
    }
    return this.#answer;
  }

  #reckon(share: number): number {
    let below = 0;
    let bucket = 0;
    for (; bucket < BUCKETS - 1; bucket += 1) {
      below += this.#counts[bucket] as number;
      if (below >= share * this.#total) break;
    }
    // The upper border: rather too late than too early, which would cost requests.
    return 2 ** (LOWEST_OCTAVE + (bucket + 1) / PER_OCTAVE);
  }

  #fade(): void {
    this.#total /= 2;
    for (let i = 0; i < BUCKETS; i += 1) this.#counts[i] = (this.#counts[i] as number) / 2;
  }
}

function bucketOf(ms: number): number {
  if (!(ms > 2 ** LOWEST_OCTAVE)) return 0;
  return Math.min(BUCKETS - 1, Math.floor((Math.log2(ms) - LOWEST_OCTAVE) * PER_OCTAVE));
}
