import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SessionTable } from '../../../../src/upstream/affinity/session-table.ts';
import { type EndpointId, endpointId } from '../../../../src/upstream/identity.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';

const A = endpointId('shop', 'http://a:1');
const B = endpointId('shop', 'http://b:1');

function tableOf(capacity: number, idleMs = 64_000) {
  const clock = new ManualClock();
  return { clock, table: new SessionTable({ capacity, idleMs }, clock) };
}

test('a session is where it was put last', () => {
  const { table } = tableOf(8);
  expect(table.at('s')).toBeNull();
  table.put('s', A);
  expect(table.at('s')).toBe(A);
  table.put('s', B);
  expect([table.at('s'), table.sessionsAt(A), table.sessionsAt(B)]).toEqual([B, 0, 1]);
});

test('a session that is used stays, and one that is not is forgotten', () => {
  const { clock, table } = tableOf(8);
  table.put('busy', A);
  table.put('idle', A);
  for (let i = 0; i < 8; i += 1) {
    clock.advance(32_000);
    expect(table.at('busy')).toBe(A);
  }
  expect([table.at('idle'), table.sessionsAt(A)]).toEqual([null, 1]);
  clock.advance(64_000);
  expect(table.sessionsAt(A)).toBe(0);
});

test('the longest unused makes room', () => {
  const { clock, table } = tableOf(2);
  table.put('one', A);
  table.put('two', A);
  clock.advance(10_000);
  expect(table.at('one')).toBe(A);
  table.put('three', B);
  expect([table.at('one'), table.at('two'), table.at('three')]).toEqual([A, null, B]);
});

test('new bounds count for what is known too', () => {
  const { clock, table } = tableOf(4);
  for (const key of ['a', 'b', 'c', 'd']) table.put(key, A);
  table.adopt({ capacity: 2, idleMs: 64_000 });
  expect([table.at('b'), table.at('d'), table.sessionsAt(A)]).toEqual([null, A, 2]);
  clock.advance(10_000);
  table.adopt({ capacity: 2, idleMs: 10_000 });
  expect(table.sessionsAt(A)).toBe(0);
});

type Deed = { readonly key: string; readonly put: EndpointId | null; readonly afterMs: number };

test('is never larger than it may be, and agrees with a plain model, whatever happens', () => {
  const deed: fc.Arbitrary<Deed> = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    put: fc.constantFrom(null, A, B),
    afterMs: fc.integer({ min: 0, max: 40 }),
  });
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 80 }), (deeds) => {
      const { clock, table } = tableOf(4, 100);
      const model = new Map<string, { endpoint: EndpointId; usedAt: number }>();
      for (const { key, put, afterMs } of deeds) {
        clock.advance(afterMs);
        const now = clock.monotonic();
        for (const [known, { usedAt }] of model) if (now - usedAt >= 100) model.delete(known);
        const found = model.get(key);
        expect(table.at(key)).toBe(found?.endpoint ?? null);
        // A use within a 64th of the idle time is not noted, so that the model may be younger by as much.
        const noted = found !== undefined && now - found.usedAt <= 100 / 64;
        if (found !== undefined && !noted) model.delete(key);
        if (found !== undefined) model.set(key, noted ? found : { ...found, usedAt: now });
        if (put !== null) {
          if (found?.endpoint !== put) {
            model.delete(key);
            model.set(key, { endpoint: put, usedAt: now });
          }
          table.put(key, put);
          while (model.size > 4) model.delete(model.keys().next().value as string);
        }
        const at = (endpoint: EndpointId) =>
          [...model.values()].filter((session) => session.endpoint === endpoint).length;
        expect([table.sessionsAt(A), table.sessionsAt(B)]).toEqual([at(A), at(B)]);
      }
    }),
    { seed: 4, numRuns: 300 },
  );
});
