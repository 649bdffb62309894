import { expect, test } from 'vitest';
import { spoilOneOfFifty } from '../kit/blast-radius.ts';

/** The long version of test/proxy/blast-radius.test.ts. */
test('whatever is done to one of fifty routes, 10 000 times, all others are asked for at their own pools', () => {
  const tally = spoilOneOfFifty(10_000, 7);
  expect(Math.min(tally.unreadable, tally.sound, tally.quarantined, tally.refused)).toBeGreaterThan(1_000);
}, 900_000);
