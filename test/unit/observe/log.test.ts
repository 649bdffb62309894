import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { openLogSink } from '../../../src/observe/log.ts';
import { until } from '../../kit/deadline.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'headgate-log-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('a log file is made, with its directory', async () => {
  const file = join(directory, 'logs', 'access.log');
  const sink = openLogSink(file);
  sink.write('one\n');
  await vi.waitFor(() => {
    sink.flushSync();
    expect(readFileSync(file, 'utf8')).toBe('one\n');
  });
});

test('a file that can’t be opened any more, when it is, costs the log and not the process', () => {
  const script = `
    import { mkdirSync, rmSync } from 'node:fs';
    import { openLogSink } from ${JSON.stringify(new URL('../../../src/observe/log.ts', import.meta.url).href)};
    const [, file] = process.argv;
    openLogSink(file);
    rmSync(file);
    mkdirSync(file);
    setTimeout(() => console.log('alive'), 600);
  `;
  const argv = ['--input-type=module', '-e', script, join(directory, 'lost')];
  expect(spawnSync(process.execPath, argv, { encoding: 'utf8' }).stdout).toBe('alive\n');
});

test.each([1, 3, 100])('what waits is not lost at the end: %i lines before the file is even open', async (count) => {
  const file = join(directory, `early-${count}.log`);
  const sink = openLogSink(file);
  const lines = Array.from({ length: count }, (_, n) => `${n} ${'x'.repeat(3000)}\n`).join('');
  for (const line of lines.split(/(?<=\n)/)) sink.write(line);
  await sink.flushed();
  expect(readFileSync(file, 'utf8')).toBe(lines);
});

test('nor are lines behind a write that is under way', async () => {
  const file = join(directory, 'late.log');
  const sink = openLogSink(file);
  sink.write('one\n');
  await sink.flushed();
  // More than what is collected: it is written at once, in the background.
  const big = `${'x'.repeat(10_000)}\n`;
  sink.write(big);
  sink.write('last\n');
  await sink.flushed();
  expect(readFileSync(file, 'utf8')).toBe(`one\n${big}last\n`);
});

test('a log that nothing was written to is through at once', async () => {
  const sink = openLogSink(join(directory, 'empty.log'));
  await sink.flushed();
  await sink.flushed();
  sink.write('one\n');
  await sink.flushed();
  expect(readFileSync(join(directory, 'empty.log'), 'utf8')).toBe('one\n');
});

test('a log file that cannot be opened is an error at once, not a gateway without a log', () => {
  expect(() => openLogSink(directory)).toThrow('EISDIR');
});

test.runIf(process.platform === 'linux')('nor is one below a directory that takes no others', () => {
  expect(() => openLogSink('/proc/no/such/access.log')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});

test('a log that is closed has written everything, and takes its timer along', async () => {
  const file = join(directory, 'closed.log');
  const begun = vi.spyOn(globalThis, 'setInterval');
  const ended = vi.spyOn(globalThis, 'clearInterval');
  onTestFinished(() => {
    begun.mockRestore();
    ended.mockRestore();
  });
  const sink = openLogSink(file);
  sink.write('one\n');
  await Promise.all([sink.close(), sink.close()]);
  sink.write('two\n');
  sink.flushSync();
  sink.reopen();
  await sink.flushed();
  expect(begun.mock.results.map(({ value }) => value)).toEqual(ended.mock.calls.map(([timer]) => timer));
  expect(begun).toHaveBeenCalledOnce();
  expect(readFileSync(file, 'utf8')).toBe('one\n');
});

test('rotation under traffic loses no line: the file is renamed, and opened again', async () => {
  const rotated = join(directory, 'rotated');
  const file = join(rotated, 'access.log');
  const sink = openLogSink(file);
  const written: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    for (let i = 0; i < 200; i += 1) {
      const line = `${round}-${i} ${'x'.repeat(200)}\n`;
      written.push(line);
      sink.write(line);
      // In the middle of it: some of the lines before are in the file, some wait, some are being written.
      if (i === 100) {
        renameSync(file, `${file}.${round}`);
        sink.reopen();
      }
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => existsSync(file), 'the new file');
  }
  await sink.close();
  const files = [0, 1, 2, 3, 4].map((round) => `${file}.${round}`);
  expect(readdirSync(rotated)).toHaveLength(6);
  const text = [...files, file].map((name) => readFileSync(name, 'utf8')).join('');
  expect(text).toBe(written.join(''));
});

