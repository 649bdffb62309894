import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { openLogSink } from '../../../src/observe/log.ts';

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
