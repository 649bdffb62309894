/** Characters. To draw each of a body's took a third of a run. */
const DRAWN = 61;

/** Seeded numbers (sfc32 over a splitmix of the seed): the same seed and index give the same case on every machine. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `index` tells the cases of one seed apart. */
  constructor(seed: number, index = 0) {
    this.#a = mixed(seed ^ 0x9e3779b9);
    this.#b = mixed(index ^ 0x85ebca6b);
    this.#c = mixed(seed + Math.imul(index, 0x27d4eb2f));
    for (let i = 0; i < 12; i += 1) this.#next();
  }

  /** A whole number from 0 to `below` - 1. */
  int(below: number): number {
    return this.#next() % below;
  }

  /** From `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + this.int(to - from + 1);
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.int(n) === 0;
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('Cannot pick from an empty list');
    return list[this.int(list.length)] as T;
  }

  /** `count` characters out of `alphabet`; of a long text only the beginning is drawn, and repeated. */
  text(count: number, alphabet: string): string {
    let text = '';
    for (let i = Math.min(count, DRAWN); i > 0; i -= 1) text += alphabet[this.int(alphabet.length)];
    return count <= DRAWN ? text : text.repeat(Math.ceil(count / DRAWN)).slice(0, count);
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }
}

function mixed(seed: number): number {
  let z = (seed + 0x6d2b79f5) | 0;
  z = Math.imul(z ^ (z >>> 15), z | 1);
  z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
  return (z ^ (z >>> 14)) | 0;
}