test('a file that is opened again while it is being opened has every line once, and nothing is thrown after it was closed', async () => {
  for (let run = 0; run < 30; run += 1) {
    const file = join(directory, 'twice', `${run}.log`);
    const sink = openLogSink(file);
    const written: string[] = [];
    for (let i = 0; i < 100; i += 1) {
      const line = `${i} ${'x'.repeat(200)}\n`;
      written.push(line);
      sink.write(line);
      if (i >= 95) sink.reopen();
      if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await sink.close();
    expect(readFileSync(file, 'utf8')).toBe(written.join(''));
  }
});

function watched() {
  const told: string[] = [];
  const watcher = {
    dropped: () => void told.push('dropped'),
    inTrouble: (why: string) => void told.push(`trouble ${why}`),
    well: (dropped: number) => void told.push(`well ${dropped}`),
  };
  return { watcher, told, count: (what: string) => told.filter((each) => each === what).length };
}

/** A line of 1 KiB. */
const LINE = `${'x'.repeat(1023)}\n`;

test.runIf(process.platform === 'linux')('a full disk costs lines, which are counted, and is told once', async () => {
  const { watcher, told, count } = watched();
  const sink = openLogSink('/dev/full', 'own', watcher);
  sink.write(LINE);
  await until(() => told.length > 0, 'the first failure');
  for (let i = 0; i < 1_100; i += 1) sink.write(LINE);
  await until(() => count('dropped') > 0, 'a dropped line');
  expect([told[0], count('trouble ENOSPC'), count('trouble full')]).toEqual(['trouble ENOSPC', 1, 0]);
  expect(count('dropped')).toBeGreaterThan(70);
  await sink.close();
});

test.runIf(process.platform === 'linux')(
  'a reader that stalls holds up nobody: 1 MiB waits, what is more is dropped, and all is well when it reads on',
  async () => {
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const { watcher, told, count } = watched();
    const sink = openLogSink(pipe, 'own', watcher);
    const sent = 2_000;
    for (let i = 0; i < sent; i += 1) {
      sink.write(LINE);
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(told.filter((each) => each !== 'dropped')).toEqual(['trouble full']);
    const dropped = count('dropped');
    expect(dropped).toBeGreaterThan(500);
    expect(dropped).toBeLessThan(1_100);
    let read = 0;
    const chunk = Buffer.alloc(65_536);
    const drain = (): boolean => {
      try {
        read += readSync(reader, chunk);
      } catch (error) {
        // EAGAIN: nothing is there yet.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      }
      return told.at(-1)?.startsWith('well') === true;
    };
    await until(drain, 'the end of the trouble');
    expect(told.at(-1)).toBe(`well ${dropped}`);
    // All but what is gathered for the next write.
    expect(read).toBeGreaterThan((sent - dropped - 64) * LINE.length);
    await sink.close();
    closeSync(reader);
  },
);

test.runIf(process.platform === 'linux')('nor does a reader that is gone', async () => {
  const pipe = join(directory, 'gone');
  execFileSync('mkfifo', [pipe]);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const { watcher, told } = watched();
  const sink = openLogSink(pipe, 'own', watcher);
  sink.write(LINE);
  await sink.flushed();
  closeSync(reader);
  for (let i = 0; i < 10; i += 1) sink.write(LINE);
  await until(() => told.length > 0, 'the failure');
  expect(told).toEqual(['trouble EPIPE']);
  await sink.close();
});
