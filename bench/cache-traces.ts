import { LRUCache } from 'lru-cache';
import { Admission } from '../src/cache/admission.ts';
import type { CacheEntry } from '../src/cache/entry.ts';
import { hashKey } from '../src/cache/key-index.ts';

// What admission is worth: hit ratios of synthetic traces, beside those of plain LRU on the same trace with the same bytes.
// Run: node bench/cache.ts --traces

const REQUESTS = 1_000_000;
const OBJECTS = 100_000;
const SMALL = 2_000;

interface Ask {
  readonly id: number;
  readonly bytes: number;
}

interface Trace {
  readonly name: string;
  readonly maxBytes: number;
  readonly asks: (random: () => number) => Iterable<Ask>;
}

interface Cache {
  /** True for a hit; a miss is offered to the cache. */
  ask(ask: Ask): boolean;
}

const traces: readonly Trace[] = [
  zipfTrace(0.7),
  zipfTrace(0.9),
  zipfTrace(1.1),
  {
    name: 'Zipf 0.9, and every 100 000 requests a scan of 20 000 cold objects',
    maxBytes: 0.05 * OBJECTS * SMALL,
    *asks(random) {
      const pick = zipf(OBJECTS, 0.9, random);
      let cold = OBJECTS;
      for (let i = 0; i < REQUESTS; i += 1) {
        yield { id: pick(), bytes: SMALL };
        if (i % 100_000 !== 50_000) continue;
        for (let n = 0; n < 20_000; n += 1, cold += 1) yield { id: cold, bytes: SMALL };
      }
    },
  },
  {
    name: 'Zipf 0.9 whose objects are all new every 100 000 requests',
    maxBytes: 0.05 * OBJECTS * SMALL,
    *asks(random) {
      const pick = zipf(OBJECTS, 0.9, random);
      for (let i = 0; i < REQUESTS; i += 1) yield { id: pick() + Math.floor(i / 100_000) * OBJECTS, bytes: SMALL };
    },
  },
  {
    name: 'news: the newest are asked for most, one new each 10 requests',
    maxBytes: 0.05 * OBJECTS * SMALL,
    *asks(random) {
      const pick = zipf(20_000, 0.8, random);
      for (let i = 0; i < REQUESTS; i += 1) yield { id: Math.floor(i / 10) + 20_000 - pick(), bytes: SMALL };
    },
  },
  {
    name: 'a loop over 1.2 times of what fits',
    maxBytes: 0.05 * OBJECTS * SMALL,
    *asks() {
      for (let i = 0; i < REQUESTS; i += 1) yield { id: i % (0.06 * OBJECTS), bytes: SMALL };
    },
  },
  {
    name: 'Zipf 0.9, 2 KB to 4 MB (median 8 KB)',
    maxBytes: 100 * 2 ** 20,
    *asks(random) {
      const pick = zipf(OBJECTS, 0.9, random);
      for (let i = 0; i < REQUESTS; i += 1) yield sized(pick());
    },
  },
  {
    name: 'the same, Zipf 0.8, and every 200 000 requests a scan of 10 000 cold objects',
    maxBytes: 100 * 2 ** 20,
    *asks(random) {
      const pick = zipf(OBJECTS, 0.8, random);
      let cold = OBJECTS;
      for (let i = 0; i < REQUESTS; i += 1) {
        yield sized(pick());
        if (i % 200_000 !== 100_000) continue;
        for (let n = 0; n < 10_000; n += 1, cold += 1) yield sized(cold);
      }
    },
  },
];

export function printTraces(): void {
  const rows: object[] = [];
  for (const trace of traces) {
    const plain = run(trace, plainLru(trace.maxBytes));
    const ours = run(trace, admission(trace.maxBytes));
    rows.push({
      trace: trace.name,
      'hits % LRU': plain.hits,
      'hits %': ours.hits,
      'bytes % LRU': plain.bytes,
      'bytes %': ours.bytes,
    });
  }
  console.table(rows);
}

function run(trace: Trace, cache: Cache): { readonly hits: string; readonly bytes: string } {
  const sum = { asks: 0, hits: 0, bytes: 0, hitBytes: 0 };
  for (const ask of trace.asks(seeded(1))) {
    sum.asks += 1;
    sum.bytes += ask.bytes;
    if (!cache.ask(ask)) continue;
    sum.hits += 1;
    sum.hitBytes += ask.bytes;
  }
  return { hits: percent(sum.hits, sum.asks), bytes: percent(sum.hitBytes, sum.bytes) };
}

function percent(part: number, whole: number): string {
  return ((100 * part) / whole).toFixed(1);
}

function plainLru(maxBytes: number): Cache {
  const lru = new LRUCache<number, number>({ maxSize: maxBytes });
  return {
    ask({ id, bytes }) {
      if (lru.get(id) !== undefined) return true;
      lru.set(id, bytes, { size: bytes });
      return false;
    },
  };
}

/** What admission needs to know of an entry, and a name for it. */
type Stand = Pick<CacheEntry, 'bytes' | 'hash' | 'used' | 'key'>;

function admission(maxBytes: number): Cache {
  const there = new Map<string, CacheEntry>();
  const policy = new Admission({ maxBytes, maxEntryBytes: maxBytes, left: ({ key }) => there.delete(key) });
  return {
    ask({ id, bytes }) {
      const key = `https://shop.example/products/${id}`;
      const known = there.get(key);
      if (known !== undefined) {
        policy.use(known);
        return true;
      }
      const stand: Stand = { key, bytes, hash: hashKey(key, 1), used: false };
      const entry = stand as CacheEntry;
      if (policy.add(entry)) there.set(key, entry);
      return false;
    },
  };
}

function zipfTrace(exponent: number): Trace {
  return {
    name: `Zipf ${exponent}, room for 5 % of the objects`,
    maxBytes: 0.05 * OBJECTS * SMALL,
    *asks(random) {
      const pick = zipf(OBJECTS, exponent, random);
      for (let i = 0; i < REQUESTS; i += 1) yield { id: pick(), bytes: SMALL };
    },
  };
}

/** Draws 0 … `count` - 1, the nth with a probability that falls with n to the power of `exponent`. */
function zipf(count: number, exponent: number, random: () => number): () => number {
  const sums = new Float64Array(count);
  let total = 0;
  for (let i = 0; i < count; i += 1) {
    total += 1 / (i + 1) ** exponent;
    sums[i] = total;
  }
  return () => {
    const drawn = random() * total;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) < drawn) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Log-normal, as sizes of web objects are; always the same for an object, and whatever its popularity. */
function sized(id: number): Ask {
  const random = seeded(id + 1);
  random();
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return { id, bytes: Math.min(4 * 2 ** 20, Math.max(SMALL, Math.round(Math.exp(9 + 1.6 * normal)))) };
}

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
