/*
 * Hot file: `holds` runs for every request of a route with lists.
 */

/**
 * Ranges of numbers of `words` × 32 bits each, most significant word first, as sorted arrays: 12 bytes a range of IPv4 addresses, 36 of IPv6 at
 * most. Immutable. An index by the first word leaves a few ranges of however many to be searched where they are spread evenly, and
 * a binary search of all where one network has them all. A look-up allocates nothing.
 */
export class RangeTable {
  readonly #words: number;
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #index: FirstWordIndex;
  readonly size: number;

  /** `starts` and `ends`: as many numbers each, in any order, both ends included. Neither is kept. */
  constructor(words: number, starts: Uint32Array, ends: Uint32Array) {
    this.#words = words;
    const merged = mergedRanges(words, starts, ends);
    this.#starts = merged.starts;
    this.#ends = merged.ends;
    this.size = merged.starts.length / words;
    this.#index = indexOf(words, merged.starts);
  }

  /** Is the number in `key` in one of the ranges? */
  holds(key: Uint32Array): boolean {
    const words = this.#words;
    const { least, shift, places } = this.#index;
    const first = key[0] as number;
    if (first < least) return false;
    const bucket = Math.min((first - least) >>> shift, places.length - 2);
    let low = places[bucket] as number;
    // Beyond the last bucket as in it: whatever starts there is looked at.
    let high = places[bucket + 1] as number;
    // The first range that starts after it.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.#starts, middle * words, key, words) <= 0) low = middle + 1;
      else high = middle;
    }
    return low > 0 && compare(this.#ends, (low - 1) * words, key, words) >= 0;
  }
}

/** Where ranges begin whose first word is at least `least` plus a multiple of 2^`shift`: one place for each multiple, and their number at the end. */
interface FirstWordIndex {
  readonly least: number;
  readonly shift: number;
  readonly places: Uint32Array;
}

/** As many buckets as ranges, or half of it. */
function indexOf(words: number, starts: Uint32Array): FirstWordIndex {
  const count = starts.length / words;
  const least = starts[0] ?? 0;
  const span = count === 0 ? 0 : (starts[starts.length - words] as number) - least;
  let shift = 0;
  while (span >>> shift > count) shift += 1;
  const places = new Uint32Array((span >>> shift) + 2);
  let bucket = 0;
  for (let range = 0; range < count; range += 1) {
    const own = ((starts[range * words] as number) - least) >>> shift;
    while (bucket < own) {
      bucket += 1;
      places[bucket] = range;
    }
  }
  places[places.length - 1] = count;
  return { least, shift, places };
}

/** The number at `at` of `table` against `key`. */
function compare(table: Uint32Array, at: number, key: Uint32Array, words: number): number {
  for (let word = 0; word < words; word += 1) {
    const difference = (table[at + word] as number) - (key[word] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Sorted, and what overlaps as one. */
function mergedRanges(words: number, starts: Uint32Array, ends: Uint32Array) {
  const order = sortedOrder(words, starts);
  const from = new Uint32Array(starts.length);
  const to = new Uint32Array(starts.length);
  const end = new Uint32Array(words);
  let count = 0;
  for (const place of order) {
    const at = place * words;
    const isApart = count === 0 || compare(starts, at, end, words) > 0;
    if (!isApart && compare(ends, at, end, words) <= 0) continue;
    end.set(ends.subarray(at, at + words));
    if (isApart) {
      from.set(starts.subarray(at, at + words), count * words);
      count += 1;
    }
    to.set(end, (count - 1) * words);
  }
  return { starts: from.slice(0, count * words), ends: to.slice(0, count * words) };
}

/**
 * Places of the numbers, smallest first: a radix sort by bytes from the last (LSD), linear in what a list holds. A sort with a comparison
 * holds the event loop five times as long.
 */
function sortedOrder(words: number, numbers: Uint32Array): Uint32Array {
  const count = numbers.length / words;
  let order = Uint32Array.from({ length: count }, (_, place) => place);
  let next = new Uint32Array(count);
  const places = new Uint32Array(257);
  for (let word = words - 1; word >= 0; word -= 1) {
    for (let shift = 0; shift < 32; shift += 8) {
      places.fill(0);
      for (let at = word; at < numbers.length; at += words) {
        const byte = ((numbers[at] as number) >>> shift) & 0xff;
        places[byte + 1] = (places[byte + 1] as number) + 1;
      }
      // All alike, as most bytes of lists of IPv6 networks are.
      if (places.includes(count)) continue;
      for (let byte = 0; byte < 256; byte += 1) {
        places[byte + 1] = (places[byte + 1] as number) + (places[byte] as number);
      }
      for (let i = 0; i < count; i += 1) {
        const place = order[i] as number;
        const byte = ((numbers[place * words + word] as number) >>> shift) & 0xff;
        const target = places[byte] as number;
        next[target] = place;
        places[byte] = target + 1;
      }
      [order, next] = [next, order];
    }
  }
  return order;
}
