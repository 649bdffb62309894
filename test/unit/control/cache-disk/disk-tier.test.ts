import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CacheEntry } from '../../../../src/cache/entry.ts';
import { encodeHead } from '../../../../src/cache/entry-codec.ts';
import { emptyDirectory, entriesIn, filesIn, keyOf, openStore, pattern, readBody, response, written } from './disk.ts';

const SEGMENT = 64 * 1024;

function only(entries: readonly CacheEntry[]): CacheEntry {
  expect(entries).toHaveLength(1);
  return entries[0] as CacheEntry;
}

describe('the disk tier', () => {
  test('a response is on disk after its second use, and not before', async () => {
    const { tier, store } = await openStore({ path: await emptyDirectory() });
    const page = response('/a', 100);
    store.set(page);
    await tier.settled();
    expect(tier.counts.writes).toBe(0);
    store.use(page);
    store.use(page);
    await tier.settled();
    expect([tier.counts.writes, tier.entries]).toEqual([1, 1]);
  });

  test('a response that was fetched before is on disk at once', async () => {
    const { tier, store } = await openStore({ path: await emptyDirectory() });
    store.set(response('/a', 100));
    store.set(response('/a', 100, Date.now()));
    await tier.settled();
    expect(tier.counts.writes).toBe(1);
  });

  for (const bytes of [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 5 * SEGMENT + 17]) {
    test(`a body of ${bytes} bytes comes back after a restart, whole and in parts`, async () => {
      const path = await emptyDirectory();
      const first = await openStore({ path });
      const page = response('/a', bytes);
      await written(first.tier, page);
      await first.tier.close(1000);
      const { store, events } = await openStore({ path });
      expect(events).toContainEqual(expect.objectContaining({ kind: 'scanned', entries: 1, removed: 0 }));
      const found = only(store.get(keyOf('/a')));
      expect([encodeHead(found), found.body.length]).toEqual([encodeHead(page), bytes]);
      const text = pattern('/a', bytes);
      for (const from of [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1].filter((at) => at < bytes)) {
        for (const to of new Set([from + 1, Math.min(bytes, from + SEGMENT), bytes])) {
          expect(await readBody(found, { from, to })).toEqual({ kind: 'whole', text: text.slice(from, to) });
        }
      }
      expect(await readBody(found)).toEqual({ kind: 'whole', text });
    });
  }

  test('a body that was read whole is in memory afterwards', async () => {
    const path = await emptyDirectory();
    const { tier } = await openStore({ path });
    await written(tier, response('/a', 3 * SEGMENT));
    await tier.close(1000);
    const { store, tier: again } = await openStore({ path });
    await readBody(only(store.get(keyOf('/a'))));
    expect(only(store.get(keyOf('/a'))).body.chunks).not.toBeNull();
    expect(await readBody(only(store.get(keyOf('/a'))))).toEqual({ kind: 'whole', text: pattern('/a', 3 * SEGMENT) });
    expect(again.counts.reads).toBe(3);
  });

  test('the files are bounded, and who was used least recently leaves', async () => {
    const path = await emptyDirectory();
    const { tier } = await openStore({ path, sizeBytes: 10 * (SEGMENT + 8192) });
    for (let i = 0; i < 30; i += 1) {
      await written(tier, response(`/${i}`, SEGMENT));
      const first = tier.get(keyOf('/0'))[0];
      if (first !== undefined) tier.use(first);
    }
    expect(tier.fileBytes).toBeLessThanOrEqual(10 * (SEGMENT + 8192));
    expect(tier.entries).toBeGreaterThanOrEqual(8);
    expect(tier.get(keyOf('/0'))).toHaveLength(1);
    expect(tier.get(keyOf('/1'))).toHaveLength(0);
    expect(tier.get(keyOf('/29'))).toHaveLength(1);
    await tier.settled();
    const sizes = await Promise.all((await entriesIn(path)).map(async (file) => (await stat(file)).size));
    expect(sizes).toHaveLength(tier.entries);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(10 * (SEGMENT + 8192));
  });

  test('the heads are bounded too', async () => {
    const { tier } = await openStore({ path: await emptyDirectory(), headsBytes: 50_000 });
    for (let i = 0; i < 100; i += 1) await written(tier, response(`/${i}`, 10));
    expect(tier.headBytes).toBeLessThanOrEqual(50_000);
    expect(tier.entries).toBeGreaterThan(10);
    expect(tier.entries).toBeLessThan(60);
  });

  test('what is larger than the tier is not written', async () => {
    const { tier } = await openStore({ path: await emptyDirectory(), sizeBytes: 10_000 });
    await written(tier, response('/a', 10_000), response('/b', 9_000));
    expect([tier.entries, tier.fileBytes <= 10_000]).toEqual([0, true]);
  });

  test('what was stored by a clock that has been set back since is not found again', async () => {
    const path = await emptyDirectory();
    const first = await openStore({ path });
    await written(first.tier, response('/later', 100, Date.now() + 24 * 3_600_000));
    await written(first.tier, response('/now', 100));
    await first.tier.close(1000);
    const { store } = await openStore({ path });
    expect([store.get(keyOf('/later')).length, store.get(keyOf('/now')).length]).toEqual([0, 1]);
  });

  test('a smaller bound after a restart holds at once', async () => {
    const path = await emptyDirectory();
    const { tier } = await openStore({ path });
    await written(tier, ...Array.from({ length: 20 }, (_, i) => response(`/${i}`, 5_000)));
    await tier.close(1000);
    const { tier: again } = await openStore({ path, sizeBytes: 50_000 });
    await again.settled();
    expect(again.fileBytes).toBeLessThanOrEqual(50_000);
    expect(again.entries).toBeGreaterThanOrEqual(3);
    expect(await entriesIn(path)).toHaveLength(again.entries);
  });

  test('what does not fit into the queue is not written, and counted', async () => {
    const { tier } = await openStore({ path: await emptyDirectory() });
    const all = Array.from({ length: 1100 }, (_, i) => response(`/${i}`, 10));
    await written(tier, ...all);
    expect(tier.counts.declined.get('queue-full')).toBe(1100 - tier.counts.writes);
    expect(tier.counts.writes).toBeGreaterThanOrEqual(1024);
    expect(tier.counts.writes).toBeLessThan(1100);
  });

  test('nothing but the owner may read what is stored, and a name that somebody has taken is not written through', async () => {
    const path = join(await emptyDirectory(), 'deep/down');
    const { tier } = await openStore({ path });
    await written(tier, response('/a', 10));
    const [file = ''] = await entriesIn(path);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    for (let at = dirname(file); at.length >= path.length; at = dirname(at)) {
      expect((await stat(at)).mode & 0o777).toBe(0o700);
    }
  });

  test('a directory of entries that is a link is not used', async () => {
    const path = await emptyDirectory();
    const elsewhere = await emptyDirectory();
    await symlink(elsewhere, join(path, 'entries'));
    const { events, tier } = await openStore({ path });
    expect(events[0]).toMatchObject({ kind: 'unavailable' });
    await written(tier, response('/a', 10));
    expect([await filesIn(elsewhere), tier.entries]).toEqual([[], 0]);
  });

  test('what is not ours is neither read nor deleted, and what is left of an earlier write is', async () => {
    const path = await emptyDirectory();
    const { tier } = await openStore({ path });
    await written(tier, response('/a', 10));
    const [file = ''] = await entriesIn(path);
    await tier.close(1000);
    const folder = dirname(file);
    const id = `${file.slice(-22, -19)}0000000000000`;
    const victim = join(path, 'victim');
    await writeFile(victim, 'mine');
    await writeFile(join(folder, 'README'), 'mine');
    await writeFile(join(path, 'entries', '0123456789abcdef.entry'), 'in the wrong place');
    await writeFile(join(folder, `${id}.unfinished`), 'half');
    await symlink(victim, join(folder, `${id.slice(0, -1)}1.entry`));
    await mkdir(join(path, 'trash-0123456789abcdef/entries'), { recursive: true });
    const { store } = await openStore({ path });
    expect(store.get(keyOf('/a'))).toHaveLength(1);
    expect((await filesIn(path)).map((name) => name.slice(path.length + 1)).sort()).toEqual(
      [
        'lock',
        'victim',
        'entries/0123456789abcdef.entry',
        file.slice(path.length + 1),
        join(folder, 'README').slice(path.length + 1),
        join(folder, `${id.slice(0, -1)}1.entry`).slice(path.length + 1),
      ].sort(),
    );
    expect(await readFile(victim, 'latin1')).toBe('mine');
  });
});
