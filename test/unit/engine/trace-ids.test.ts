import { expect, test } from 'vitest';
import { isSampled } from '../../../src/engine/trace.ts';
import { newSpanId, newTraceId } from '../../../src/engine/trace-ids.ts';

test('ids are lower-case hexadecimal of the right length and do not repeat', () => {
  const traces = Array.from({ length: 2000 }, newTraceId);
  const spans = Array.from({ length: 2000 }, newSpanId);
  expect(traces.filter((id) => !/^[0-9a-f]{32}$/.test(id))).toEqual([]);
  expect(spans.filter((id) => !/^[0-9a-f]{16}$/.test(id))).toEqual([]);
  expect([new Set(traces).size, new Set(spans).size]).toEqual([2000, 2000]);
});

test('sampling goes by the right 56 bits of the trace id: a smaller share keeps a part of what a larger one keeps', () => {
  const id = (last: string) => `${'f'.repeat(18)}${last}`;
  expect([0, 0.5, 1].map((share) => isSampled(id('0'.repeat(14)), share))).toEqual([false, false, true]);
  expect([0, 0.5, 1].map((share) => isSampled(id(`8${'0'.repeat(13)}`), share))).toEqual([false, true, true]);
  expect([0, 0.001, 1].map((share) => isSampled(id('f'.repeat(14)), share))).toEqual([false, true, true]);
  const ids = Array.from({ length: 500 }, (_, i) => id(((i * 2 ** 56) / 500).toString(16).padStart(14, '0')));
  const kept = (share: number) => ids.filter((each) => isSampled(each, share));
  expect([kept(0.1).length, kept(0.5).length]).toEqual([50, 250]);
  expect(kept(0.1).filter((each) => !kept(0.5).includes(each))).toEqual([]);
});
