import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CacheScene, OBJECT_BYTES, PATHS, TERMS } from './cache-scene.ts';

type Step = (scene: CacheScene) => void;

const nth = fc.nat({ max: 7 });
const path = fc.constantFrom(...PATHS);
const bytes = fc.constantFrom(0, 10, 5_000, 150_000, OBJECT_BYTES + 50_000);

const ask = fc
  .tuple(
    path,
    fc.constantFrom('x', 'y'),
    fc.constantFrom('GET', 'GET', 'GET', 'HEAD'),
    fc.constantFrom(undefined, undefined, undefined, 'no-cache', 'max-age=0', 'no-store'),
  )
  .map(
    ([p, foo, method, control]): Step =>
      (scene) =>
        scene.ask(p, foo, control === undefined ? { method } : { method, control }),
  );
const answer = fc.tuple(nth, fc.nat({ max: TERMS.length - 1 }), fc.boolean(), bytes, fc.boolean()).map(
  ([n, terms, varies, size, announced]): Step =>
    (scene) =>
      scene.answer(n, { terms, varies, bytes: size, announced }),
);

function each(make: (scene: CacheScene, n: number) => void): fc.Arbitrary<Step> {
  return nth.map((n) => (scene) => make(scene, n));
}

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: ask },
  { weight: 6, arbitrary: answer },
  { weight: 4, arbitrary: each((scene, n) => scene.deliver(n, 3_000)) },
  { weight: 4, arbitrary: each((scene, n) => scene.deliver(n, Number.POSITIVE_INFINITY)) },
  { weight: 3, arbitrary: each((scene, n) => scene.confirm(n)) },
  { weight: 2, arbitrary: each((scene, n) => scene.trouble(n)) },
  { weight: 2, arbitrary: each((scene, n) => scene.breakOff(n)) },
  { weight: 2, arbitrary: each((scene, n) => scene.leave(n)) },
  { weight: 2, arbitrary: each((scene, n) => scene.stall(n)) },
  { weight: 2, arbitrary: each((scene, n) => scene.read(n)) },
  {
    weight: 2,
    arbitrary: path.map(
      (p): Step =>
        (scene) =>
          scene.change(p),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(path, fc.constantFrom('url', 'tag', 'all'), fc.boolean()).map(
      ([p, by, hard]): Step =>
        (scene) =>
          scene.purge(p, by, hard),
    ),
  },
  { weight: 1, arbitrary: each((scene, n) => scene.walk(n + 1)) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(10, 1_000, 4_000, 20_000).map(
      (ms): Step =>
        (scene) =>
          scene.pass(ms),
    ),
  },
);

test('whatever happens in whatever order, everybody gets an answer that is right for them (property)', () => {
  let served = 0;
  let shared = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 80, size: 'max' }), (steps) => {
      const scene = new CacheScene();
      for (const take of steps) take(scene);
      scene.settle();
      served += scene.clients.length;
      shared += scene.records.filter(({ cache }) => cache !== null && cache.result !== 'miss').length;
    }),
    { seed: 20261121, numRuns: 300 },
  );
  expect(served).toBeGreaterThan(2_000);
  expect(shared).toBeGreaterThan(300);
});

test.each<[string, ConstructorParameters<typeof CacheScene>]>([
  ['without collapsing', [{}, { cache: { collapse: false } }]],
  ['with short waits and a total timeout', [{}, { cache: { collapse: { wait: '1s' } }, timeouts: { total: '3s' } }]],
  ['with little room for fills', [{ fills: 65_536 }, {}]],
  ['with another pool to ask', [{}, { fallback: { on: ['reset', 503], steps: [{ pool: 'spare' }, 'stale'] } }]],
  [
    'with retries and another pool',
    [{}, { retry: { attempts: 3, on: ['reset', 503] }, fallback: [{ pool: 'spare' }] }],
  ],
  ['with a queue', [{}, {}, { limits: { inFlight: 1, queue: { size: 2, timeout: '2s' } } }]],
  ['with a breaker', [{}, { fallback: ['stale'] }, { breaker: { consecutive: 2, open: '3s' } }]],
])('nobody is left waiting and nothing is held %s (property)', (_name, how) => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 80, size: 'max' }), (steps) => {
      const scene = new CacheScene(...how);
      for (const take of steps) take(scene);
      scene.settle();
    }),
    { seed: 20261122, numRuns: 100 },
  );
});

test('an answer that is for nobody is not read: whoever asked for it is gone, and those who wait get another', () => {
  const scene = new CacheScene();
  for (let i = 0; i < 3; i += 1) scene.ask('/1', 'x');
  expect(scene.attempts.length).toBe(1);
  scene.leave(0);
  expect(scene.attempts[0]?.isOver).toBe(false);
  scene.trouble(0);
  expect(scene.attempts.map(({ state }) => state)).toEqual(['cancelled', 'asked']);
  scene.settle();
});

test('who has waited for all the time of the route asks nobody any more, and no other pool either', () => {
  const scene = new CacheScene({}, { timeouts: { total: '3s' }, fallback: [{ pool: 'spare' }] });
  scene.ask('/1', 'x');
  scene.ask('/1', 'x', { method: 'HEAD' });
  scene.pass(2_000);
  scene.ask('/1', 'x');
  scene.breakOff(0);
  // The first one at the other pool, the second one in its stead.
  expect(scene.attempts.length).toBe(3);
  scene.pass(1_100);
  expect(scene.clients[1]?.head?.status).toBe(504);
  expect(scene.attempts.length).toBe(3);
  scene.settle();
});

test('what was asked for whole for a client that has it already is not read on when it turns out too large', () => {
  const scene = new CacheScene({}, { cache: { ranges: 'whole' } });
  scene.ask('/1', 'x', { fields: ['Range', 'bytes=0-9', 'If-None-Match', '"0"'] });
  scene.answer(0, { terms: 1, varies: false, bytes: OBJECT_BYTES + 50_000, announced: false });
  scene.deliver(0, 20_000);
  expect([scene.clients[0]?.head?.status, scene.attempts[0]?.state]).toEqual([304, 'answering']);
  scene.deliver(0, OBJECT_BYTES);
  expect(scene.attempts[0]?.state).toBe('cancelled');
  expect(scene.leftBehind()).toEqual({ inFlight: 0, waiters: 0, resources: 0, fillBytes: 0 });
});

test('what was asked for whole for a part of it is not read on when there is no room for it any more', () => {
  const scene = new CacheScene({ fills: 150_000 }, { cache: { ranges: 'whole' } });
  for (const path of PATHS) {
    scene.ask(path, 'x', { fields: ['Range', 'bytes=0-9'] });
    scene.answer(0, { terms: 1, varies: false, bytes: 150_000, announced: true });
  }
  scene.deliver(0, 20_000);
  scene.deliver(1, 20_000);
  expect(scene.clients.map(({ ended }) => ended)).toEqual(['complete', 'complete']);
  scene.deliver(0, 100_000);
  expect(scene.attempts.map(({ state }) => state)).toEqual(['cancelled', 'answering']);
  scene.deliver(0, Number.POSITIVE_INFINITY);
  expect(scene.leftBehind()).toEqual({ inFlight: 0, waiters: 0, resources: 0, fillBytes: 0 });
});
