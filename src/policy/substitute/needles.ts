import type { Buffer } from 'node:buffer';

/** A text to be found, and what stands in its place. */
export interface Needle {
  readonly find: Buffer;
  readonly replacement: Buffer;
}

/** Where a needle was found. */
export interface Found {
  readonly at: number;
  readonly needle: Needle;
}

/**
 * Finds the next of some needles in a buffer: the first that begins, and of several that begin there the first of the list. A needle is
 * searched for again only behind where it was found last, so that a buffer is gone over once for each. One object for each buffer.
 */
export class NeedleSearch {
  readonly #bytes: Buffer;
  readonly #needles: readonly Needle[];
  /** Where each is next; -1 for nowhere behind, -2 for not searched yet. */
  readonly #next: number[];

  constructor(bytes: Buffer, needles: readonly Needle[]) {
    this.#bytes = bytes;
    this.#needles = needles;
    this.#next = needles.map(() => -2);
  }

  /** The next that begins at `from` or behind; `from` never goes back. */
  from(from: number): Found | null {
    let best = -1;
    let found: Needle | null = null;
    for (let i = 0; i < this.#needles.length; i += 1) {
      const needle = this.#needles[i] as Needle;
      let at = this.#next[i] as number;
      if (at === -2 || (at !== -1 && at < from)) {
        at = this.#bytes.indexOf(needle.find, from);
        this.#next[i] = at;
      }
      if (at !== -1 && (best === -1 || at < best)) {
        best = at;
        found = needle;
      }
    }
    return found === null ? null : { at: best, needle: found };
  }
}

/**
 * Where the first needle may begin, at `from` or behind, that the buffer ends in the middle of; its length where none does. At most the longest
 * needle but one octet lies behind it.
 */
export function openBegin(bytes: Buffer, from: number, needles: readonly Needle[]): number {
  let begin = bytes.length;
  for (const { find } of needles) {
    let at = Math.max(from, bytes.length - find.length + 1);
    const first = find[0] as number;
    while (at < begin) {
      at = bytes.indexOf(first, at);
      if (at === -1 || at >= begin) break;
      if (find.compare(bytes, at, bytes.length, 0, bytes.length - at) === 0) {
        begin = at;
        break;
      }
      at += 1;
    }
  }
  return begin;
}
