import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { crashAgainAndAgain } from '../kit/crashing-cache.ts';

test('a gateway that is killed while it writes serves right bytes afterwards, and some from what it had written', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-crash-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const { survived } = await crashAgainAndAgain(3, directory);
  expect(survived).toBeGreaterThan(0);
}, 90_000);
