import { Bench } from 'tinybench';
import { type CacheEntry, makeEntry } from '../src/cache/entry.ts';
import type { CacheRequest } from '../src/cache/key.ts';
import { lookup } from '../src/cache/lookup.ts';
import { MemoryBody } from '../src/cache/memory-body.ts';
import { MemoryStore } from '../src/cache/memory-store.ts';
import type { CachePolicy } from '../src/cache/policy.ts';
import { serveEntry } from '../src/cache/serve.ts';
import { storability } from '../src/cache/storability.ts';
import type { HeaderList } from '../src/http/headers.ts';

// Time of a lookup and of serving what it found. Run: node bench/cache.ts
// What an entry really costs in memory, beside what is accounted: node --expose-gc bench/cache.ts --memory

const NOW = Date.now();
const OPERATIONS = 1_000; // per sample: one lookup is below the resolution of the clock
const policy: CachePolicy = {
  key: null,
  defaultTtl: null,
  overrideTtl: null,
  ignore: null,
  ignoreClientNoCache: false,
  setCookie: 'refuse',
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  earlyHints: false,
  wholeRanges: false,
  tags: { fields: [], pass: false },
  targets: ['cdn-cache-control'],
  objectBytes: 2 ** 26,
};
const browser: HeaderList = [
  ...['Host', 'shop.example', 'Connection', 'keep-alive', 'sec-ch-ua-mobile', '?0', 'Upgrade-Insecure-Requests', '1'],
  ...[
    'User-Agent',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
  ],
  ...['Accept', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8', 'Sec-Fetch-Mode', 'navigate'],
  ...['Accept-Encoding', 'gzip, deflate, br, zstd', 'Accept-Language', 'de-DE,de;q=0.9,en;q=0.8'],
  ...['Cookie', 'session=0123456789abcdef0123456789abcdef'],
];

function request(index: number, headers: HeaderList = browser): CacheRequest {
  // Built anew each time, as the path of a request is: a prepared string would carry its hash along.
  const path = `/products/${index}/overview`;
  const uri = { scheme: 'https', host: 'shop.example', path, query: null };
  return { method: 'GET', ...uri, keyQuery: null, headers, partition: 'shop' };
}

function entry(index: number, chunks: readonly Uint8Array[], vary: HeaderList = []): CacheEntry {
  const asked = request(index);
  const head = { status: 200, headers: [...originHead(index), ...vary] };
  const verdict = storability(asked, head, policy, NOW);
  if (!verdict.store) throw new Error(verdict.why);
  return makeEntry({
    request: asked,
    head,
    verdict,
    times: { requestedAtMs: NOW, receivedAtMs: NOW },
    body: new MemoryBody(chunks),
  });
}

/** Strings of its own for each response, as a parser makes them. */
function originHead(index: number): string[] {
  return [
    ...['Server', 'nginx', 'Date', new Date(NOW).toUTCString(), 'Content-Type', 'text/html; charset=utf-8'],
    ...['ETag', `"${index}-0123456789abcdef"`, 'Cache-Control', 'public, max-age=3600', 'X-Frame-Options', 'DENY'],
    ...['Last-Modified', new Date(NOW - 1e9).toUTCString(), 'Strict-Transport-Security', 'max-age=31536000'],
  ].map((text) => Buffer.from(text, 'latin1').toString('latin1'));
}

async function time(): Promise<void> {
  const bench = new Bench({ time: 500, warmupTime: 200 });
  for (const count of [1, 10_000, 200_000]) {
    for (const vary of [[], ['Vary', 'Accept-Encoding']]) {
      const store = new MemoryStore({ maxBytes: 2 ** 40, objectBytes: 2 ** 26 });
      const body = [Buffer.alloc(1024)];
      for (let i = 0; i < count; i += 1) store.set(entry(i, body, vary));
      let next = 0;
      const step = (): CacheRequest => {
        next = (next + 7919) % count;
        return request(next);
      };
      const label = `${count} entries${vary.length === 0 ? '' : ', Vary'}`;
      bench.add(`request only, ${label}`, () => {
        for (let i = 0; i < OPERATIONS; i += 1) step();
      });
      bench.add(`lookup, ${label}`, () => {
        for (let i = 0; i < OPERATIONS; i += 1) {
          if (lookup(store, step(), policy, NOW).kind !== 'hit') throw new Error('no hit');
        }
      });
      bench.add(`lookup and serve, ${label}`, () => {
        for (let i = 0; i < OPERATIONS; i += 1) {
          const asked = step();
          const found = lookup(store, asked, policy, NOW);
          if (found.kind !== 'hit') throw new Error('no hit');
          serveEntry(found.entry, asked, NOW);
        }
      });
    }
  }
  await bench.run();
  console.table(
    bench.tasks.map(({ name, result }) => ({
      what: name,
      'ns each': 'latency' in result ? Math.round((result.latency.p50 * 1e6) / OPERATIONS) : Number.NaN,
    })),
  );
}

async function memory(): Promise<void> {
  const shapes = [
    [0, 0],
    [1, 100],
    [1, 1024],
    [1, 65_536],
    [4, 4096],
    [64, 100],
  ] as const;
  const rows: object[] = [];
  for (const [chunks, chunkBytes] of shapes) rows.push(await weigh(chunks, chunkBytes));
  console.table(rows);
}

async function weigh(chunks: number, chunkBytes: number): Promise<object> {
  const count = chunkBytes > 10_000 ? 2_000 : 20_000;
  const store = new MemoryStore({ maxBytes: 2 ** 40, objectBytes: 2 ** 26 });
  const before = await used();
  for (let i = 0; i < count; i += 1) {
    store.set(
      entry(
        i,
        Array.from({ length: chunks }, () => Buffer.allocUnsafeSlow(chunkBytes).fill(1)),
      ),
    );
  }
  const real = Math.round(((await used()) - before) / count);
  return { chunks, chunkBytes, 'accounted bytes': Math.round(store.bytes / count), 'real bytes': real };
}

/** Heap and buffers in use, after everything that can go has gone: backing stores are freed a turn later than their views. */
async function used(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('Cannot measure memory: run with --expose-gc');
  for (let i = 0; i < 4; i += 1) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

if (process.argv.includes('--memory')) await memory();
else await time();
