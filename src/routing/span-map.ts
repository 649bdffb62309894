/** FNV-1a over UTF-16 units. Keys come from configuration, so nobody who sends requests can make them collide. */
function hashSpan(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/**
 * Map from strings that is asked with a part of a longer string: one path segment, one host label.
 * HOT. A `Map` would need `text.slice(start, end)` as its key, which allocates for every segment of every request.
 * Open addressing, at most half full. Built once; `set` is for compile time.
 */
export class SpanMap<V> {
  #hashes = new Int32Array(4);
  #keys: (string | null)[] = [null, null, null, null];
  #values: (V | null)[] = [null, null, null, null];
  #size = 0;

  /** Value of `text.slice(start, end)`, or `null`. */
  get(text: string, start: number, end: number): V | null {
    const slot = this.#slot(text, start, end);
    return this.#values[slot] as V | null;
  }

  set(key: string, value: V): void {
    const slot = this.#slot(key, 0, key.length);
    if (this.#keys[slot] === null) this.#size += 1;
    this.#hashes[slot] = hashSpan(key, 0, key.length);
    this.#keys[slot] = key;
    this.#values[slot] = value;
    if (this.#size * 2 > this.#keys.length) this.#grow();
  }

  /** Every value, in no order. */
  forEach(visit: (value: V) => void): void {
    for (let i = 0; i < this.#keys.length; i += 1) if (this.#keys[i] !== null) visit(this.#values[i] as V);
  }

  /** The slot that holds the span, or the free one where it would go. */
  #slot(text: string, start: number, end: number): number {
    const hash = hashSpan(text, start, end);
    const mask = this.#keys.length - 1;
    // The low bits of FNV depend on the low bits of the text alone; fold the high ones in.
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const key = this.#keys[slot] as string | null;
      if (key === null) return slot;
      if (this.#hashes[slot] === hash && key.length === end - start && text.startsWith(key, start)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    const size = keys.length * 2;
    this.#hashes = new Int32Array(size);
    this.#keys = new Array<string | null>(size).fill(null);
    this.#values = new Array<V | null>(size).fill(null);
    this.#size = 0;
    for (let i = 0; i < keys.length; i += 1) {
      const key = keys[i] as string | null;
      if (key !== null) this.set(key, values[i] as V);
    }
  }
}
