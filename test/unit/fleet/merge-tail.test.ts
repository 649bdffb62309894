import { expect, test } from 'vitest';
import { tailOfAll, topOfAll } from '../../../src/fleet/merge-tail.ts';
import { RecentExchanges } from '../../../src/observe/recent.ts';
import { Tail, type TailQuery } from '../../../src/observe/tail.ts';
import { exchangeRecord } from '../../kit/exchange-record.ts';
import { ManualClock } from '../../kit/manual-clock.ts';

const QUERY: TailQuery = { filter: null, after: null, last: 3, limit: 100, waitMs: 0 };

/** Two workers, asked over JSON. */
function workers() {
  const clock = new ManualClock();
  const recents = ['w1', 'w2'].map((life) => ({
    life,
    recent: new RecentExchanges({ entries: 10, bytes: 1e6 }, clock),
  }));
  const tails = recents.map(({ life, recent }) => new Tail(recent, clock, life));
  const ask = (query: TailQuery): Promise<readonly unknown[]> =>
    Promise.all(tails.map(async (tail) => JSON.parse(JSON.stringify(await tail.tail(query))) as unknown));
  const end = (worker: number, id: string, seconds: number) =>
    recents[worker]?.recent.finished(exchangeRecord({ id, startedAtEpoch: clock.now() + 1000 * seconds }));
  return { ask, end };
}

test('exchanges of several workers are one list in the order of time, and each goes on where it was', async () => {
  const { ask, end } = workers();
  for (const [worker, id, at] of [
    [0, 'a', 1],
    [1, 'b', 2],
    [0, 'c', 3],
    [1, 'd', 4],
  ] as const)
    end(worker, id, at);
  const first = await tailOfAll(QUERY, ask);
  expect(first).toMatchObject({ ok: true, lines: [{ id: 'b' }, { id: 'c' }, { id: 'd' }], missed: 0 });
  const after = first.ok ? first.next : '';
  end(1, 'e', 5);
  expect(await tailOfAll({ ...QUERY, after }, ask)).toMatchObject({ lines: [{ id: 'e' }] });
  const waited = tailOfAll(
    { ...QUERY, after: ((await tailOfAll({ ...QUERY, after }, ask)) as { next: string }).next, waitMs: 5_000 },
    ask,
  );
  end(0, 'f', 6);
  expect(await waited).toMatchObject({ lines: [{ id: 'f' }] });
  expect(await tailOfAll({ ...QUERY, filter: 'x' }, ask)).toMatchObject({ ok: false, reason: 'bad-filter', column: 1 });
});

test('a worker that does not answer for once goes on where it was, and does not tell everything again', async () => {
  const { ask, end } = workers();
  end(0, 'a', 0);
  end(1, 'b', 1);
  let page = await tailOfAll(QUERY, ask);
  const next = async (from: typeof ask) => {
    page = await tailOfAll({ ...QUERY, after: page.ok ? page.next : '' }, from);
    return page.ok ? page.lines.map(({ id }) => id) : [];
  };
  end(0, 'c', 2);
  end(1, 'd', 3);
  expect(await next(async (query) => (await ask(query)).slice(1))).toEqual(['d']);
  expect(await next(async () => [])).toEqual([]);
  expect(await next(ask)).toEqual(['c']);
});

test('and what they come to is put together from all of them', async () => {
  const { ask, end } = workers();
  end(0, 'a', 0);
  end(1, 'b', 0);
  const table = await topOfAll({ filter: null, by: 'route', windowMs: 1e15, limit: 5 }, ask);
  expect(table).toMatchObject({ ok: true, rows: [{ name: 'cart', exchanges: 2 }], more: 0 });
});
