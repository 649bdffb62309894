import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RouteTable } from '../../../src/routing/route-table.ts';
import { vet } from '../../../src/routing/vet.ts';
import { runs } from '../../kit/whole.ts';
import { holds } from './naive.ts';
import { alikeRules, everyRequest } from './small-world.ts';

// Generous: a busy machine is no reason to fail.
describe('vetting, over generated rules that are much alike', { timeout: 60_000 }, () => {
  test('a route that is refused is chosen by no request on any listener, and one that never matches holds for none', () => {
    const refused = { 'never-matches': 0, hidden: 0 };
    fc.assert(
      fc.property(alikeRules, (rules) => {
        const findings = vet(rules);
        for (const { kind } of findings) refused[kind] += 1;
        for (const { rule, kind } of findings) {
          if (kind === 'never-matches') expect(everyRequest.find((one) => holds(rule.match, one))).toBeUndefined();
        }
        if (findings.some(({ kind }) => kind === 'hidden'))
          expectNeverChosen(rules, new Set(findings.map(({ rule }) => rule)));
      }),
      { numRuns: runs(500) },
    );
    // Otherwise this test would prove nothing.
    expect(refused['never-matches']).toBeGreaterThan(20);
    expect(refused.hidden).toBeGreaterThan(20);
  });
});

function expectNeverChosen(rules: Parameters<typeof vet<number>>[0], refused: ReadonlySet<unknown>): void {
  for (const listener of ['web', 'admin', 'other']) {
    const served = rules.filter(({ listeners }) => listeners === null || listeners.includes(listener));
    const table = RouteTable.of(served);
    for (const one of everyRequest) {
      const chosen = table.match(one)?.rule;
      if (chosen !== undefined && refused.has(chosen)) expect({ chosen, by: one }).toBe('not refused');
    }
  }
}
