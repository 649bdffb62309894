// Hot: one hash per attempt of a pool that hashes. Benchmark: bench/balance.ts.

/** Where a hash begins: FNV-1a's offset basis. */
export const HASH_START = 0x811c9dc5;

/** FNV-1a over the characters of `text` from `start` until `end`, going on from `hash`. To be mixed before use. */
export function hashSpan(text: string, start: number, end: number, hash = HASH_START): number {
  let h = hash;
  for (let i = start; i < end; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h;
}

/** 32 bits, unsigned. Not keyed: gateways must agree, and a client may know where it goes. */
export function hashText(text: string): number {
  return mix(hashSpan(text, 0, text.length));
}

/** The finaliser of MurmurHash3: every input bit changes each output bit with a probability near one half. Unsigned. */
export function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
