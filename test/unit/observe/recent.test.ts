import { describe, expect, test } from 'vitest';
import { compileFilter } from '../../../src/filter/filter.ts';
import { lineOf } from '../../../src/observe/exchange-line.ts';
import { RecentExchanges, type RecentQuery } from '../../../src/observe/recent.ts';
import { Tail } from '../../../src/observe/tail.ts';
import { topOf } from '../../../src/observe/top.ts';
import { exchangeRecord } from '../../kit/exchange-record.ts';
import { ManualClock } from '../../kit/manual-clock.ts';

const FROM_START: RecentQuery = { after: 0, last: 0, limit: 1_000, matches: null };

function remembering(count: number, bounds = { entries: 3, bytes: 1_000_000 }) {
  const clock = new ManualClock();
  const recent = new RecentExchanges(bounds, clock);
  const add = (from: number, to: number) => {
    for (let i = from; i < to; i += 1) recent.finished(exchangeRecord({ id: `i${i}`, status: 200 + i }));
  };
  add(0, count);
  return { recent, clock, add, ids: () => [...recent].map(({ id }) => id) };
}

describe('recent exchanges', () => {
  test('are remembered without anything secret', () => {
    const { recent } = remembering(1);
    const text = JSON.stringify([...recent]);
    expect(text).toContain('"path":"/cart"');
    expect(text).not.toContain('secret');
  });

  test('are bounded in number: the oldest go first, and readers are told how many they have missed', () => {
    const { recent, ids } = remembering(5);
    expect(ids()).toEqual(['i2', 'i3', 'i4']);
    const page = recent.read(FROM_START);
    expect([page.lines.map(({ id }) => id), page.next, page.missed]).toEqual([['i2', 'i3', 'i4'], 5, 2]);
    expect(recent.read({ ...FROM_START, after: 4 })).toMatchObject({ lines: [{ id: 'i4' }], missed: 0 });
    expect(recent.read({ ...FROM_START, after: 5 })).toEqual({ lines: [], next: 5, missed: 0 });
  });

  test('and in bytes, also where one alone is too large', () => {
    const { recent, ids } = remembering(0, { entries: 100, bytes: 3_000 });
    for (let i = 0; i < 50; i += 1) recent.finished(exchangeRecord({ id: `i${i}`, target: `/${'x'.repeat(400)}` }));
    expect([ids().at(-1), recent.size, recent.bytes <= 3_000]).toEqual(['i49', 3, true]);
    recent.finished(exchangeRecord({ target: `/${'x'.repeat(5_000)}` }));
    expect([recent.size, recent.bytes]).toEqual([0, 0]);
    expect(recent.read({ ...FROM_START, after: null, last: 5 })).toEqual({ lines: [], next: 51, missed: 0 });
  });

  test('a first page has the last ones that a filter holds for, in order; pages have a limit', () => {
    const { recent } = remembering(6, { entries: 10, bytes: 1_000_000 });
    const filter = compileFilter('status!=204');
    const matches = filter.ok ? filter.matches : null;
    const ids = (query: Partial<RecentQuery>) => recent.read({ ...FROM_START, matches, ...query });
    expect(ids({ after: null, last: 2 }).lines.map(({ id }) => id)).toEqual(['i3', 'i5']);
    expect(ids({ limit: 2 })).toMatchObject({ lines: [{ id: 'i0' }, { id: 'i1' }], next: 2 });
    expect(ids({ after: 4 })).toMatchObject({ lines: [{ id: 'i5' }], next: 6 });
  });

  test('whoever waits is told together with what comes in a tenth of a second, or when the time is over', async () => {
    const { recent, clock, add } = remembering(1, { entries: 10, bytes: 1_000_000 });
    const first = recent.follow({ ...FROM_START, after: 1 }, 5_000);
    add(1, 2);
    clock.advance(99);
    add(2, 3);
    clock.advance(1);
    expect((await first).lines.map(({ id }) => id)).toEqual(['i1', 'i2']);
    const nothing = recent.follow({ ...FROM_START, after: 3 }, 5_000);
    clock.advance(5_000);
    expect(await nothing).toEqual({ lines: [], next: 3, missed: 0 });
    expect(clock.pending).toBe(0);
  });

  test('a filter that nothing holds for keeps its reader waiting, and closing ends it', async () => {
    const { recent, clock, add } = remembering(0, { entries: 10, bytes: 1_000_000 });
    const waiting = recent.follow({ ...FROM_START, matches: () => false }, 5_000);
    add(0, 2);
    clock.advance(100);
    await Promise.resolve();
    recent.close();
    expect(await waiting).toEqual({ lines: [], next: 2, missed: 0 });
    expect(clock.pending).toBe(0);
  });

  test('a number of another life of the gateway means that everything is new', async () => {
    const { recent, clock } = remembering(2);
    const tail = new Tail(recent, clock, 'mine');
    const ask = { filter: null, last: 0, limit: 10, waitMs: 0 };
    const page = await tail.tail({ ...ask, after: 'another.7' });
    expect(page).toMatchObject({ ok: true, lines: [{ id: 'i0' }, { id: 'i1' }], missed: 0 });
    const { next } = page as { next: string };
    expect(await tail.tail({ ...ask, after: `its.9,${next}` })).toMatchObject({ lines: [], next });
    expect(await new Tail(null, clock, 'mine').tail({ ...ask, after: null })).toMatchObject({
      reason: 'not-remembered',
    });
  });
});

describe('what exchanges come to', () => {
  const nowMs = Date.UTC(2026, 0, 1) + 10_000;
  const line = (route: string | null, totalMs: number, status = 200, agoMs = 0) =>
    lineOf(exchangeRecord({ route, totalMs, status, startedAtEpoch: nowMs - agoMs - totalMs }));

  test('rates, failures and quantiles by a field, the most first', () => {
    const lines = [
      ...Array.from({ length: 98 }, (_, i) => line('a', i + 1)),
      ...[line('a', 500, 502), line('a', 900, 404), line('b', 5), line(null, 1), line('b', 1, 200, 20_000)],
    ];
    const table = topOf(lines, { by: 'route', windowMs: 10_000, limit: 2 }, { nowMs, sinceMs: 0 });
    expect(table.rows).toEqual([
      { name: 'a', exchanges: 100, perSecond: 10, failed: 0.01, p50Ms: 50, p99Ms: 500, bytesOut: 10_000 },
      { name: 'b', exchanges: 1, perSecond: 0.1, failed: 0, p50Ms: 5, p99Ms: 5, bytesOut: 100 },
    ]);
    expect(table).toMatchObject({ spanMs: 10_000, more: 1, total: { exchanges: 102 } });
  });

  test('where less is remembered than was asked for, rates are those of what is', () => {
    const table = topOf([line('a', 1)], { by: 'route', windowMs: 10_000, limit: 2 }, { nowMs, sinceMs: nowMs - 2_000 });
    expect(table).toMatchObject({ spanMs: 2_000, total: { exchanges: 1, perSecond: 0.5 } });
    expect(topOf([], { by: 'client', windowMs: 1_000, limit: 2 }, { nowMs, sinceMs: 0 }).total).toEqual({
      ...{ exchanges: 0, perSecond: 0, failed: 0, p50Ms: 0, p99Ms: 0, bytesOut: 0 },
    });
  });
});
