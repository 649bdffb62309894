import { expect, test } from 'vitest';
import { tracestateIn } from '../../../../src/http/trace-context.ts';
import { encodeSpan, type Span } from '../../../../src/observe/trace/span.ts';

const SPAN: Span = {
  ...{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', parentId: null, parentIsRemote: false },
  ...{ state: null, sampled: true, random: true, name: 'GET', kind: 'server', startMs: 1, endMs: 2 },
  ...{ attributes: [], failed: false, link: null },
};

test('a long tracestate is cut off between two of its members', () => {
  const members = Array.from({ length: 32 }, (_, i) => `k${i}=${'v'.repeat(60)}`);
  const { traceState } = JSON.parse(encodeSpan({ ...SPAN, state: members.join(',') })) as { traceState: string };
  expect(traceState.length).toBeGreaterThan(900);
  expect(traceState.length).toBeLessThanOrEqual(1024);
  expect(members.join(',').startsWith(`${traceState},`)).toBe(true);
  expect(tracestateIn(['tracestate', traceState])).toBe(traceState);
});
