import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../kit/whole.ts';
import { MANNERS, RangeScene } from './range-scene.ts';

type Step = (scene: RangeScene) => void;

const nth = fc.nat({ max: 5 });

function each(deed: (scene: RangeScene, nth: number) => void): fc.Arbitrary<Step> {
  return nth.map(
    (n): Step =>
      (scene) =>
        deed(scene, n),
  );
}

const position = fc.oneof(fc.nat(300), fc.nat(9600));
const spec = fc.oneof(
  fc.tuple(position, position).map(([from, more]) => `${from}-${from + more}`),
  position.map((from) => `${from}-`),
  position.map((length) => `-${length}`),
);
const range = fc.oneof(
  { weight: 8, arbitrary: spec.map((one) => `bytes=${one}`) },
  {
    weight: 1,
    arbitrary: fc.array(spec, { minLength: 2, maxLength: 4 }).map((several) => `bytes=${several.join(',')}`),
  },
  { weight: 1, arbitrary: fc.constantFrom('bytes=x', 'bytes=5-4', 'lines=0-1') },
);
const condition = fc.constantFrom(
  ...[[], [], [], ['If-Range', '"now"'], ['If-Range', '"1"'], ['If-None-Match', '"now"'], ['If-None-Match', '"1"']],
  ['Cache-Control', 'no-cache'],
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(range, condition).map(
      ([value, more]): Step =>
        (scene) =>
          scene.ask('GET', ['Range', value, ...more]),
    ),
  },
  {
    weight: 3,
    arbitrary: condition.map(
      (fields): Step =>
        (scene) =>
          scene.ask('GET', fields),
    ),
  },
  { weight: 1, arbitrary: each((scene) => scene.ask('HEAD', [])) },
  {
    weight: 10,
    arbitrary: fc
      .tuple(
        nth,
        fc.oneof({ weight: 6, arbitrary: fc.constant('honest' as const) }, fc.constantFrom(...MANNERS)),
        fc.constantFrom(0, 5, 60),
      )
      .map(
        ([n, manner, freshS]): Step =>
          (scene) =>
            scene.answer(n, manner, freshS),
      ),
  },
  {
    weight: 12,
    arbitrary: fc.tuple(nth, fc.oneof(fc.nat(3000), fc.constant(20_000))).map(
      ([n, bytes]): Step =>
        (scene) =>
          scene.deliver(n, bytes),
    ),
  },
  { weight: 1, arbitrary: each((scene, n) => scene.breakOff(n)) },
  { weight: 1, arbitrary: each((scene, n) => scene.leave(n)) },
  { weight: 1, arbitrary: each((scene, n) => scene.stall(n)) },
  { weight: 2, arbitrary: each((scene, n) => scene.read(n)) },
  { weight: 1, arbitrary: fc.constant<Step>((scene) => scene.change()) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(1_000, 6_000, 61_000).map(
      (ms): Step =>
        (scene) =>
          scene.pass(ms),
    ),
  },
);

for (const ranges of ['pass', 'whole'] as const) {
  test(`with ranges: ${ranges} every byte is of the version that its tag names, and where it says (property)`, async () => {
    let parts = 0;
    let completed = 0;
    let together = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }), async (steps) => {
        const scene = new RangeScene(ranges);
        for (const take of steps) {
          take(scene);
          // The gateway may ask once more.
          await Promise.resolve();
        }
        await scene.settle();
        for (const client of scene.clients) {
          const status = client.header('cache-status') ?? '';
          const isPart = client.head?.status === 206;
          if (isPart && status.includes('; hit')) parts += 1;
          if (!isPart && status.includes('fwd=partial; fwd-status=206')) completed += 1;
          if (isPart && status.includes('fwd=partial; fwd-status=206; stored')) together += 1;
        }
      }),
      { seed: 9110, numRuns: runs(300) },
    );
    // A property of parts that never saw one would prove nothing.
    expect(parts).toBeGreaterThan(runs(200));
    if (ranges === 'pass') expect(Math.min(completed, together)).toBeGreaterThan(runs(20));
  });
}

test('with little room for fills, nothing wrong is served and nothing is held (property)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('pass' as const, 'whole' as const),
      fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }),
      async (ranges, steps) => {
        const scene = new RangeScene(ranges, 9_000);
        for (const take of steps) {
          take(scene);
          await Promise.resolve();
        }
        await scene.settle();
      },
    ),
    { seed: 9111, numRuns: runs(300) },
  );
});
