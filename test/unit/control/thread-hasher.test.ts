import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { ThreadHasher } from '../../../src/control/policies/thread-hasher.ts';
import { stopAfterTest } from '../../kit/stop.ts';

const HASH = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';

function hasherOn(file?: URL): ThreadHasher {
  const hasher = new ThreadHasher(file);
  stopAfterTest(() => hasher.abort());
  return hasher;
}

function check(hasher: ThreadHasher, hash: string, password: string): Promise<boolean | null> {
  return new Promise((resolve) => hasher.check(hash, password, resolve));
}

/** A thread that ends as soon as it is asked for the password `die`, and says that all others are right. */
function mortal(): URL {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-test-'));
  stopAfterTest(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'thread.mjs');
  const text = `import { parentPort } from 'node:worker_threads';
parentPort.on('message', ({ password }) => {
  if (password === 'die') process.exit(3);
  if (password === 'throw') throw new Error('lost');
  if (password !== 'hang') parentPort.postMessage(true);
});`;
  writeFileSync(file, text);
  return pathToFileURL(file);
}

test('passwords are verified on a thread', async () => {
  const hasher = hasherOn();
  expect(await check(hasher, HASH, 'password')).toBe(true);
  expect(await check(hasher, HASH, 'passwort')).toBe(false);
  expect(await check(hasher, 'no hash', 'password')).toBeNull();
});

test('a thread that dies is told of, and another one takes its place', async () => {
  const hasher = hasherOn(mortal());
  expect(await check(hasher, 'h', 'die')).toBeNull();
  expect(await check(hasher, 'h', 'throw')).toBeNull();
  expect(await check(hasher, 'h', 'p')).toBe(true);
});

test('what was given up is not told, and the next one is', async () => {
  const hasher = hasherOn(mortal());
  const told: unknown[] = [];
  hasher.check('h', 'hang', (matches) => told.push(matches));
  hasher.abort();
  expect(await check(hasher, 'h', 'p')).toBe(true);
  expect(told).toEqual([]);
});
