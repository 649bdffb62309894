import * as promises from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { isDistant } from '../../../../src/cache/second-tier.ts';
import { DiskTier } from '../../../../src/control/cache-disk/disk-tier.ts';
import type { FileSystem } from '../../../../src/control/cache-disk/file-system.ts';
import type { BodySource } from '../../../../src/exchange/body.ts';
import { until } from '../../../kit/deadline.ts';
import { emptyDirectory, entriesIn, filesIn, keyOf, openStore, pattern, readBody, response, written } from './disk.ts';

const SEGMENT = 64 * 1024;

describe('a disk that refuses', () => {
  test('a full one is not written to for a minute, and what is there is served', async () => {
    const path = await emptyDirectory();
    let full = false;
    const fs = refusing('open', (name) => (full && name.endsWith('.unfinished') ? 'ENOSPC' : null));
    const { tier, store, clock, events } = await openStore({ path, fs });
    await written(tier, response('/a', 100));
    full = true;
    await written(tier, response('/b', 100), response('/c', 100));
    expect(events.filter(({ kind }) => kind === 'suspended')).toMatchObject([
      { operation: 'write', code: 'ENOSPC', reads: false },
    ]);
    await written(tier, response('/d', 100));
    expect([tier.phase, tier.counts.declined.get('off')]).toEqual(['suspended', expect.any(Number)]);
    expect(await readBody(store.get(keyOf('/a'))[0] ?? response('/', 0))).toMatchObject({ kind: 'whole' });
    full = false;
    clock.advance(60_000);
    expect([tier.phase, events.at(-1)]).toEqual(['ready', { kind: 'resumed' }]);
    await written(tier, response('/e', 100));
    expect(tier.counts.writes).toBe(2);
    expect((await filesIn(path)).filter((name) => name.endsWith('.unfinished'))).toEqual([]);
  });

  test('a write that stores less than it was given leaves nothing', async () => {
    const path = await emptyDirectory();
    const fs = short();
    const { tier, store } = await openStore({ path, fs });
    await written(tier, response('/a', 3 * SEGMENT));
    expect([store.get(keyOf('/a')), await entriesIn(path), tier.phase]).toEqual([[], [], 'suspended']);
  });

  test('one that fails at reading is left alone, and the response is refused before its head', async () => {
    const path = await emptyDirectory();
    let broken = false;
    const fs = refusing('open', (name) => (broken && name.endsWith('.entry') ? 'EIO' : null));
    const { tier, store, events } = await openStore({ path, fs });
    await written(tier, response('/a', 100), response('/b', 100));
    const [a] = store.get(keyOf('/a'));
    broken = true;
    expect(await readBody(a ?? response('/', 0))).toEqual({ kind: 'refused' });
    expect(events.at(-1)).toMatchObject({ kind: 'suspended', operation: 'read', code: 'EIO', reads: true });
    expect(store.get(keyOf('/b'))).toEqual([]);
  });

  test('one that does not answer is given up after ten seconds', async () => {
    const path = await emptyDirectory();
    const never = Promise.withResolvers<never>();
    let hangs = false;
    const open: FileSystem['open'] = (...args) =>
      hangs && String(args[0]).endsWith('.entry') ? never.promise : promises.open(...args);
    const { tier, store, clock, events } = await openStore({ path, fs: { ...promises, open } });
    await written(tier, response('/a', 100));
    const [a] = store.get(keyOf('/a'));
    hangs = true;
    const reading = readBody(a ?? response('/', 0));
    clock.advance(10_000);
    expect(await reading).toEqual({ kind: 'refused' });
    expect(events.at(-1)).toMatchObject({ kind: 'suspended', code: 'timeout', reads: true });
  });

  test('a directory that may not be written to is asked for again, and said once', async () => {
    const path = await emptyDirectory();
    let forbidden = true;
    const fs = refusing('open', (name) => (forbidden && name.endsWith('/lock') ? 'EACCES' : null));
    const { tier, clock, events } = await openStore({ path, fs });
    expect(events).toMatchObject([
      { kind: 'suspended', operation: 'open', code: 'EACCES' },
      { kind: 'unavailable', reason: 'EACCES' },
    ]);
    clock.advance(15_000);
    await until(() => tier.counts.errors.get('open EACCES') === 2, 'the second attempt');
    forbidden = false;
    await until(() => clock.pending > 0, 'the next attempt to be planned');
    clock.advance(15_000);
    await until(() => events.some(({ kind }) => kind === 'scanned'), 'the directory');
    expect(events.filter(({ kind }) => kind === 'unavailable')).toHaveLength(1);
  });
});

