import { describe, expect, test } from 'vitest';
import { explain } from '../../../src/control/explain/explain.ts';
import { compareAll, type Live, questionOf, Scene } from './explain-scene.ts';
import { randomOf, requestBy, type World, worlds } from './explain-world.ts';

// A hundred thousand of them are in test/e2e/explain.test.ts.
describe('explain', () => {
  test('says what the engine does then (property)', () => {
    const outcomes = compareAll(worlds(10, 20_261_121), 600);
    expect([...outcomes.keys()].sort()).toEqual([
      'forward',
      'purge',
      'refuse by admission',
      'refuse by cache',
      'refuse by listener',
      'refuse by route',
      'refuse by routing',
      'reply',
      'serve',
      'tunnel',
    ]);
  });

  test('changes nothing: whoever asks before each request gets what nobody would have asked for (property)', () => {
    const [some, same] = [worlds(8, 4711), worlds(8, 4711)];
    const settled = some.flatMap((world, i) => (isByChance(world) ? [] : [[world, same[i] as World] as const]));
    expect(settled.length).toBeGreaterThan(2);
    for (const [world, twin] of settled) expect(played(world, 2)).toEqual(played(twin, 0));
  });
});

function isByChance({ loaded }: World): boolean {
  return loaded.config.routes.some(
    ({ split, sticky }) => split !== undefined && JSON.stringify(sticky) !== '{"by":"client"}',
  );
}

/** What happens to the same requests when each is asked about so many times before. */
function played(world: World, asks: number): readonly object[] {
  const scene = new Scene(world);
  const random = randomOf(7);
  return Array.from({ length: 200 }, () => {
    const sent = requestBy(random);
    for (let i = 0; i < asks; i += 1) explain(scene.subject, questionOf(sent));
    return figures(scene.send(sent));
  });
}

function figures({ record, attempt }: Live): object {
  const { status, route, pool, endpoint, cache, end } = record;
  // A hash without a key is drawn.
  const drawn = pool === 'hashed' ? null : endpoint;
  return { status, route, pool, drawn, cache: cache?.header, reason: end.reason, target: attempt?.attempt.target };
}
