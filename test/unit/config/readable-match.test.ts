import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readableMatch } from '../../../src/config/readable-match.ts';
import type { Path } from '../../../src/config/source-tree.ts';
import type { RouteMatch } from '../../../src/routing/route.ts';
import { routeRequest, ruleSet } from '../routing/arbitraries.ts';
import { holds } from '../routing/naive.ts';

const cases: readonly (readonly [what: string, match: object, broken: readonly Path[], rest: object | null])[] = [
  ['nothing', { path: '/a' }, [], { path: '/a' }],
  ['a condition', { path: '/a', method: 'GET' }, [['method']], { path: '/a' }],
  ['one test of several', { headers: { a: 1, b: 2 } }, [['headers', 'a', 'regx']], { headers: { b: 2 } }],
  ['the only test', { path: '/a', headers: { a: 1 } }, [['headers', 'a']], { path: '/a' }],
  [
    'what a body must say',
    { path: '/a', body: { json: { a: 1 }, form: { b: 2 } } },
    [['body', 'json', 'a']],
    { path: '/a' },
  ],
  ['one host of several', { host: ['a b', 'c'] }, [['host', 0]], { host: ['c'] }],
  [
    'one host twice',
    { host: ['a b', 'c'] },
    [
      ['host', 0],
      ['host', 0, 'x'],
    ],
    { host: ['c'] },
  ],
  [
    'several hosts',
    { host: ['a b', 'c', 'd e'] },
    [
      ['host', 0],
      ['host', 2],
    ],
    { host: ['c'] },
  ],
  ['every host', { host: ['a b'], path: '/a' }, [['host', 0]], null],
  ['the path', { host: 'a', path: 1 }, [['path']], null],
  [
    'a part of all',
    { path: '/a', all: [{ sni: 1 }, { sni: 'b' }] },
    [['all', 0, 'sni']],
    { path: '/a', all: [{ sni: 'b' }] },
  ],
  ['a part of any', { path: '/a', any: [{ sni: 1 }, { sni: 'b' }] }, [['any', 0, 'sni']], { path: '/a' }],
  [
    'the only path, which is in a part of all',
    { method: 'GET', all: [{ path: '/a', sni: 1 }] },
    [['all', 0, 'sni']],
    null,
  ],
  ['everything', { method: 1 }, [['method']], null],
  ['the match', [1], [[]], null],
  ['a key that was meant to be the path', { pth: '/a', host: 'a' }, [['pth']], null],
  ['a key that was meant to be a condition', { path: '/a', metod: 'GET' }, [['metod']], { path: '/a' }],
  ['a key that may have been the host', { path: '/a', domain: 'a' }, [['domain']], null],
  ['a key that can be neither', { path: '/a', host: 'a', domain: 'a' }, [['domain']], { path: '/a', host: 'a' }],
];

describe('what is left of a match when something in it is broken', () => {
  test.each(cases)('%s', (_, match, broken, rest) => {
    expect(readableMatch(match, broken)).toEqual(rest);
  });

  test('holds for whatever the whole would have held for, and often for more', () => {
    let more = 0;
    const cut = fc.record({ rules: ruleSet, requests: fc.array(routeRequest, { minLength: 8 }), where: fc.nat(100) });
    fc.assert(
      fc.property(cut, ({ rules, requests, where }) => {
        for (const { match } of rules) {
          const places = pathsIn(match).filter(([key]) => key !== 'host' && key !== 'path');
          const rest = places.length === 0 ? null : readableMatch(match, [places[where % places.length] as Path]);
          if (rest === null) continue;
          for (const one of requests) {
            const isWider = holds(rest as RouteMatch, one);
            if (holds(match, one)) expect(isWider).toBe(true);
            else if (isWider) more += 1;
          }
        }
      }),
      { seed: 6, numRuns: 80 },
    );
    expect(more).toBeGreaterThan(20);
  });
});

/** Every place in it, as deep as it goes. */
function pathsIn(value: unknown): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  const steps = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  const at = value as Record<string | number, unknown>;
  return steps.flatMap((step) =>
    at[step] === undefined ? [] : [[step], ...pathsIn(at[step]).map((path) => [step, ...path])],
  );
}
