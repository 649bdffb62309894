/** FNV-1a over UTF-16 units. Keys come from configuration, so nobody who sends requests can make them collide. */
function hashSpan(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // The low bits of FNV depend on the low bits of the text alone: fold the high ones in. 30 bits stay unboxed.
  return (hash ^ (hash >>> 15)) & 0x3fffffff;
}

interface Entry<V> {
  readonly hash: number;
  readonly key: string;
  value: V;
}

/**
 * Map from strings that is asked with a part of a longer string: one path segment, one host label.
 * HOT. A `Map` would need `text.slice(start, end)` as its key, which allocates for every segment of every request.
 * Open addressing, at most half full. Built once; `set` is for compile time.
 */
export class SpanMap<V> {
  #slots: (Entry<V> | null)[] = [null, null, null, null];
  #size = 0;

  /** Value of `text.slice(start, end)`, or `null`. */
  get(text: string, start: number, end: number): V | null {
    const entry = this.#slots[this.#slotOf(text, start, end)] as Entry<V> | null;
    return entry === null ? null : entry.value;
  }

  set(key: string, value: V): void {
    const slot = this.#slotOf(key, 0, key.length);
    const known = this.#slots[slot] as Entry<V> | null;
    if (known !== null) {
      known.value = value;
      return;
    }
    this.#slots[slot] = { hash: hashSpan(key, 0, key.length), key, value };
    this.#size += 1;
    if (this.#size * 2 > this.#slots.length) this.#grow();
  }

  /** Every value, in no order. */
  *values(): Iterable<V> {
    for (const entry of this.#slots) if (entry !== null) yield entry.value;
  }

  /** The slot that holds the span, or the free one where it would go. */
  #slotOf(text: string, start: number, end: number): number {
    const hash = hashSpan(text, start, end);
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const entry = slots[slot] as Entry<V> | null;
      if (entry === null) return slot;
      if (entry.hash === hash && entry.key.length === end - start && text.startsWith(entry.key, start)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const old = this.#slots;
    const mask = old.length * 2 - 1;
    this.#slots = new Array<Entry<V> | null>(mask + 1).fill(null);
    for (const entry of old) {
      if (entry === null) continue;
      let slot = entry.hash & mask;
      while (this.#slots[slot] !== null) slot = (slot + 1) & mask;
      this.#slots[slot] = entry;
    }
  }
}
