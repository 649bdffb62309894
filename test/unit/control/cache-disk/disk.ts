import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CacheEntry } from '../../../../src/cache/entry.ts';
import { isDistant } from '../../../../src/cache/second-tier.ts';
import type { ByteSpan } from '../../../../src/cache/stored-body.ts';
import { TieredStore } from '../../../../src/cache/tiered-store.ts';
import type { DiskEvent } from '../../../../src/control/cache-disk/disk-events.ts';
import { DiskTier, type DiskTierOptions } from '../../../../src/control/cache-disk/disk-tier.ts';
import type { BodySink, BodySource } from '../../../../src/exchange/body.ts';
import { until } from '../../../kit/deadline.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';
import { entryOf, get, ok, T0 } from '../../cache/origin.ts';

/** An empty directory, gone after the test. */
export async function emptyDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'headgate-disk-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

export interface Scene {
  readonly tier: DiskTier;
  readonly store: TieredStore;
  readonly clock: ManualClock;
  readonly events: DiskEvent[];
}

export interface SceneOptions extends Partial<DiskTierOptions> {
  readonly path: string;
  /** Default: enough for everything. */
  readonly memoryBytes?: number;
}

/** A store of two tiers, started; closed after the test. Resolves when it has found what is in its directory, or that it can't. */
export async function openStore({ memoryBytes = 16 * 1024 * 1024, ...options }: SceneOptions): Promise<Scene> {
  const events: DiskEvent[] = [];
  const clock = new ManualClock(Date.now());
  const tier = new DiskTier({
    sizeBytes: 64 * 1024 * 1024,
    headsBytes: 1024 * 1024,
    objectBytes: 1024 * 1024,
    clock,
    random: Math.random,
    observer: { disk: (event) => events.push(event) },
    ...options,
  });
  const store = new TieredStore({ maxBytes: memoryBytes, objectBytes: 1024 * 1024 }, tier);
  tier.start();
  onTestFinished(() => tier.close(1000));
  await until(() => events.some(({ kind }) => kind === 'scanned' || kind === 'unavailable'), 'the scan to end');
  return { tier, store, clock, events };
}

/** A response of `bytes` for `http://shop.test` + path, fresh for an hour; its bytes tell where they are. */
export function response(path: string, bytes: number, atMs = T0): CacheEntry {
  const head = ok(['Cache-Control', 'max-age=3600', 'ETag', `"${path}"`], atMs);
  return entryOf(head, { request: get([], { path }), body: pattern(path, bytes), atMs });
}

export function keyOf(path: string): string {
  return `http://shop.test${path}`;
}

/** Text that is different at every place and for every seed. */
export function pattern(seed: string, bytes: number): string {
  let text = '';
  for (let i = 0; text.length < bytes; i += 1) text += `${seed}:${i};`;
  return text.slice(0, bytes);
}

/** Puts responses on the disk, as if each had been asked for twice, and out of memory. */
export async function written(tier: DiskTier, ...entries: readonly CacheEntry[]): Promise<void> {
  for (const entry of entries) tier.offer(entry);
  await tier.settled();
}

export type Reading =
  | { readonly kind: 'whole'; readonly text: string }
  /** Before anything came. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'cut'; readonly text: string };

/** What a client would get. */
export function readBody(entry: CacheEntry, span: ByteSpan | null = null): Promise<Reading> {
  const { promise, resolve } = Promise.withResolvers<Reading>();
  const { body } = entry;
  const pipe = (source: BodySource): void => source.pipe(collector(resolve));
  if (body.chunks === null && isDistant(body)) {
    body.open(span, (source) => {
      if (source === null) resolve({ kind: 'refused' });
      else pipe(source);
    });
  } else pipe(body.read(span));
  return promise;
}

function collector(resolve: (reading: Reading) => void): BodySink {
  let text = '';
  return {
    onDrain: null,
    data: (chunk) => {
      text += Buffer.from(chunk).toString('latin1');
      return true;
    },
    end: () => resolve({ kind: 'whole', text }),
    fail: () => resolve({ kind: 'cut', text }),
  };
}

/** Everything in a directory, below it too. */
export async function filesIn(path: string): Promise<readonly string[]> {
  const found = await readdir(path, { recursive: true, withFileTypes: true });
  return found.filter((entry) => !entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
}

/** The files of responses. */
export async function entriesIn(path: string): Promise<readonly string[]> {
  return (await filesIn(path)).filter((name) => name.endsWith('.entry'));
}
