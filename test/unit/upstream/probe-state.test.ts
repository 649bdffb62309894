import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProbeState, type ProbeThresholds } from '../../../src/upstream/health/probe-state.ts';
import { connectionKey, probeId } from '../../../src/upstream/identity.ts';
import { Revision } from '../../../src/upstream/revision.ts';
import { outcome, probeIdentity } from './endpoints.ts';

function stateOf(thresholds: ProbeThresholds): ProbeState {
  const identity = { ...probeIdentity, ...thresholds };
  return new ProbeState(
    probeId(connectionKey('http://a.test', { tls: null, proxyProtocol: null }), identity),
    thresholds,
    { revision: new Revision(), nowMs: 1_000 },
  );
}

/** Feeds results, `+` for a success and `-` for a failure; tells the state after each as `u` or `d`. */
function run(state: ProbeState, results: string): string {
  return [...results]
    .map((result, index) => {
      state.record(outcome(result === '+'), 2_000 + index);
      return state.up ? 'u' : 'd';
    })
    .join('');
}

describe('active health', () => {
  test.each([
    ['starts up and stays up on successes', { rise: 2, fall: 3, start: 'up' }, '+++', 'uuu'],
    ['starts up and goes down at the third failure in a row', { rise: 2, fall: 3, start: 'up' }, '---', 'uud'],
    [
      'a success in between starts the count of failures anew',
      { rise: 2, fall: 3, start: 'up' },
      '--+--+---',
      'uuuuuuuud',
    ],
    ['starts down and comes up at the second success in a row', { rise: 2, fall: 3, start: 'down' }, '+-++', 'dddu'],
    ['comes back after rise successes', { rise: 2, fall: 1, start: 'up' }, '-++-+-++', 'dduddddu'],
    ['with thresholds of 1 follows every result', { rise: 1, fall: 1, start: 'down' }, '+-+--+', 'ududdu'],
  ] as const)('%s', (_, thresholds, results, states) => {
    expect(run(stateOf(thresholds), results)).toBe(states);
  });

  test('tells a change once, with its time and the result that decided it', () => {
    const state = stateOf({ rise: 1, fall: 2, start: 'up' });
    expect([state.sinceMs, state.last, state.run]).toEqual([1_000, null, 0]);
    expect(state.record(outcome(false), 2_000)).toBe(false);
    expect([state.sinceMs, state.run]).toEqual([1_000, 1]);
    expect(state.record(outcome(false), 3_000)).toBe(true);
    expect([state.sinceMs, state.run, state.last]).toEqual([3_000, 0, outcome(false)]);
    expect(state.record(outcome(false), 4_000)).toBe(false);
    expect(state.sinceMs).toBe(3_000);
  });

  test('changes exactly when the last rise or fall results all speak against the state', () => {
    const threshold = fc.integer({ min: 1, max: 4 });
    const thresholds = fc.record({
      rise: threshold,
      fall: threshold,
      start: fc.constantFrom('up' as const, 'down' as const),
    });
    fc.assert(
      fc.property(thresholds, fc.array(fc.boolean(), { maxLength: 40 }), (options, results) => {
        const state = stateOf(options);
        let since = 0;
        for (const [index, healthy] of results.entries()) {
          const wasUp = state.up;
          const changed = state.record(outcome(healthy), 0);
          const needed = wasUp ? options.fall : options.rise;
          const contrary = results.slice(Math.max(since, index + 1 - needed), index + 1);
          expect(changed).toBe(contrary.length === needed && contrary.every((result) => result !== wasUp));
          expect(state.up).toBe(changed ? !wasUp : wasUp);
          if (changed) since = index + 1;
        }
      }),
    );
  });
});
