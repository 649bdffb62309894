import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileQueryEdits, type QueryEditsConfig } from '../../../src/policy/query-edits.ts';
import { asQuery, problemsOf, variables, working } from './exchange-facts.ts';

function edited(config: QueryEditsConfig, query: string | null, facts = variables({ query })): string | null {
  const edit = working(compileQueryEdits(config, []));
  if (edit === null) throw new Error('no edits');
  return edit(query, facts);
}

test('no edits are no function', () => {
  expect(working(compileQueryEdits({}, []))).toBeNull();
});

describe('remove', () => {
  test.each([
    ['a=1&x=2&b=3', 'a=1&b=3'],
    ['x=1&a=1&x=2&x', 'a=1'],
    ['%78=1&b', 'b'],
    ['b&x=1', 'b'],
    ['x', null],
    ['x=1&x=2', null],
    ['xx=1&ax=2&a=x', 'xx=1&ax=2&a=x'],
    ['a&&x&&b=%zz&c=+%7e', 'a&&&b=%zz&c=+%7e'],
    ['', ''],
    [null, null],
  ])('x from %j leaves %j', (query, left) => {
    expect(edited({ remove: ['x'] }, query)).toBe(left);
  });

  test('compares decoded names', () => {
    expect(edited({ remove: ['user id', 'größe'] }, 'user+id=1&user%20id=2&gr%C3%B6%C3%9Fe=3&userid=4')).toBe(
      'userid=4',
    );
  });
});

describe('set', () => {
  test.each([
    ['a=1&x=2&b=3', 'a=1&x=new&b=3'],
    ['x=1&a=1&x=2&x', 'x=new&a=1'],
    ['a=1', 'a=1&x=new'],
    ['', 'x=new'],
    [null, 'x=new'],
  ])('x in %j makes %j', (query, after) => {
    expect(edited({ set: { x: 'new' } }, query)).toBe(after);
  });

  test('removes the parameter when its variables are empty', () => {
    expect(edited({ set: { x: '{cookie.none}' } }, 'a=1&x=2')).toBe('a=1');
    expect(edited({ set: { x: '' } }, 'a=1&x=2')).toBe('a=1&x=');
  });
});

test('add appends, and leaves what is there', () => {
  expect(edited({ add: { x: '{method}', ü: 'ö' } }, 'x=1')).toBe('x=1&x=GET&%C3%BC=%C3%B6');
  expect(edited({ add: { x: '{cookie.none}' } }, null)).toBeNull();
});

test('the order is remove, set, add', () => {
  expect(edited({ add: { x: '3' }, set: { x: '2' }, remove: ['x'] }, 'x=1&a')).toBe('a&x=2&x=3');
});

test('values are encoded, so that one value stays one value', () => {
  expect(edited({ set: { next: '{uri}', lang: 'de & en' } }, 'a=1')).toBe(
    'a=1&next=%2Fa%2Fb%3Fa%3D1&lang=de%20%26%20en',
  );
});

test('problems have their places', () => {
  const config = { set: { '': 'x', a: '{hots}' }, add: { b: '{' }, remove: [''] };
  expect(problemsOf(compileQueryEdits(config, [])).map((line) => line.split(':')[0])).toEqual([
    'remove.0',
    'set.',
    'set.a',
    'add.b',
  ]);
});

const name = fc.constantFrom('a', 'b', 'x', 'x%20', '%78', 'y+', '');
const parameter = fc
  .tuple(name, fc.option(fc.string({ unit: fc.constantFrom('x', '=', '%', '+', ';', '/', '?'), maxLength: 5 })))
  .map(([key, value]) => (value === null ? key : `${key}=${value}`));
const anyQuery = fc.array(parameter, { maxLength: 8 }).map((list) => list.join('&'));

test('parameters that no edit names keep their bytes and their order', () => {
  fc.assert(
    fc.property(anyQuery, (query) => {
      const isX = (text: string): boolean => ['x', '%78'].includes(text.split('=')[0] as string);
      const rest = query.split('&').filter((text) => !isX(text));
      expect((edited({ remove: ['x'] }, query) ?? '').split('&')).toEqual(rest.length === 0 ? [''] : rest);
      const after = (edited({ set: { x: 'new' } }, query) ?? '').split('&');
      expect(after.filter((text) => !isX(text))).toEqual(query === '' ? [] : rest);
      expect(after.filter(isX)).toEqual(['x=new']);
    }),
  );
});

test('whatever a client sends arrives as one decoded value', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const value = text.toWellFormed();
      const after = edited({ set: { to: 'a{query.q}' } }, asQuery('q', value)) ?? '';
      expect([...new URLSearchParams(after)].filter(([key]) => key !== 'q')).toEqual([['to', `a${value}`]]);
    }),
  );
});
