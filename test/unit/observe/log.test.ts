import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
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

test('a log file that cannot be opened is an error at once, not a gateway without a log', () => {
  expect(() => openLogSink(directory)).toThrow('EISDIR');
});
