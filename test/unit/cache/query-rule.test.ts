import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyedQuery, parameterNames, type QueryRule } from '../../../src/cache/query-rule.ts';

interface Rule {
  readonly sort?: boolean;
  readonly keep?: readonly string[];
  readonly drop?: readonly string[];
}

function rule({ sort = false, keep, drop }: Rule): QueryRule {
  return {
    kind: 'parameters',
    sort,
    keep: keep === undefined ? null : parameterNames(keep, 'lower'),
    drop: drop === undefined ? null : parameterNames(drop, 'exact'),
  };
}

describe('the part of a query that is in the key', () => {
  test.each<[Rule, string | null, string | null]>([
    [{ sort: true }, null, null],
    [{ sort: true }, '', null],
    [{ sort: true }, '&&', null],
    [{ sort: true }, 'b=2&a=1', 'a=1&b=2'],
    [{ sort: true }, 'b&a=2&b=1&a=1', 'a=2&a=1&b&b=1'],
    [{ sort: true }, 'p%61ge=2&a=0&page=1', 'a=0&p%61ge=2&page=1'],
    [{ sort: true }, 'B=1&a=1', 'B=1&a=1'],
    [{ drop: ['utm_*', 'gclid'] }, 'utm_source=x&b=2&gclid=1&a=1&utm_=', 'b=2&a=1'],
    [{ drop: ['utm_*'] }, 'utm%5Fid=1&%75tm_id=2&utm%5fid=3', null],
    [{ drop: ['utm_*'] }, 'UTM_id=1', 'UTM_id=1'],
    [{ drop: ['gclid'] }, 'gclid2=1&gclid', 'gclid2=1'],
    [{ drop: ['a%5b%5d'] }, 'a%5B%5D=1&a[]=1', 'a[]=1'],
    [{ keep: ['page'] }, 'page=1&x=2&Page=3', 'page=1&Page=3'],
    [{ keep: ['f_*'] }, 'f_a=1&g=2&f_=3', 'f_a=1&f_=3'],
    [{ keep: ['page'] }, 'x=1', null],
    [{ keep: ['page'] }, '=1', null],
  ])('%j of %j: %j', (given, query, expected) => {
    expect(keyedQuery(query, rule(given))).toBe(expected);
  });

  test.each<[string, Rule, string]>([
    ['some split at a semicolon', { drop: ['utm_*'] }, 'page=1&utm_x=2;page=9'],
    ['some split at a semicolon', { keep: ['page'] }, 'x=2;page=9'],
    ['PHP reads page[]=9 as page', { keep: ['page'] }, 'page[]=9'],
    ['PHP reads my.page as my_page', { keep: ['my_page'] }, 'my.page=9'],
    ['PHP drops blanks before a name', { keep: ['page'] }, '+page=9'],
    ['PHP drops blanks before a name', { keep: ['page'] }, '%20page=9'],
    ['others decode the name twice', { drop: ['x*'] }, 'x%2526page=9'],
  ])('stays: %s (%j, %j)', (_why, given, query) => {
    expect(keyedQuery(query, rule(given))).toBe(query);
  });

  test('nothing of it', () => {
    expect(keyedQuery('a=1;b', { kind: 'none' })).toBeNull();
  });
});

describe('any query', () => {
  const name = fc.constantFrom('a', 'b', 'utm_a', 'utm_b', 'ut', '%61', 'c[]', '');
  const parameter = fc.oneof(
    fc.tuple(name, fc.constantFrom('1', '2', '')).map(([key, value]) => `${key}=${value}`),
    name,
  );
  const parameters = fc.array(parameter, { maxLength: 6 });
  const rules: readonly Rule[] = [
    { sort: true },
    { drop: ['utm_*', 'b'] },
    { sort: true, drop: ['utm_*', 'b'] },
    { keep: ['a', 'utm_a*'] },
    { sort: true, keep: ['a', 'utm_a*'] },
  ];
  const anyRule = fc.constantFrom(...rules);

  /** By the words of the documentation, slowly: what counts, name by name, in the order of each name. */
  function meaning(list: readonly string[], { sort = false, keep, drop }: Rule): string {
    const counted = list
      .map((text) => ({ text, name: (text.split('=')[0] ?? '').replaceAll('%61', 'a') }))
      .filter(({ text }) => text !== '')
      .filter(({ name: own }) => {
        if (own === 'c[]') return true;
        const listed = (names: readonly string[]): boolean =>
          names.some((one) => (one.endsWith('*') ? own.startsWith(one.slice(0, -1)) : own === one));
        return keep === undefined ? drop === undefined || !listed(drop) : listed(keep);
      });
    if (!sort) return JSON.stringify(counted.map(({ text }) => text));
    const names = [...new Set(counted.map((one) => one.name))].sort();
    return JSON.stringify(names.map((own) => counted.filter((one) => one.name === own).map(({ text }) => text)));
  }

  test('two have the same part exactly if what counts of them is the same', () => {
    let same = 0;
    fc.assert(
      fc.property(parameters, fc.infiniteStream(fc.nat()), anyRule, (list, picks, given) => {
        // Often a shuffle of the first, with something more: two at random are hardly ever the same.
        const other = [...list].sort(() => (Number(picks.next().value) % 2) - 0.5);
        if (Number(picks.next().value) % 3 === 0) other.push(['utm_a=9', 'b=9', 'a=9'][other.length % 3] as string);
        const equal = meaning(list, given) === meaning(other, given);
        if (equal) same += 1;
        const keys = [list, other].map((each) => keyedQuery(each.join('&'), rule(given)));
        expect(keys[0] === keys[1]).toBe(equal);
      }),
      { seed: 7, numRuns: 3000 },
    );
    expect(same).toBeGreaterThan(500);
  });

  const piece = fc.constantFrom(
    'a',
    'utm_',
    'B',
    '%',
    '%6',
    '%61',
    '%7E',
    '%ff',
    '&',
    '=',
    '?',
    '+',
    '\ud800',
    '\n',
    'ä',
    '.',
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));

  test('is taken, and its part is its own part', () => {
    fc.assert(
      fc.property(text, anyRule, (query, given) => {
        const part = keyedQuery(query, rule(given));
        expect(keyedQuery(part, rule(given))).toBe(part);
      }),
      { seed: 8, numRuns: 3000 },
    );
  });
});
