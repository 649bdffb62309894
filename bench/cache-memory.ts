import { execFileSync } from 'node:child_process';
import { type CacheEntry, makeEntry } from '../src/cache/entry.ts';
import type { CacheRequest } from '../src/cache/key.ts';
import { MemoryBody } from '../src/cache/memory-body.ts';
import { MemoryStore } from '../src/cache/memory-store.ts';
import { storability } from '../src/cache/storability.ts';
import { decodeFields } from '../src/transport/response-head.ts';
import { originFields, policy, requestFor } from './cache-subjects.ts';

// What entries really take in memory, beside what is accounted for them. Each shape has a process of its own, so that one leaves
// nothing for the next. Run: node bench/cache.ts --memory

interface Shape {
  readonly name: string;
  readonly count: number;
  readonly bodyBytes: number;
  readonly fields?: number;
  readonly variants?: number;
}

const shapes: readonly Shape[] = [
  { name: 'redirect, no body', count: 150_000, bodyBytes: 0 },
  { name: '100 bytes', count: 150_000, bodyBytes: 100 },
  { name: '1 KiB', count: 150_000, bodyBytes: 1024 },
  { name: '1 KiB, just before the tables grow', count: 131_000, bodyBytes: 1024 },
  { name: '1 KiB, few entries', count: 5_000, bodyBytes: 1024 },
  { name: '1 KiB, 60 fields', count: 50_000, bodyBytes: 1024, fields: 60 },
  { name: '1 KiB, 8 variants a key', count: 150_000, bodyBytes: 1024, variants: 8 },
  { name: '10 KiB', count: 40_000, bodyBytes: 10 * 1024 },
  { name: '100 KiB (2 chunks)', count: 5_000, bodyBytes: 100 * 1024 },
];

const CHUNK = 64 * 1024;

export function printMemory(): void {
  const rows = shapes.map((shape) => {
    const argv = ['--expose-gc', '--max-semi-space-size=1', '--no-warnings', process.argv[1] as string];
    const output = execFileSync(process.execPath, [...argv, '--weigh', JSON.stringify(shape)], { encoding: 'utf8' });
    return JSON.parse(output) as object;
  });
  console.table(rows);
}

/** In a process of its own: prints one row. */
export async function weigh(text: string): Promise<void> {
  const shape = JSON.parse(text) as Shape;
  const store = new MemoryStore({ maxBytes: 2 ** 33, objectBytes: 2 ** 26 });
  // The sketch, and what is made at first use.
  fill(store, { ...shape, count: 100 });
  store.clear();
  const before = await used();
  fill(store, shape);
  const after = await used();
  const accounted = store.bytes / shape.count;
  const inUse = (after.inUse - before.inUse) / shape.count;
  const resident = (after.resident - before.resident) / shape.count;
  const row = {
    entries: `${shape.count} × ${shape.name}`,
    accounted: Math.round(accounted),
    'heap and buffers': Math.round(inUse),
    resident: Math.round(resident),
    'accounted / heap': (accounted / inUse).toFixed(3),
    'accounted / resident': (accounted / resident).toFixed(3),
  };
  process.stdout.write(JSON.stringify(row));
}

function fill(store: MemoryStore, shape: Shape): void {
  const { variants = 1 } = shape;
  for (let i = 0; i < shape.count; i += 1) {
    const stored = store.set(entryOf(shape, Math.floor(i / variants), i % variants));
    if (!stored) throw new Error(`Not stored: ${i}`);
  }
}

function entryOf(shape: Shape, page: number, variant: number): CacheEntry {
  const request: CacheRequest = requestFor(page, shape.variants === undefined ? null : `language-${variant}`);
  const now = Date.now();
  const fields = originFields(page, shape.fields ?? 0);
  if (shape.variants !== undefined) fields.push('Vary', 'Accept-Language');
  const head = { status: shape.bodyBytes === 0 ? 301 : 200, headers: received(fields) };
  const verdict = storability(request, head, policy, now);
  if (!verdict.store) throw new Error(verdict.why);
  const chunks: Uint8Array[] = [];
  for (let left = shape.bodyBytes; left > 0; left -= CHUNK)
    chunks.push(Buffer.allocUnsafeSlow(Math.min(left, CHUNK)).fill(1));
  return makeEntry({
    request,
    head,
    verdict,
    times: { requestedAtMs: now, receivedAtMs: now },
    body: new MemoryBody(chunks),
  });
}

/** As they come out of a transport: cut out of the text of the head. */
function received(fields: readonly string[]): readonly string[] {
  const text = Buffer.from(fields.join('\r\n'), 'latin1');
  let at = 0;
  return decodeFields(
    fields.map((field) => {
      at += field.length + 2;
      return text.subarray(at - field.length - 2, at - 2);
    }),
  );
}

/** After everything that can go has gone: backing stores are freed a turn later than their views. */
async function used(): Promise<{ readonly inUse: number; readonly resident: number }> {
  for (let i = 0; i < 5; i += 1) {
    await (globalThis.gc as (options: object) => unknown)({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { inUse: heapUsed + arrayBuffers, resident: rss };
}
