import { describe, expect, test } from 'vitest';
import { changeTable, compareStages, stageTable } from '../../../bench/stages/report.ts';
import { measureStages, type StageTime, summary } from '../../../bench/stages/rounds.ts';

function timeOf(name: string, leastNs: number, spread = 0): StageTime {
  return { name, leastNs, medianNs: leastNs, spread };
}

describe('times of stages', () => {
  test('are the least of the rounds, their median, and how far the middle half of them is apart', () => {
    expect(summary([30, 10, 20, 50, 40])).toEqual({ leastNs: 10, medianNs: 30, spread: 20 / 30 });
    expect(summary([7])).toEqual({ leastNs: 7, medianNs: 7, spread: 0 });
  });

  test('are measured of all stages in turn, each prepared before it runs', async () => {
    const log: string[] = [];
    const stages = ['a', 'b'].map((name) => ({
      name,
      prepare: () => log.push(`prepare ${name}`),
      run: () => log.push(`run ${name}`),
    }));
    const times = await measureStages(stages, { rounds: 2, sliceMs: 0, warmUpMs: 0 });
    expect(times.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(log).toEqual([1, 2, 3].flatMap(() => ['prepare a', 'run a', 'prepare b', 'run b']));
  });
});

describe('a run beside an earlier one', () => {
  test('says which stage is slower and which is faster', () => {
    const changes = compareStages(
      [timeOf('scan', 100), timeOf('match', 100)],
      [timeOf('scan', 120), timeOf('match', 80)],
    );
    expect(changes.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['scan', 'slower'],
      ['match', 'faster'],
    ]);
    expect(changes[0]?.change).toBeCloseTo(0.2);
    expect(changeTable(changes)).toContain('| match | 100 | 80.0 | −20.0 % | faster |');
  });

  test('takes a change within a twentieth, or within the spread of either run, for none', () => {
    const before = [timeOf('scan', 100), timeOf('match', 100, 0.3), timeOf('log', 100)];
    const now = [timeOf('scan', 104), timeOf('match', 125), timeOf('log', 125, 0.3)];
    expect(compareStages(before, now).map(({ verdict }) => verdict)).toEqual(['same', 'same', 'same']);
  });

  test('names stages that only one of them has', () => {
    const changes = compareStages([timeOf('log', 100)], [timeOf('scan', 50)]);
    expect(changes).toEqual([
      { name: 'scan', beforeNs: null, nowNs: 50, change: null, verdict: 'new' },
      { name: 'log', beforeNs: 100, nowNs: null, change: null, verdict: 'gone' },
    ]);
    expect(changeTable(changes)).toContain('| log | 100 |  |  | gone |');
  });

  test('is printed with a line for each stage', () => {
    expect(stageTable([{ name: 'scan', leastNs: 12.34, medianNs: 123.4, spread: 0.12 }])).toContain(
      '| scan | 12.3 | 123 | 12 % |',
    );
  });
});
