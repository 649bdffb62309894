import { describe, expect, test } from 'vitest';
import { Refreshes } from '../../../src/cache/refreshes.ts';
import { entryOf, get, ok, SECOND } from './origin.ts';

const entry = () => entryOf(ok(['Cache-Control', 'max-age=60']), { request: get() });
const failed = (nowMs: number) => ({ route: 'all', result: 'failed', nowMs }) as const;

describe('refreshes in the background', () => {
  test('no more than so many at once', () => {
    const refreshes = new Refreshes(2);
    const [one, two, three] = [entry(), entry(), entry()];
    refreshes.begin(one, () => {});
    expect(refreshes.obstacle(two, 0)).toBeNull();
    refreshes.begin(two, () => {});
    expect([refreshes.underWay, refreshes.obstacle(three, 0), refreshes.isUnderWay(one)]).toEqual([2, 'bound', true]);
    refreshes.end(one, { route: 'all', result: 'confirmed', nowMs: 0 });
    expect([refreshes.underWay, refreshes.obstacle(three, 0), refreshes.isUnderWay(one)]).toEqual([1, null, false]);
  });

  test('one that fails pauses: a second, then twice as long each time, a minute at most', () => {
    const refreshes = new Refreshes(2);
    const one = entry();
    let nowMs = 0;
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
      refreshes.begin(one, () => {});
      refreshes.end(one, failed(nowMs));
      expect(refreshes.obstacle(one, nowMs + seconds * SECOND - 1)).toBe('pause');
      expect(refreshes.obstacle(entry(), nowMs)).toBeNull();
      nowMs += seconds * SECOND;
      expect(refreshes.obstacle(one, nowMs)).toBeNull();
    }
  });

  test('one that changed nothing pauses too, others don’t', () => {
    const refreshes = new Refreshes(1);
    const [kept, confirmed] = [entry(), entry()];
    refreshes.end(kept, { route: 'all', result: 'kept', nowMs: 0 });
    refreshes.end(confirmed, { route: 'all', result: 'confirmed', nowMs: 0 });
    expect([refreshes.obstacle(kept, 0), refreshes.obstacle(confirmed, 0)]).toEqual(['pause', null]);
  });

  test('are cut off in the end, and none begins any more', () => {
    const refreshes = new Refreshes(2);
    const [one, two] = [entry(), entry()];
    const cut: string[] = [];
    for (const each of [one, two]) {
      refreshes.begin(each, () => {
        cut.push('cut');
        refreshes.end(each, failed(0));
      });
    }
    refreshes.close();
    expect([cut.length, refreshes.underWay, refreshes.obstacle(entry(), 0)]).toEqual([2, 0, 'closing']);
  });

  test('are counted for each route', () => {
    const refreshes = new Refreshes(1);
    refreshes.end(entry(), failed(0));
    refreshes.skip('all', 'bound');
    refreshes.skip('other', 'pause');
    expect([...refreshes.figures()]).toMatchObject([
      { route: 'all', ended: { failed: 1, confirmed: 0 }, skipped: { bound: 1 } },
      { route: 'other', ended: { failed: 0 }, skipped: { pause: 1, bound: 0 } },
    ]);
  });
});
