/** Bits of one generation: 128 KiB. A power of two. */
const BITS = 2 ** 20;
/** Keys of one generation: with two bits each, a key that is new is taken for a known one in about 5 of 100 cases at the end. */
const KEYS = BITS / 8;

/**
 * Which keys were fetched before, in 256 KiB: two generations of a Bloom filter. A key is remembered for as long as it takes to
 * fetch 131 072 others, and forgotten before twice as many. Never forgets within that; may know a key wrongly.
 */
export class Recurrence {
  #young = new Uint32Array(BITS / 32);
  #old = new Uint32Array(BITS / 32);
  #count = 0;

  /** Was `key` seen before? From now on it was. */
  seen(key: string): boolean {
    const hash = hashOf(key);
    const first = hash & (BITS - 1);
    const second = Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) >>> 12;
    const isYoung = has(this.#young, first) && has(this.#young, second);
    if (isYoung) return true;
    const isOld = has(this.#old, first) && has(this.#old, second);
    this.#note(first, second);
    return isOld;
  }

  #note(first: number, second: number): void {
    if (this.#count === KEYS) {
      [this.#young, this.#old] = [this.#old, this.#young];
      this.#young.fill(0);
      this.#count = 0;
    }
    this.#count += 1;
    put(this.#young, first);
    put(this.#young, second);
  }
}

function has(bits: Uint32Array, at: number): boolean {
  return ((bits[at >>> 5] as number) & (1 << (at & 31))) !== 0;
}

function put(bits: Uint32Array, at: number): void {
  bits[at >>> 5] = (bits[at >>> 5] as number) | (1 << (at & 31));
}

/** FNV-1a with a finish that spreads what differs in the last characters. Runs once a fetch. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
