import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RouteTable } from '../../../src/routing/route-table.ts';
import { trace } from '../../../src/routing/trace.ts';
import { runs } from '../../kit/whole.ts';
import { routeRequest, ruleSet } from './arbitraries.ts';
import { holds, naiveMatch } from './naive.ts';

const requests = fc.array(routeRequest, { minLength: 1, maxLength: 12 });

// Generous: a busy machine is no reason to fail.
describe('matching, over generated rules and requests', { timeout: 60_000 }, () => {
  test('the table chooses what asking every rule and sorting chooses', () => {
    fc.assert(
      fc.property(ruleSet, requests, (rules, asked) => {
        const table = RouteTable.of(rules);
        for (const one of asked) expect(table.match(one)?.rule.name).toBe(naiveMatch(rules, one)?.name);
      }),
      { numRuns: runs(1500) },
    );
  });

  test('an explanation names the same winner, and a miss for each rule that does not hold', () => {
    fc.assert(
      fc.property(ruleSet, requests, (rules, asked) => {
        const table = RouteTable.of(rules);
        for (const one of asked) {
          const lines = trace(table, one);
          expect(lines).toHaveLength(rules.length);
          expect(lines.find((line) => line.outcome === 'won')?.rule).toBe(table.match(one)?.rule);
          for (const line of lines) expect(line.misses.length === 0).toBe(holds(line.rule.match, one));
        }
      }),
      { numRuns: runs(500) },
    );
  });
});
