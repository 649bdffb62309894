import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CacheEntry } from '../../../src/cache/entry.ts';
import { hashKey, KeyIndex } from '../../../src/cache/key-index.ts';
import { entryOf, get, ok } from './origin.ts';

function entry(path: string): CacheEntry {
  return entryOf(ok(['Cache-Control', 'max-age=60']), { request: get([], { path }), body: '' });
}

describe('the index of keys', () => {
  test('it finds what was added and not removed, and nothing else, after any operations (property)', () => {
    const step = fc.record({ add: fc.boolean(), name: fc.integer({ min: 0, max: 300 }), which: fc.nat({ max: 5 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600, size: 'max' }), fc.integer(), (steps, seed) => {
        const index = new KeyIndex(seed);
        const model = new Map<string, CacheEntry[]>();
        for (const { add, name, which } of steps) {
          const one = entry(`/${name}`);
          const there = model.get(one.key) ?? [];
          model.set(one.key, there);
          if (add) {
            expect(index.add(one)).toBe(true);
            there.push(one);
          } else {
            const [gone] = there.splice(which, 1);
            expect(index.remove(gone ?? one)).toBe(gone !== undefined);
          }
        }
        for (const [key, entries] of model) expect(new Set(index.get(key))).toEqual(new Set(entries));
        expect(new Set([...index.lists()].flat())).toEqual(new Set([...model.values()].flat()));
        expect(index.get('http://shop.test/never')).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  test('keys whose hashes meet are told apart', () => {
    const { one, two } = meeting();
    const index = new KeyIndex(0);
    const [first, second] = [entry(one), entry(two)];
    index.add(first);
    index.add(second);
    expect(index.get(first.key)).toEqual([first]);
    expect(index.get(second.key)).toEqual([second]);
  });

  test('keys that all want one place are refused before a search for them takes long', () => {
    const index = new KeyIndex(0);
    const same = entry('/a');
    let taken = 0;
    while (taken < 1000 && index.add({ ...same })) taken += 1;
    expect(taken).toBeGreaterThan(100);
    expect(taken).toBeLessThan(300);
    expect(index.get(same.key)).toHaveLength(taken);
    expect(index.add(entry('/b'))).toBe(true);
  });

  test('another seed gives other hashes, and none is 0', () => {
    const hashes = new Set<number>();
    for (let seed = 0; seed < 1000; seed += 1) hashes.add(hashKey('http://shop.test/', seed));
    expect(hashes.size).toBe(1000);
    expect(hashes.has(0)).toBe(false);
  });
});

/** Two paths whose keys have one hash under seed 0: among 200 000 there are a few such pairs. */
function meeting(): { readonly one: string; readonly two: string } {
  const seen = new Map<number, string>();
  for (let i = 0; i < 1_000_000; i += 1) {
    const path = `/products/${i}`;
    const hash = hashKey(`http://shop.test${path}`, 0);
    const one = seen.get(hash);
    if (one !== undefined) return { one, two: path };
    seen.set(hash, path);
  }
  throw new Error('No two hashes meet');
}
