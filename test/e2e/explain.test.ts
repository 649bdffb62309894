import { expect, test } from 'vitest';
import { compareAll } from '../unit/control/explain-scene.ts';
import { worlds } from '../unit/control/explain-world.ts';

test('explain says what the engine does then, for a hundred thousand requests over fifty configurations (property)', () => {
  const outcomes = compareAll(worlds(50, 1), 2_000);
  expect(outcomes.get('forward')).toBeGreaterThan(10_000);
  expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBe(100_000);
}, 120_000);
