import { expect, test } from 'vitest';
import { counts, runConformance, surprises } from './conformance.ts';
import { steppedPace } from './pace.ts';

/** Turns of the event loop in which what the gateway does in the background reaches the origin and comes back. */
const TURNS = 100;

async function settled(): Promise<void> {
  for (let i = 0; i < TURNS; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('the public HTTP cache suite finds what is expected of it, and nothing else', async () => {
  const results = await runConformance(steppedPace(settled));
  expect(surprises(results)).toEqual([]);
  expect(counts(results).map((line) => line.replace(/^\d+ of /, ''))).toEqual([
    '160 required',
    '105 optimal',
    '100 behaviour (yes)',
  ]);
});
