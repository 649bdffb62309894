import { describe, expect, test } from 'vitest';
import type { CacheEntry } from '../../../../src/cache/entry.ts';
import { remainingMs } from '../../../../src/cache/freshness.ts';
import { Purger, purgeKeys } from '../../../../src/cache/purge.ts';
import type { PurgeScope } from '../../../../src/cache/purge-scope.ts';
import type { TieredStore } from '../../../../src/cache/tiered-store.ts';
import { T0 } from '../../cache/origin.ts';
import { emptyDirectory, keyOf, openStore, response, type Scene, written } from './disk.ts';

const LATER = T0 + 10_000;
const ALL: PurgeScope = { kind: 'all' };

function purgeWhole(store: TieredStore, scope: PurgeScope, hard: boolean): number {
  const purger = new Purger(store);
  const purge = purger.begin(scope, { hard, nowMs: LATER });
  while (purger.step(10) !== null);
  return purge?.found ?? -1;
}

/** One response that is in memory and on disk, and one that is on disk alone. */
async function twoTiers(path: string): Promise<Scene> {
  const scene = await openStore({ path });
  const both = response('/both', 100);
  scene.store.set(both);
  scene.store.use(both);
  scene.store.use(both);
  await written(scene.tier, response('/disk', 100));
  return scene;
}

const freshness = (store: TieredStore, path: string): number[] =>
  store.get(keyOf(path)).map((entry) => remainingMs(entry, LATER));

describe('a purge of a store of two tiers', () => {
  test('counts what is in both of them once, and makes both stale', async () => {
    const { store } = await twoTiers(await emptyDirectory());
    expect(purgeWhole(store, ALL, false)).toBe(2);
    expect([freshness(store, '/both'), freshness(store, '/disk')]).toEqual([[0], [0]]);
    // The one in memory goes; what is on disk takes its place, and is as stale.
    for (let i = 0; i < 2000; i += 1) store.set(response(`/more/${i}`, 20_000, T0 + 1));
    expect(freshness(store, '/both').every((ms) => ms <= 0)).toBe(true);
  });

  test('holds before the store was walked', async () => {
    const { store } = await twoTiers(await emptyDirectory());
    new Purger(store).begin({ kind: 'prefix', prefix: keyOf('/disk') }, { hard: true, nowMs: LATER });
    expect(store.get(keyOf('/disk'))).toEqual([]);
    expect(store.get(keyOf('/both'))).toHaveLength(1);
  });

  for (const hard of [false, true]) {
    for (const [what, purge] of [
      ['of everything', (store: TieredStore) => purgeWhole(store, ALL, hard)],
      ['of a URL', (store: TieredStore) => purgeKeys(store, [keyOf('/both'), keyOf('/disk')], { hard, nowMs: LATER })],
    ] as const) {
      test(`${what}, ${hard ? 'hard' : 'soft'}, holds after a restart`, async () => {
        const path = await emptyDirectory();
        const { store, tier } = await twoTiers(path);
        expect(purge(store)).toBe(2);
        await tier.settled();
        await tier.close(1000);
        const again = await openStore({ path });
        const left = ['/both', '/disk'].flatMap((name): readonly CacheEntry[] => again.store.get(keyOf(name)));
        if (hard) expect(left).toEqual([]);
        else expect(left.map((entry) => remainingMs(entry, LATER))).toEqual([0, 0]);
      });
    }
  }
});
