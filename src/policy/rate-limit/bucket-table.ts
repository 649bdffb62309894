// Hot: one look a request, and one write. Benchmark: bench/rate-limit.ts.

/** Slots that are looked at with each new key, so that buckets that are full again go without a timer. */
const SWEPT = 2;
/** Slots among which the one that owes least goes, where all owe something. */
const SAMPLED = 8;
const FEWEST_SLOTS = 64;

/**
 * When the bucket of each key is full again, for at most `maxKeys` keys. A key that is not there has a full bucket.
 *
 * A new key costs constant time, whatever the table holds: it takes the place of a bucket that is full, which nothing is lost with, else of
 * the one that owes least among a few. So a flood of new keys does not wash away what somebody owes: a new key owes one request, and who
 * has used up his burst owes all of it. To be forgotten he would have to make others owe more than himself, and the requests for that are
 * the same that he could have made under those names anyway.
 *
 * About 160 bytes for each key of up to 64 characters (`KEY_CHARACTERS`), so 16 MB for 100 000.
 */
export class BucketTable {
  readonly #slots = new Map<string, number>();
  /** Dense: what goes leaves its place to the last. */
  readonly #keys: string[] = [];
  #fullAt = new Float64Array(FEWEST_SLOTS);
  #hand = 0;
  #evicted = 0;
  #maxKeys: number;

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** Buckets that had to go while something was owed. */
  get evicted(): number {
    return this.#evicted;
  }

  /** When the bucket is full; 0 for one that is not known. Hot. */
  fullAt(key: string): number {
    const slot = this.#slots.get(key);
    return slot === undefined ? 0 : (this.#fullAt[slot] as number);
  }

  /** `now` in the same ticks, to know whose bucket is full. Hot. */
  set(key: string, fullAt: number, now: number): void {
    const slot = this.#slots.get(key);
    if (slot !== undefined) this.#fullAt[slot] = fullAt;
    else if (fullAt > now) this.#add(key, fullAt, now);
  }

  /** Gives back ticks that were taken, if the key is still there. */
  giveBack(key: string, ticks: number): void {
    const slot = this.#slots.get(key);
    if (slot !== undefined) this.#fullAt[slot] = (this.#fullAt[slot] as number) - ticks;
  }

  adopt(maxKeys: number): void {
    this.#maxKeys = maxKeys;
    while (this.#keys.length > maxKeys) this.#remove(this.#keys.length - 1);
  }

  /** Times in ticks of another length, and none after `latest`, which is in those. Linear, once a reload that changes them. */
  rescale(scale: number, latest: number): void {
    for (let slot = 0; slot < this.#keys.length; slot += 1) {
      this.#fullAt[slot] = Math.min(latest, Math.floor((this.#fullAt[slot] as number) * scale));
    }
  }

  #add(key: string, fullAt: number, now: number): void {
    this.#sweep(now);
    if (this.#keys.length >= this.#maxKeys) this.#evict();
    const slot = this.#keys.length;
    if (slot === this.#fullAt.length) this.#grow();
    const own = ownText(key);
    this.#keys.push(own);
    this.#fullAt[slot] = fullAt;
    this.#slots.set(own, slot);
  }

  #sweep(now: number): void {
    for (let i = 0; i < SWEPT && this.#keys.length > 0; i += 1) {
      this.#hand = (this.#hand + 1) % this.#keys.length;
      if ((this.#fullAt[this.#hand] as number) <= now) this.#remove(this.#hand);
    }
  }

  #evict(): void {
    let least = this.#hand;
    for (let i = 1; i < SAMPLED; i += 1) {
      const slot = (this.#hand + i) % this.#keys.length;
      if ((this.#fullAt[slot] as number) < (this.#fullAt[least] as number)) least = slot;
    }
    this.#hand = (this.#hand + SAMPLED) % this.#keys.length;
    this.#evicted += 1;
    this.#remove(least);
  }

  #remove(slot: number): void {
    this.#slots.delete(this.#keys[slot] as string);
    const last = this.#keys.pop() as string;
    if (slot === this.#keys.length) {
      if (this.#hand >= slot) this.#hand = 0;
      return;
    }
    this.#keys[slot] = last;
    this.#fullAt[slot] = this.#fullAt[this.#keys.length] as number;
    this.#slots.set(last, slot);
    if (this.#hand >= this.#keys.length) this.#hand = 0;
  }

  #grow(): void {
    const grown = new Float64Array(this.#fullAt.length * 2);
    grown.set(this.#fullAt);
    this.#fullAt = grown;
  }
}

/** A text of its own: a piece of a `Cookie` field would keep all 16 KiB of it in memory for as long as the key is there. */
function ownText(key: string): string {
  const octets = Buffer.from(key, 'latin1').toString('latin1');
  return octets === key ? octets : Buffer.from(key, 'utf16le').toString('utf16le');
}
