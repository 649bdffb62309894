import { expect, test } from 'vitest';
import { spoilOneOfFifty } from '../kit/blast-radius.ts';

/** The long version of test/proxy/blast-radius.test.ts. */
test('whatever is done to one of fifty routes, 4 000 times, all others are asked for at their own pools', () => {
  const tally = spoilOneOfFifty(4_000, 7);
  expect(Math.min(tally.unreadable, tally.sound, tally.quarantined, tally.refused)).toBeGreaterThan(400);
}, 900_000);
