// Hot: one `note` a hit. Benchmark: bench/cache.ts.

/** Counters of one block, 64 bytes: one hash touches one line of the processor's cache. */
const BLOCK_WORDS = 16;
/** What fits in a block: 128 counters of 4 bits, of which each entry has four of its own. */
const ENTRIES_A_BLOCK = 8;
/** 4 KiB: with fewer, what is asked for once is too often taken for what is asked for often. */
const FEWEST_BLOCKS = 64;
/** 16 MiB. Beyond 2 million entries, counters are shared by more of them. */
const MAX_BLOCKS = 2 ** 18;
/** A counter ends here; then only ageing changes it. */
const MAX_COUNT = 15;
/** Everything is halved after this many notes for each entry, so that yesterday's popularity wears off. */
const NOTES_AN_ENTRY = 10;
/** Below this many entries, halving would come too often to tell popular from not. */
const FEWEST_ENTRIES = 64;

/**
 * How often was something asked for lately, from 0 to 15, for more things than could be remembered one by one: a count-min sketch
 * of 4-bit counters that are halved from time to time (Einziger, Friedman and Manes, "TinyLFU: A Highly Efficient Cache Admission
 * Policy", 2017). It may say too much, when hashes meet; it says too little only for what was halved. 8 to 16 bytes for each of
 * `expected` entries.
 */
export class FrequencySketch {
  readonly #counters: Int32Array;
  readonly #blockMask: number;
  #notes = 0;
  /** Notes after which the counters are halved. */
  #period = FEWEST_ENTRIES * NOTES_AN_ENTRY;

  constructor(expected: number) {
    let blocks = FEWEST_BLOCKS;
    while (blocks < MAX_BLOCKS && blocks * ENTRIES_A_BLOCK < expected) blocks *= 2;
    this.#counters = new Int32Array(blocks * BLOCK_WORDS);
    this.#blockMask = blocks - 1;
  }

  /** How many entries there are to be told apart. */
  set population(entries: number) {
    this.#period = Math.max(entries, FEWEST_ENTRIES) * NOTES_AN_ENTRY;
  }

  /** What has this `hash`, 32 bits well mixed, was asked for once more. */
  note(hash: number): void {
    const block = (hash & this.#blockMask) * BLOCK_WORDS;
    // The bits that chose the block are the same for all of its tenants.
    const spread = Math.imul(hash ^ (hash >>> 16), 0x9e3779b1);
    let told = false;
    for (let row = 0; row < 4; row += 1) {
      const bits = spread >>> (row * 8);
      const at = block + row * 4 + (bits & 3);
      const shift = bits & 28;
      const word = this.#counters[at] as number;
      if (((word >>> shift) & MAX_COUNT) === MAX_COUNT) continue;
      this.#counters[at] = word + (1 << shift);
      told = true;
    }
    // What is known to be popular does not make the rest forgotten sooner.
    if (!told) return;
    this.#notes += 1;
    if (this.#notes >= this.#period) this.#halve();
  }

  frequency(hash: number): number {
    const block = (hash & this.#blockMask) * BLOCK_WORDS;
    const spread = Math.imul(hash ^ (hash >>> 16), 0x9e3779b1);
    let least = MAX_COUNT;
    for (let row = 0; row < 4; row += 1) {
      const bits = spread >>> (row * 8);
      const count = ((this.#counters[block + row * 4 + (bits & 3)] as number) >>> (bits & 28)) & MAX_COUNT;
      if (count < least) least = count;
    }
    return least;
  }

  /** 1 ms for a million entries, and once in ten million notes. */
  #halve(): void {
    const counters = this.#counters;
    for (let i = 0; i < counters.length; i += 1) counters[i] = ((counters[i] as number) >>> 1) & 0x77777777;
    this.#notes >>>= 1;
  }
}
