import { expect, test } from 'vitest';
import { crashAgainAndAgain } from '../kit/crashing-cache.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const directory = temporaryDirectory();

test('a gateway that is killed twenty times while it writes never serves a wrong byte, and keeps what it had written', async () => {
  const { survived, answers } = await crashAgainAndAgain(20, directory);
  expect(survived).toBeGreaterThan(100);
  expect(answers).toBeGreaterThan(5_000);
}, 300_000);
