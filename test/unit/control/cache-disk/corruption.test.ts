import { mkdir, readFile, truncate, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeHead } from '../../../../src/cache/entry-codec.ts';
import { decodeFileHead, decodeRenewal, encodeFileHead } from '../../../../src/control/cache-disk/format.ts';
import { emptyDirectory, entriesIn, keyOf, openStore, pattern, readBody, response, written } from './disk.ts';

const SEGMENT = 64 * 1024;

/** A file of `bytes` of body, changed by `change` while nobody looks, as clients find it after a restart. */
async function afterRestart(bytes: number, change: (path: string) => Promise<void>) {
  const path = await emptyDirectory();
  const first = await openStore({ path });
  await written(first.tier, response('/a', bytes));
  await first.tier.close(1000);
  await change((await entriesIn(path))[0] ?? '');
  const { store, tier } = await openStore({ path });
  const [entry] = store.get(keyOf('/a'));
  const reading = entry === undefined ? null : await readBody(entry);
  await tier.settled();
  const left = (await entriesIn(path)).length;
  await tier.close(1000);
  return { entry, reading, left, tier };
}

describe('a file that is not what was written', () => {
  test('cut off anywhere, it is a miss and gone', async () => {
    const { found, left } = await eachAfterRestart((file, at) => truncate(file, at));
    expect([found, left]).toEqual([[], 0]);
  });

  test('changed in any byte, it is a miss or the response is refused: never other bytes, never another head', async () => {
    const { readings, left } = await eachAfterRestart(flip);
    expect([readings.filter(({ kind }) => kind !== 'refused'), left]).toEqual([[], 0]);
    // A changed body shows when it is read, a changed head before.
    expect(readings.length).toBe(304);
  });

  test('longer than it was, it is a miss and gone', async () => {
    for (const tail of ['x', '\0'.repeat(8), '\0\0\0\x02\0\0\0\0[]', 'y'.repeat(5000)]) {
      const { entry, left } = await afterRestart(300, async (file) =>
        writeFile(file, Buffer.concat([await readFile(file), Buffer.from(tail, 'latin1')])),
      );
      expect([entry, left]).toEqual([undefined, 0]);
    }
  });

  test('changed behind its first segment, it is served up to there and not a byte further', async () => {
    for (const at of [-1, -SEGMENT, -2 * SEGMENT]) {
      const { reading, tier, left } = await afterRestart(3 * SEGMENT + 5, (file) => flip(file, at));
      expect(reading?.kind).toBe('cut');
      const text = reading !== null && 'text' in reading ? reading.text : '';
      expect(pattern('/a', 3 * SEGMENT + 5).startsWith(text)).toBe(true);
      expect([text.length % SEGMENT, left, tier.counts.corrupt.get('checksum')]).toEqual([0, 0, 1]);
    }
  });

  test('whole segments of another file, or in another place, are found out', async () => {
    for (const size of [SEGMENT, 2 * SEGMENT]) {
      const path = await emptyDirectory();
      const first = await openStore({ path });
      await written(first.tier, response('/a', size), response('/b', size));
      await first.tier.close(1000);
      const [one = '', two = ''] = await entriesIn(path);
      const bytes = await readFile(one);
      const bodyBytes = size + (4 * size) / SEGMENT;
      const other = size === SEGMENT ? (await readFile(two)).subarray(-bodyBytes) : swapped(bytes.subarray(-bodyBytes));
      await writeFile(one, Buffer.concat([bytes.subarray(0, -bodyBytes), other]));
      const { store } = await openStore({ path });
      const readings = await Promise.all(
        ['/a', '/b'].flatMap((name) => store.get(keyOf(name))).map((entry) => readBody(entry)),
      );
      expect(readings.map(({ kind }) => kind).sort()).toEqual(['refused', 'whole']);
    }
  });

  test('a newer head that was torn anywhere takes its file with it, and the older one is not served in its place', async () => {
    const whole = await renewedFile();
    for (let length = whole.end + 1; length < whole.bytes.byteLength; length += 7) {
      const { entry, left } = await afterRestart(300, (file) => rewrite(file, whole.bytes.subarray(0, length)));
      expect([length, entry, left]).toEqual([length, undefined, 0]);
    }
  });

  test('whatever is in a file, nothing breaks (fuzz)', () => {
    const head = encodeHead(response('/a', 10)) ?? '';
    const good = encodeFileHead('0123456789abcdef', head, 10) ?? Buffer.alloc(0);
    const changes = fc.array(fc.tuple(fc.nat({ max: good.byteLength - 1 }), fc.nat({ max: 255 })), { maxLength: 8 });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), changes), (input) => {
        const bytes = Buffer.from(input instanceof Uint8Array ? input : good);
        if (!(input instanceof Uint8Array)) for (const [at, value] of input) bytes[at] = value;
        const found = decodeFileHead('0123456789abcdef', bytes);
        if (found !== null && found.kind === 'whole') expect(bytes.equals(good)).toBe(true);
        expect(decodeRenewal('0123456789abcdef', bytes)).toBeNull();
      }),
      { numRuns: 5000, seed: 5 },
    );
  });
});

/** As many files as one has bytes, all of one length, each of them changed at another place. */
async function eachAfterRestart(change: (file: string, at: number) => Promise<void>) {
  const path = await emptyDirectory();
  const first = await openStore({ path, headsBytes: 16 * 1024 * 1024 });
  const pages = Array.from({ length: 1000 }, (_, i) => response(`/${String(i).padStart(4, '0')}`, 300));
  await written(first.tier, ...pages);
  await first.tier.close(1000);
  const files = await entriesIn(path);
  const size = (await readFile(files[0] ?? '')).byteLength;
  expect(files.length).toBeGreaterThan(size);
  await Promise.all(files.slice(size).map((file) => unlink(file)));
  for (let at = 0; at < size; at += 1) await change(files[at] ?? '', at);
  const { store, tier } = await openStore({ path, headsBytes: 16 * 1024 * 1024 });
  const found = pages.flatMap(({ key }) => store.get(key));
  const readings = await Promise.all(found.map((entry) => readBody(entry)));
  await tier.settled();
  return { found, readings, left: (await entriesIn(path)).length };
}

/** Bytes of a file whose response was purged softly, and where its body ends. */
async function renewedFile(): Promise<{ readonly bytes: Buffer; readonly end: number }> {
  const path = await emptyDirectory();
  const { store, tier } = await openStore({ path });
  const page = response('/a', 300);
  await written(tier, page);
  const [file = ''] = await entriesIn(path);
  const end = (await readFile(file)).byteLength;
  const [entry] = store.get(keyOf('/a'));
  if (entry !== undefined) store.expire(entry, Date.now());
  await tier.close(1000);
  const bytes = await readFile(file);
  expect(bytes.byteLength).toBeGreaterThan(end);
  return { bytes, end };
}

/** Puts `bytes` where `file` is, under a name that fits what is in them. */
async function rewrite(file: string, bytes: Buffer): Promise<void> {
  const id = bytes.toString('hex', 8, 16);
  const folder = join(dirname(dirname(dirname(file))), id.slice(0, 1), id.slice(1, 3));
  await unlink(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, `${id}.entry`), bytes);
}

async function flip(file: string, at: number): Promise<void> {
  const bytes = await readFile(file);
  const index = at < 0 ? bytes.byteLength + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 0x10;
  await writeFile(file, bytes);
}

function swapped(body: Buffer): Buffer {
  const half = body.byteLength / 2;
  return Buffer.concat([body.subarray(half), body.subarray(0, half)]);
}
