import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { PidFile, type Processes } from '../../../src/cli/pid-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'headgate-pid-'));
const path = join(directory, 'headgate.pid');

afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeEach(() => rmSync(path, { force: true }));

function machine(living: Readonly<Record<number, number | null>>): Processes {
  return { pid: 100, isAlive: (pid) => pid in living, startedAt: (pid) => living[pid] ?? null };
}

test('a PID file holds the number of the process, and nothing is left beside it', () => {
  new PidFile(path, machine({})).write();
  expect(readFileSync(path, 'utf8')).toBe('100\n');
  expect(readdirSync(directory)).toEqual(['headgate.pid']);
});

test('the PID file of a living gateway refuses the start, and is left alone', () => {
  writeFileSync(path, '77\n');
  const file = new PidFile(path, machine({ 77: Date.now() - 60_000 }));
  expect(() => file.refuseLiving()).toThrow(
    /^A gateway runs already: .*headgate\.pid names process 77, which is alive/,
  );
  expect(readFileSync(path, 'utf8')).toBe('77\n');
});

test('where nobody knows when a living process began, it counts as the one that wrote the file', () => {
  writeFileSync(path, '77\n');
  expect(() => new PidFile(path, machine({ 77: null })).refuseLiving()).toThrow('A gateway runs already');
});

test.each([
  ['of a process that is gone', '77\n', {}],
  ['whose number another process has got since', '78\n', { 78: Date.now() }],
  ['with our own number, from another life of this container', '100\n', { 100: Date.now() }],
  ['with nothing that is a number', 'gateway\n', { 0: 0 }],
])('a PID file %s is stale, and is replaced', (_what, text, living: Record<number, number>) => {
  writeFileSync(path, text);
  utimesSync(path, new Date(0), new Date(0));
  const file = new PidFile(path, machine(living));
  file.refuseLiving();
  file.write();
  expect(readFileSync(path, 'utf8')).toBe('100\n');
});

test('at the end it is removed, unless it is another gateway’s by then', () => {
  const file = new PidFile(path, machine({}));
  file.write();
  file.remove();
  expect(readdirSync(directory)).toEqual([]);
  writeFileSync(path, '200\n');
  file.remove();
  expect(readFileSync(path, 'utf8')).toBe('200\n');
});

test('where it can’t be written, the error says so in one line', () => {
  const file = new PidFile(join(directory, 'missing', 'headgate.pid'), machine({}));
  expect(() => file.write()).toThrow(/^Cannot write the PID file .*: its directory does not exist$/);
});

test('this machine knows since when this very process runs', () => {
  writeFileSync(path, `${process.ppid}\n`);
  // The parent has begun before the file was written.
  expect(() => new PidFile(path).refuseLiving()).toThrow(`names process ${process.ppid}`);
});
