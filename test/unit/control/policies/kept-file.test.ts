import { mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { WatchedFile } from '../../../../src/control/policies/kept-file.ts';
import type { PolicyEvent } from '../../../../src/policy/policy-state.ts';
import { until } from '../../../kit/deadline.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';
import { stopAfterTest } from '../../../kit/stop.ts';

const LOOK_MS = 2_000;

function watched() {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-kept-'));
  stopAfterTest(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'lists'));
  const path = join(directory, 'lists', 'list');
  writeFileSync(path, 'one');
  const clock = new ManualClock();
  const events: PolicyEvent[] = [];
  const parsed: string[] = [];
  const parse = (content: Buffer): string => {
    parsed.push(content.toString());
    if (content.toString() === 'bad') throw new Error('line 1: bad');
    return content.toString();
  };
  const names = { id: 'file access route a list', policy: 'access', owner: 'route a' };
  const file = new WatchedFile({ ...names, path, parse, clock, observer: (event) => events.push(event) });
  stopAfterTest(() => file.close());
  const replace = (text: string): void => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  const look = async (): Promise<void> => {
    clock.advance(LOOK_MS);
    await until(() => clock.pending === 1, 'the end of the look');
  };
  return { path, clock, events, parsed, file, replace, look, told: () => events.map(({ event }) => event) };
}

test('a file that changes is in force at the next look; what it can’t be leaves what it was, and is told once', async () => {
  const { file, look, replace, told, path } = watched();
  file.open();
  replace('two');
  await look();
  expect(file.current).toBe('two');
  replace('bad');
  for (let looks = 0; looks < 3; looks += 1) await look();
  expect([file.current, told(), file.status()['broken']]).toEqual([
    'two',
    ['file-changed', 'file-broken'],
    'line 1: bad',
  ]);
  unlinkSync(path);
  await look();
  replace('two');
  await look();
  expect([file.current, told().slice(2), file.status()['broken']]).toEqual([
    'two',
    ['file-broken', 'file-changed'],
    null,
  ]);
});

test('a reload has it looked at at once, and any number of looks at a time are one, after which one timer is left', async () => {
  const { clock, file, replace } = watched();
  file.open();
  replace('two');
  for (let times = 0; times < 5; times += 1) file.served();
  await until(() => file.current === 'two' && clock.pending === 1, 'the new content, and the next look');
  file.close();
  expect(clock.pending).toBe(0);
});

test('nothing is looked at before it is opened, and no timer is left by a look that ends after it was closed', async () => {
  const { clock, file, replace } = watched();
  expect(clock.pending).toBe(0);
  file.open();
  replace('two');
  file.served();
  file.close();
  await until(() => file.current === 'two', 'the look that was under way');
  expect(clock.pending).toBe(0);
});

test('what can’t be used is read once, until it changes', async () => {
  const { file, look, parsed, replace } = watched();
  file.open();
  replace('bad');
  for (let looks = 0; looks < 3; looks += 1) await look();
  expect(parsed).toEqual(['one', 'bad']);
  replace('bad');
  await look();
  replace('two');
  await look();
  expect(parsed).toEqual(['one', 'bad', 'bad', 'two']);
});

test('a file whose folder was away and is back as it was is not called broken any more', async () => {
  const { file, look, path, told } = watched();
  file.open();
  const folder = dirname(path);
  renameSync(folder, `${folder}.away`);
  await look();
  expect(file.status()['broken']).toMatch(/ENOENT/);
  renameSync(`${folder}.away`, folder);
  await look();
  expect([file.current, file.status()['broken'], told()]).toEqual(['one', null, ['file-broken', 'file-changed']]);
});
