import { Bench } from 'tinybench';
import { makeEntry } from '../src/cache/entry.ts';
import type { CacheRequest } from '../src/cache/key.ts';
import { lookup } from '../src/cache/lookup.ts';
import { MemoryBody } from '../src/cache/memory-body.ts';
import { MemoryStore } from '../src/cache/memory-store.ts';
import { serveEntry } from '../src/cache/serve.ts';
import { storability } from '../src/cache/storability.ts';
import { printMemory, weigh } from './cache-memory.ts';
import { originFields, policy, requestFor } from './cache-subjects.ts';
import { printTraces } from './cache-traces.ts';

// node bench/cache.ts [entries …]      time of a lookup and of serving what it found; default 1, 10 000, 200 000 and 1 000 000 entries
// node bench/cache.ts --memory         what entries take in memory, beside what is accounted
// node bench/cache.ts --traces         hit ratios, beside plain LRU

const NOW = Date.now();
/** Per sample: one lookup is below the resolution of the clock. Few enough for the requests to be as fresh as real ones. */
const OPERATIONS = 100;

async function time(counts: readonly number[]): Promise<void> {
  const rows: object[] = [];
  for (const count of counts) for (const language of [null, 'de']) rows.push(await timeOf(count, language));
  console.table(rows);
}

/** Each page as likely as any other, the worst case for the processor's caches. */
async function timeOf(count: number, language: string | null): Promise<object> {
  const store = filled(count, language);
  let seed = 1;
  let asked: CacheRequest[] = [];
  const prepare = (): void => {
    asked = Array.from({ length: OPERATIONS }, () => {
      seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
      return requestFor((seed >>> 0) % count, language);
    });
  };
  const bench = new Bench({ time: 500, warmupTime: 200 });
  bench.add(
    'lookup',
    () => {
      for (const each of asked) if (lookup(store, each, policy, NOW).kind !== 'hit') throw new Error('No hit');
    },
    { beforeEach: prepare },
  );
  bench.add(
    'serve',
    () => {
      for (const each of asked) {
        const found = lookup(store, each, policy, NOW);
        if (found.kind !== 'hit') throw new Error('No hit');
        serveEntry(found.entry, each, NOW);
      }
    },
    { beforeEach: prepare },
  );
  await bench.run();
  const [lookups, serves] = bench.tasks.map(({ result }) =>
    'latency' in result ? Math.round((result.latency.p50 * 1e6) / OPERATIONS) : Number.NaN,
  );
  return {
    entries: count,
    Vary: language === null ? '' : 'Accept-Language',
    'lookup, ns': lookups,
    'lookup and serve, ns': serves,
  };
}

function filled(count: number, language: string | null): MemoryStore {
  const store = new MemoryStore({ maxBytes: 2 ** 33, objectBytes: 2 ** 26, seed: 1 });
  const body = new MemoryBody([Buffer.alloc(1024)]);
  for (let i = 0; i < count; i += 1) {
    const request = requestFor(i, language);
    const head = {
      status: 200,
      headers: [...originFields(i, 0), ...(language === null ? [] : ['Vary', 'Accept-Language'])],
    };
    const verdict = storability(request, head, policy, NOW);
    if (!verdict.store) throw new Error(verdict.why);
    store.set(makeEntry({ request, head, verdict, times: { requestedAtMs: NOW, receivedAtMs: NOW }, body }));
  }
  if (store.entries !== count) throw new Error('Not all were stored');
  return store;
}

const [command, rest] = process.argv.slice(2);
if (command === '--memory') printMemory();
else if (command === '--weigh') await weigh(rest as string);
else if (command === '--traces') printTraces();
else await time(command === undefined ? [1, 10_000, 200_000, 1_000_000] : process.argv.slice(2).map(Number));
