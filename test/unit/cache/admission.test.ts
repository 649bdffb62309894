import { describe, expect, test } from 'vitest';
import type { CacheEntry } from '../../../src/cache/entry.ts';
import { MemoryStore } from '../../../src/cache/memory-store.ts';
import { entryOf, get, ok, T0 } from './origin.ts';

const MINUTE = ['Cache-Control', 'max-age=60'];
const WEIGHT = page('/0000').bytes;

function page(path: string, body = 0, atMs = T0): CacheEntry {
  return entryOf(ok(MINUTE), { request: get([], { path }), body: 'x'.repeat(body), atMs });
}

/** Room for `count` pages without a body. */
function storeOf(count: number): MemoryStore {
  return new MemoryStore({ maxBytes: count * WEIGHT, objectBytes: 1024 * 1024 });
}

function name(i: number): string {
  return `/${String(i).padStart(4, '0')}`;
}

function keysOf(store: MemoryStore, count: number): number {
  let found = 0;
  for (let i = 0; i < count; i += 1) found += store.get(page(name(i)).key).length;
  return found;
}

function askFor(store: MemoryStore, path: string): void {
  const [there] = store.get(page(path).key);
  if (there === undefined) store.set(page(path));
  else store.use(there);
}

describe('admission to the store in memory', () => {
  test('a store with room takes in everything', () => {
    const store = storeOf(100);
    for (let i = 0; i < 100; i += 1) expect(store.set(page(name(i)))).toBe(true);
    expect(store.entries).toBe(100);
  });

  test('one pass over a thousand cold pages leaves nine in ten of those that are asked for', () => {
    const store = storeOf(100);
    for (let round = 0; round < 4; round += 1) for (let i = 0; i < 100; i += 1) askFor(store, name(i));
    for (let i = 1000; i < 2000; i += 1) askFor(store, name(i));
    expect(keysOf(store, 100)).toBeGreaterThanOrEqual(89);
    expect(store.entries).toBe(100);
  });

  test('what becomes popular gets in, and what nobody asks for any more goes', () => {
    const store = storeOf(100);
    for (let round = 0; round < 10; round += 1) for (let i = 0; i < 100; i += 1) askFor(store, name(i));
    for (let round = 0; round < 40; round += 1) for (let i = 0; i < 100; i += 1) askFor(store, name(5000 + i));
    expect(keysOf(store, 100)).toBeLessThan(10);
  });

  test('a large newcomer has to be worth more than all that would go for it', () => {
    const store = storeOf(100);
    for (let round = 0; round < 3; round += 1) for (let i = 0; i < 100; i += 1) askFor(store, name(i));
    const large = (): CacheEntry => page('/large', 19 * WEIGHT);
    for (let times = 0; times < 10; times += 1) expect(store.set(large())).toBe(false);
    expect(keysOf(store, 100)).toBe(100);
    // One is worth as much as it is asked for.
    expect([1, 2, 3, 4, 5].map(() => store.set(page('/small')))).toContain(true);
  });

  test('a response of nine tenths of the store is taken in when it is empty, and never in place of what is in use', () => {
    const store = storeOf(100);
    const huge = page('/huge', 90 * WEIGHT);
    expect(store.set(huge)).toBe(true);
    for (let round = 0; round < 30; round += 1) for (let i = 0; i < 50; i += 1) askFor(store, name(i));
    expect(store.has(huge)).toBe(false);
    for (let times = 0; times < 15; times += 1) expect(store.set(page('/huge', 90 * WEIGHT))).toBe(false);
    expect(keysOf(store, 50)).toBe(50);
  });

  test('a newer answer takes the place of the old one however seldom it is asked for, also when it is larger', () => {
    const store = storeOf(100);
    for (let i = 0; i < 100; i += 1) store.set(page(name(i)));
    for (let round = 0; round < 5; round += 1) for (let i = 1; i < 100; i += 1) askFor(store, name(i));
    const [old] = store.get(page(name(0)).key) as [CacheEntry];
    const larger = page(name(0), 5 * WEIGHT, T0 + 1);
    expect(store.set(larger)).toBe(true);
    expect(store.replace(larger, page(name(0), 0, T0 + 2))).toBe(true);
    expect(store.has(old)).toBe(false);
    expect(store.get(larger.key)).toHaveLength(1);
  });

  test('variants are told apart: one that is popular earns nothing for the others', () => {
    const store = storeOf(10);
    const variant = (language: string): CacheEntry =>
      entryOf(ok([...MINUTE, 'Vary', 'Accept-Language']), {
        request: get(['Accept-Language', language], { path: '/page' }),
        body: '',
      });
    const popular = variant('de');
    store.set(popular);
    for (let times = 0; times < 12; times += 1) store.use(popular);
    for (let times = 0; times < 3; times += 1) for (let i = 0; i < 9; i += 1) askFor(store, name(i));
    expect(store.set(variant('mt'))).toBe(false);
    expect(store.has(popular)).toBe(true);
  });
});
