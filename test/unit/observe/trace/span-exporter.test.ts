import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createLog } from '../../../../src/observe/log.ts';
import type { OtlpAnswer } from '../../../../src/observe/trace/otlp-answer.ts';
import { type ExportPolicy, type SpanCounts, SpanExporter } from '../../../../src/observe/trace/span-exporter.ts';
import { until } from '../../../kit/deadline.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';

const POLICY: ExportPolicy = {
  ...{ url: 'http://collector:4318/v1/traces', headers: ['Api-Key', 'secret'], gzip: false },
  ...{ intervalMs: 5_000, batch: 3, queue: 5 },
};

/** An exporter whose collector is asked by hand. */
function scene(over: Partial<ExportPolicy> = {}) {
  const clock = new ManualClock();
  const counts: SpanCounts = { exported: 0, failures: 0, dropped: new Map() };
  const said: { level: number; msg: string; why?: string; dropped?: number }[] = [];
  const write = (line: string) => void said.push(JSON.parse(line));
  const log = createLog({ write, flushSync: () => {}, flushed: async () => {}, reopen: () => {} }, 'info');
  const asked: { spans: readonly unknown[]; answer: (answer: Partial<OtlpAnswer>) => void; fail: () => void }[] = [];
  const exporter = new SpanExporter({
    ...{
      policy: { ...POLICY, ...over },
      resource: '{"attributes":[]}',
      version: '1',
      clock,
      random: () => 0,
      log,
      counts,
    },
    send: (body, headers) => {
      const { promise, resolve, reject } = Promise.withResolvers<OtlpAnswer>();
      const text = headers.includes('gzip') ? gunzipSync(body) : Buffer.from(body);
      const { resourceSpans } = JSON.parse(text.toString()) as {
        resourceSpans: { scopeSpans: { spans: unknown[] }[] }[];
      };
      asked.push({
        spans: resourceSpans[0]?.scopeSpans[0]?.spans ?? [],
        answer: (answer) => resolve({ status: 200, headers: [], body: Buffer.from('{}'), ...answer }),
        fail: () => reject(Object.assign(new Error('gone'), { reason: 'connection-refused' })),
      });
      return promise;
    },
  });
  const add = (count: number) => {
    for (let i = 0; i < count; i += 1) exporter.add('{}');
  };
  const request = async (index: number) => {
    await until(() => asked.length > index, `request ${index}`);
    return asked[index] as (typeof asked)[0];
  };
  /** Everything that is due without time passing has happened. */
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { clock, counts, said, asked, exporter, add, request, settled };
}

test('spans go in batches: when one is full, or the first has waited for the interval', async () => {
  const { clock, counts, add, request, asked, settled } = scene({ gzip: true });
  add(2);
  clock.advance(4_999);
  await settled();
  expect(asked).toHaveLength(0);
  clock.advance(1);
  expect((await request(0)).spans).toHaveLength(2);
  (await request(0)).answer({});
  await settled();
  add(4);
  expect((await request(1)).spans).toHaveLength(3);
  (await request(1)).answer({});
  await settled();
  clock.advance(5_000);
  expect((await request(2)).spans).toHaveLength(1);
  (await request(2)).answer({});
  await settled();
  expect([counts.exported, clock.pending]).toEqual([6, 0]);
});

test('what is retryable is sent again: after what the collector says, else after twice the pause before', async () => {
  const { clock, counts, said, add, request, asked, settled } = scene();
  add(3);
  (await request(0)).answer({ status: 429, headers: ['Retry-After', '7'] });
  await settled();
  clock.advance(6_999);
  await settled();
  expect(asked).toHaveLength(1);
  clock.advance(1);
  (await request(1)).fail();
  await settled();
  clock.advance(1_999);
  await settled();
  expect(asked).toHaveLength(2);
  clock.advance(1);
  (await request(2)).answer({ status: 503 });
  await settled();
  clock.advance(4_000);
  (await request(3)).answer({});
  await settled();
  expect(asked.map(({ spans }) => spans.length)).toEqual([3, 3, 3, 3]);
  expect([counts.exported, counts.failures, counts.dropped.size]).toEqual([3, 3, 0]);
  expect(said.map(({ msg, why }) => [msg, why])).toEqual([
    ['Spans can not be delivered', 'status-429'],
    ['Spans are delivered again', undefined],
  ]);
});

test('five times, and then they are given up; a status that is final is not repeated', async () => {
  const { clock, counts, add, request, asked, settled } = scene();
  add(3);
  for (let i = 0; i < 5; i += 1) {
    (await request(i)).fail();
    await settled();
    clock.advance(30_000);
  }
  await settled();
  expect([asked.length, counts.dropped.get('undelivered')]).toEqual([5, 3]);
  add(3);
  (await request(5)).answer({ status: 400 });
  await settled();
  expect([asked.length, counts.dropped.get('refused'), clock.pending]).toEqual([6, 3, 0]);
});

test('the queue is bounded while a collector is slow: one line when spans are dropped, one with how many', async () => {
  const { counts, said, add, request, exporter, settled } = scene();
  add(3);
  const slow = await request(0);
  add(9);
  expect([exporter.queued, counts.dropped.get('queue-full')]).toEqual([5, 4]);
  slow.answer({});
  (await request(1)).answer({});
  await settled();
  expect(said.map(({ msg, why, dropped }) => [msg, why ?? dropped])).toEqual([
    ['Spans can not be delivered', 'queue-full'],
    ['Spans are delivered again', 4],
  ]);
  expect(JSON.stringify(said)).not.toContain('secret');
});

test('what a collector takes but for some is not sent again, and counted', async () => {
  const { counts, said, add, request, asked, settled } = scene();
  add(3);
  const partialSuccess = { rejectedSpans: '2', errorMessage: 'too old' };
  (await request(0)).answer({ body: Buffer.from(JSON.stringify({ partialSuccess })) });
  await settled();
  expect([asked.length, counts.exported, counts.dropped.get('refused')]).toEqual([1, 1, 2]);
  expect(said).toMatchObject([{ msg: 'The collector complains', said: 'too old' }]);
});

test('closing sends what waits at once, also what a collector wanted later, and ends in time if it hangs', async () => {
  const { clock, counts, add, request, exporter, settled } = scene();
  add(3);
  (await request(0)).answer({ status: 503, headers: ['Retry-After', '600'] });
  await settled();
  add(4);
  const closed = exporter.close(5_000);
  (await request(1)).answer({});
  expect((await request(2)).spans).toHaveLength(3);
  (await request(2)).answer({});
  expect((await request(3)).spans).toHaveLength(1);
  clock.advance(5_000);
  await closed;
  exporter.add('{}');
  (await request(3)).answer({ status: 503 });
  await settled();
  expect([counts.exported, counts.dropped.get('shutdown'), exporter.queued, clock.pending]).toEqual([6, 2, 0, 0]);
});
