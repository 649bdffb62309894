import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CacheEntry, makeEntry } from '../../../src/cache/entry.ts';
import { MemoryBody } from '../../../src/cache/memory-body.ts';
import { MAX_OF_KEY, MAX_VARIANTS, MemoryStore } from '../../../src/cache/memory-store.ts';
import { allowed, at, get, ok, T0 } from './origin.ts';

const KEY = 'http://shop.test/a';

function entry(rest: { path?: string; foo?: string; bytes?: number; atMs?: number } = {}): CacheEntry {
  const request = get(rest.foo === undefined ? [] : ['Foo', rest.foo], { path: rest.path ?? '/a' });
  const vary = rest.foo === undefined ? [] : ['Vary', 'Foo'];
  const head = ok(['Cache-Control', 'max-age=60', ...vary]);
  const chunks = rest.bytes === undefined ? [] : [Buffer.alloc(rest.bytes)];
  return makeEntry({
    request,
    head,
    verdict: allowed(request, head),
    times: at(rest.atMs ?? T0),
    body: new MemoryBody(chunks),
  });
}

function store(maxBytes: number, objectBytes = 1024): MemoryStore {
  return new MemoryStore({ maxBytes, objectBytes });
}

describe('the store in memory', () => {
  test('what is full evicts what was not used, for what is asked for more often', () => {
    const kept = store(3 * entry({ path: '/1' }).bytes);
    const [one, two, three, four] = ['/1', '/2', '/3', '/4'].map((path) => entry({ path })) as [
      CacheEntry,
      CacheEntry,
      CacheEntry,
      CacheEntry,
    ];
    for (const each of [one, two, three]) kept.set(each);
    kept.use(one);
    expect(kept.set(four)).toBe(false);
    expect(kept.set(four)).toBe(true);
    // Two was as good as the newcomer at first, and so went to the end of the queue.
    expect([one, two, three, four].map((each) => kept.has(each))).toEqual([true, true, false, true]);
    expect(kept.get(three.key)).toEqual([]);
  });

  test('who was evicted is told when the store is at rest, and who was removed, replaced or invalidated is not', () => {
    const told: string[] = [];
    const kept: MemoryStore = new MemoryStore({
      maxBytes: 2 * entry({ path: '/1' }).bytes,
      objectBytes: 1024,
      evicted: (gone) => {
        told.push(gone.key);
        expect(kept.has(gone)).toBe(false);
        expect(kept.get('http://shop.test/4')).toHaveLength(1);
        // May be changed, too.
        kept.remove(gone);
      },
    });
    kept.set(entry({ path: '/1' }));
    kept.set(entry({ path: '/1', atMs: T0 + 1 }));
    kept.delete('http://shop.test/1');
    for (const path of ['/2', '/3', '/4', '/4']) kept.set(entry({ path }));
    kept.remove(kept.get('http://shop.test/4')[0] as CacheEntry);
    kept.clear();
    expect(told).toEqual(['http://shop.test/3']);
  });

  test('one entry over the limit is refused and evicts nothing', () => {
    const kept = store(1024 * 1024, 1000);
    const small = entry({ path: '/small' });
    kept.set(small);
    expect(kept.set(entry({ bytes: 200_000 }))).toBe(false);
    expect(kept.has(small)).toBe(true);
    expect(kept.entries).toBe(1);
  });

  test('an entry bigger than the whole store is refused', () => {
    expect(store(2000, 1_000_000).set(entry({ bytes: 2000 }))).toBe(false);
  });

  test('of one key at most 16 variants are kept, those used last', () => {
    const kept = store(1024 * 1024);
    const variants = Array.from({ length: MAX_VARIANTS + 1 }, (_, i) => entry({ foo: String(i) }));
    for (const each of variants.slice(0, MAX_VARIANTS)) kept.set(each);
    kept.use(variants[0] as CacheEntry);
    kept.set(variants[MAX_VARIANTS] as CacheEntry);
    expect(kept.get(KEY)).toHaveLength(MAX_VARIANTS);
    expect(kept.has(variants[0] as CacheEntry)).toBe(true);
    expect(kept.has(variants[1] as CacheEntry)).toBe(false);
  });

  test('partitions of one key have their variants each, up to a bound for all together', () => {
    const kept = store(16 * 1024 * 1024);
    const all = Array.from({ length: MAX_OF_KEY + 1 }, (_, i) => ({
      ...entry({ atMs: T0 + i }),
      partition: String(i),
    }));
    for (const each of all.slice(0, MAX_OF_KEY)) expect(kept.set(each)).toBe(true);
    expect(kept.get(KEY)).toHaveLength(MAX_OF_KEY);
    kept.use(all[0] as CacheEntry);
    kept.set(all[MAX_OF_KEY] as CacheEntry);
    expect(kept.get(KEY)).toHaveLength(MAX_OF_KEY);
    expect([kept.has(all[0] as CacheEntry), kept.has(all[1] as CacheEntry)]).toEqual([true, false]);
    expect(kept.delete(KEY)).toBe(MAX_OF_KEY);
    expect(kept.entries).toBe(0);
  });

  test('a later answer takes the place of the same variant, and of no other', () => {
    const kept = store(1024 * 1024);
    const other = entry({ foo: 'y' });
    for (const each of [entry({ foo: 'x' }), other]) kept.set(each);
    const later = entry({ foo: ' x', atMs: T0 + 1 });
    kept.set(later);
    expect(new Set(kept.get(KEY))).toEqual(new Set([later, other]));
  });

  test('an answer that was overtaken by a later one does not replace it', () => {
    const kept = store(1024 * 1024);
    const later = entry({ atMs: T0 + 2 });
    expect(kept.set(later)).toBe(true);
    expect(kept.set(entry({ atMs: T0 + 1 }))).toBe(false);
    expect(kept.get(KEY)).toEqual([later]);
  });

  test('clearing leaves nothing', () => {
    const kept = store(1024 * 1024);
    for (const path of ['/1', '/2']) kept.set(entry({ path }));
    kept.clear();
    expect([kept.entries, kept.bytes, kept.get('http://shop.test/1').length]).toEqual([0, 0, 0]);
  });

  test('an invalidation is remembered for requests from before it, and for no others', () => {
    const kept = store(1024);
    const before = kept.epoch;
    kept.delete(KEY);
    expect(kept.invalidatedSince({ key: KEY, tags: '' }, before)).toBe(true);
    expect(kept.invalidatedSince({ key: KEY, tags: '' }, kept.epoch)).toBe(false);
    expect(kept.invalidatedSince({ key: 'http://shop.test/b', tags: '' }, before)).toBe(false);
  });

  test('the byte bound, the variant bound and the index hold after any operations (property)', () => {
    const path = fc.constantFrom('/1', '/2', '/3');
    const foo = fc.option(fc.integer({ min: 0, max: 40 }).map(String), { nil: undefined });
    const command = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          do: fc.constant('set' as const),
          path,
          foo,
          bytes: fc.integer({ min: 0, max: 90_000 }),
          atMs: fc.integer({ min: T0, max: T0 + 5 }),
        }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('use' as const), path }) },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('replace' as const), path, bytes: fc.integer({ min: 0, max: 90_000 }) }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), path }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), path }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), path }) },
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80 }), fc.integer({ min: 0, max: 200_000 }), (commands, extra) => {
        const maxBytes = 1 + extra;
        const kept = store(maxBytes, 20_000);
        for (const step of commands) {
          const key = `http://shop.test${step.path}`;
          const last = kept.get(key).at(-1);
          if (step.do === 'set') kept.set(entry({ ...step, foo: step.foo ?? '' }));
          else if (step.do === 'delete') kept.delete(key);
          else if (step.do === 'clear') kept.clear();
          else if (last !== undefined && step.do === 'use') kept.use(last);
          else if (last !== undefined && step.do === 'replace')
            kept.replace(last, entry({ path: step.path, foo: '7', bytes: step.bytes }));
          else if (last !== undefined) kept.remove(last);
          expect(kept.bytes).toBeLessThanOrEqual(maxBytes);
          const indexed = ['/1', '/2', '/3'].flatMap((each) => kept.get(`http://shop.test${each}`));
          expect(indexed.length).toBe(kept.entries);
          expect(indexed.reduce((sum, each) => sum + each.bytes, 0)).toBe(kept.bytes);
          expect(indexed.every((each) => kept.has(each))).toBe(true);
          expect(kept.get(key).length).toBeLessThanOrEqual(MAX_VARIANTS);
        }
      }),
      { numRuns: 100 },
    );
  });
});
