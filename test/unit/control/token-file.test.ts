import { mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TokenFile, tokenProblem } from '../../../src/control/token-file.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { stopAfterTest } from '../../kit/stop.ts';

const [FIRST, SECOND] = ['first-token-of-many-characters', 'second-token-of-many-characters'];

function tokenIn(text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-token-'));
  stopAfterTest(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'token');
  writeFileSync(path, text);
  const clock = new ManualClock();
  const heard: string[] = [];
  const parts = { clock, changed: () => heard.push('changed'), failed: (problem: string) => heard.push(problem) };
  /** Puts another file in its place, as a rotation does: what is there is never half of it. */
  const replace = (next: string): void => {
    writeFileSync(`${path}.next`, next);
    renameSync(`${path}.next`, path);
  };
  return { path, clock, heard, replace, open: () => new TokenFile(path, parts) };
}

test('a token is read without its line end, and read again when the file is another one', async () => {
  const { clock, heard, replace, open } = tokenIn(`${FIRST}\n`);
  const file = open();
  expect(await file.current()).toBe(FIRST);
  replace(`${SECOND}\r\n`);
  expect(await file.current()).toBe(FIRST);
  clock.advance(1_000);
  expect(await file.current()).toBe(SECOND);
  expect(heard).toEqual(['changed']);
});

test('a file that is gone or holds no token leaves the token as it was, and is told once', async () => {
  const { path, clock, heard, replace, open } = tokenIn(FIRST);
  const file = open();
  const later = () => {
    clock.advance(1_000);
    return file.current();
  };
  unlinkSync(path);
  expect([await later(), await later(), await later()]).toEqual([FIRST, FIRST, FIRST]);
  replace('short');
  expect(await later()).toBe(FIRST);
  expect(heard).toEqual(['ENOENT', 'it holds no token: 16 characters at least, visible ASCII without blanks']);
  replace(SECOND);
  expect([await later(), heard.at(-1)]).toEqual([SECOND, 'changed']);
});

test.each([
  ['', 'it holds no token'],
  ['fifteen-letters', 'it holds no token'],
  ['two words of a token of many', 'it holds no token'],
  [`${FIRST}\n${SECOND}\n`, 'it holds no token'],
  [`${FIRST}é`, 'it holds no token'],
])('a file with %j is none', (text, problem) => {
  const { path, open } = tokenIn(text);
  expect(tokenProblem(path)).toContain(problem);
  expect(open).toThrow(problem);
});

test('what is no file is told with the reason of the system', () => {
  expect(tokenProblem(tmpdir())).toBe('EISDIR');
  expect(tokenProblem('/nowhere/at/all')).toBe('ENOENT');
});