describe('what is invalidated', () => {
  test('stays away when its write was queued, under way, or done, and its file is gone', async () => {
    for (const when of ['queued', 'under way', 'done'] as const) {
      const path = await emptyDirectory();
      const gate = Promise.withResolvers<void>();
      let writing = false;
      const rename: FileSystem['rename'] = async (from, to) => {
        writing = true;
        await gate.promise;
        return promises.rename(from, to);
      };
      const { tier, store } = await openStore({ path, fs: { ...promises, rename } });
      const page = response('/a', 100);
      store.set(page);
      store.use(page);
      if (when !== 'queued') await until(() => writing, 'the write to begin');
      if (when === 'done') {
        gate.resolve();
        await tier.settled();
      }
      store.delete(page.key);
      gate.resolve();
      await tier.settled();
      expect([when, store.get(page.key), await filesIn(path)]).toEqual([when, [], [expect.stringMatching(/lock$/)]]);
    }
  });

  test('everything goes with one rename, also what is being written, and what comes after stays', async () => {
    const path = await emptyDirectory();
    const { tier, store } = await openStore({ path });
    await written(tier, ...Array.from({ length: 20 }, (_, i) => response(`/${i}`, 100)));
    tier.offer(response('/late', 100));
    store.clear();
    tier.offer(response('/new', 100, Date.now()));
    await tier.settled();
    expect([tier.entries, store.get(keyOf('/1')), (await entriesIn(path)).length]).toEqual([1, [], 1]);
    await tier.close(1000);
    const again = await openStore({ path });
    expect([again.tier.entries, again.store.get(keyOf('/new')).length]).toEqual([1, 1]);
  });

  test('softly, is stale after a restart too, whether it was written before or is only queued', async () => {
    for (const settled of [true, false]) {
      const path = await emptyDirectory();
      const { tier, store } = await openStore({ path });
      const page = response('/a', 100, Date.now());
      store.set(page);
      store.use(page);
      if (settled) await tier.settled();
      store.expire(page, Date.now());
      await tier.close(1000);
      const again = await openStore({ path });
      const [found] = again.store.get(page.key);
      expect(found?.freshMs).toBeLessThan(60_000);
      expect(await readBody(found ?? page)).toEqual({ kind: 'whole', text: pattern('/a', 100) });
    }
  });
});

describe('a body on disk', () => {
  test('is read as it is taken, and its file is let go of when the reader leaves', async () => {
    const { tier, store } = await openStore({ path: await emptyDirectory() });
    await written(tier, response('/a', 10 * SEGMENT));
    const reader = await opened(store.get(keyOf('/a'))[0] ?? response('/', 0));
    let bytes = 0;
    const sink = {
      onDrain: null as (() => void) | null,
      data: (chunk: Uint8Array) => {
        bytes += chunk.byteLength;
        return false;
      },
      end: () => {},
      fail: () => {},
    };
    reader.pipe(sink);
    expect([bytes, tier.counts.reads, tier.openFiles]).toEqual([SEGMENT, 1, 1]);
    for (let i = 2; i <= 4; i += 1) {
      sink.onDrain?.();
      await until(() => bytes === i * SEGMENT, `segment ${i}`);
      expect(tier.counts.reads).toBe(i);
    }
    reader.discard();
    sink.onDrain?.();
    expect([bytes, tier.openFiles]).toEqual([4 * SEGMENT, 0]);
  });

  test('that nobody waits for any more is not opened for long', async () => {
    const { tier, store } = await openStore({ path: await emptyDirectory() });
    await written(tier, response('/a', SEGMENT));
    const body = store.get(keyOf('/a'))[0]?.body;
    if (body === undefined || !isDistant(body)) throw new Error('It is not on disk');
    let called = false;
    body
      .open(null, () => {
        called = true;
      })
      .cancel();
    await until(() => tier.openFiles === 0, 'the file to be let go of');
    expect(called).toBe(false);
  });
});

test('a tier that was never started or could not be does nothing, and closes', async () => {
  const tier = new DiskTier({
    ...{ path: '/proc/nowhere', sizeBytes: 1000, headsBytes: 1000, objectBytes: 1000 },
    ...{ clock: { now: Date.now, monotonic: () => 0, after: () => ({}), cancel: () => {} } },
    ...{ random: Math.random, observer: { disk: () => {} } },
  });
  tier.offer(response('/a', 10));
  expect(tier.entries).toBe(0);
  await tier.close(10);
});

async function opened(entry: ReturnType<typeof response>): Promise<BodySource> {
  const { body } = entry;
  if (!isDistant(body)) throw new Error('It is not on disk');
  const reader = await new Promise<BodySource | null>((resolve) => body.open(null, resolve));
  if (reader === null) throw new Error('It can’t be read');
  return reader;
}

/** The system's files, but `open` fails where `code` says so. */
function refusing(_what: 'open', code: (path: string) => string | null): FileSystem {
  const open: FileSystem['open'] = (path, ...rest) => {
    const failure = code(String(path));
    return failure === null
      ? promises.open(path, ...rest)
      : Promise.reject(Object.assign(new Error(failure), { code: failure }));
  };
  return { ...promises, open };
}

/** The system's files, but the last byte of a write does not fit. */
function short(): FileSystem {
  const open: FileSystem['open'] = async (path, ...rest) => {
    const file = await promises.open(path, ...rest);
    const { writev } = file;
    file.writev = (async (...args: Parameters<typeof writev>) => {
      const written = await writev.apply(file, args);
      return { ...written, bytesWritten: written.bytesWritten - 1 };
    }) as typeof writev;
    return file;
  };
  return { ...promises, open };
}
