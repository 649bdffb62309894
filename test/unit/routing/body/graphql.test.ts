import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { operationIn } from '../../../../src/routing/body/graphql.ts';

function said(text: string, name: string | null = null): string | null {
  const operation = operationIn(text, name);
  return operation === null
    ? null
    : `${operation.type} ${operation.name ?? '-'}: ${[...operation.fields].sort().join(' ')}`;
}

describe('the operation of a GraphQL document', () => {
  test.each([
    ['{ a b }', 'query -: a b'],
    ['query { a }', 'query -: a'],
    ['mutation Create { createOrder(sku: "x") { id } }', 'mutation Create: createOrder'],
    ['subscription S { ticks }', 'subscription S: ticks'],
    ['query Q($a: [Int!]! = [1, 2], $b: In = {x: "}"}) @live(if: true) { a(b: $b) { c } }', 'query Q: a'],
    ['{ alias: real other:real2 }', 'query -: real real2'],
    ['{ a { b { c } } d }', 'query -: a d'],
    ['{ a @include(if: $x) { b } c @skip(if: {y: 1}) }', 'query -: a c'],
    ['{ ... { a } ... on Q { b { c } } ... @include(if: true) { d } ... on Q @x { e } }', 'query -: a b d e'],
    ['{ ...F a } fragment F on Q { b ...G } fragment G on Q { ...F c { d } }', 'query -: a b c'],
    ['{ ...Unknown a }', 'query -: a'],
    ['{ a # } mutation M { x }\n b }', 'query -: a b'],
    ['{ a(x: "} mutation M { y }", y: "\\"}") b }', 'query -: a b'],
    ['{ a(x: """ } " \\""" { """) b }', 'query -: a b'],
    ['\uFEFF,,,query,,Q,{a,b}', 'query Q: a b'],
    ['{ query mutation on fragment: x }', 'query -: mutation on query x'],
    ['"""About it""" query Q { a }', 'query Q: a'],
    ['{ __typename }', 'query -: __typename'],
    ['{ a(f: 1.5e-3, l: [[1],[2]], e: RED, n: null) }', 'query -: a'],
  ])('%j', (text, expected) => {
    expect(said(text)).toBe(expected);
  });

  test('of several the one that is named counts', () => {
    const text = 'query A { a } mutation B { b } fragment F on Q { f }';
    expect(said(text, 'A')).toBe('query A: a');
    expect(said(text, 'B')).toBe('mutation B: b');
    expect(said(text, 'F')).toBeNull();
    expect(said(text, 'C')).toBeNull();
    expect(said(text)).toBeNull();
    expect(said('{ a }', 'A')).toBeNull();
  });

  test.each([
    '',
    '   # nothing',
    'fragment F on Q { a }',
    'type Q { a: Int }',
    '{',
    '{ a',
    '{ a }}',
    '{ a { }',
    '{ a( }',
    '{ "a" }',
    '{ { a } }',
    '{ ...F { a } }',
    '{ a: }',
    '{ a @ }',
    '{ ... }',
    '{ a; b }',
    'query Q',
    'query Q { a("x\n") }',
    '{ a("""x) }',
    '{"query":"{ a }"}',
    'mutation \u0000 { a }',
  ])('%j is none', (text) => {
    expect(said(text)).toBeNull();
  });

  test('depth and repetition cost no more than their length', () => {
    const deep = `{ ${'a { '.repeat(30_000)}x${' }'.repeat(30_000)} b }`;
    expect(said(deep)).toBe('query -: a b');
    expect(said(`{ ${'... { '.repeat(30_000)}x${' }'.repeat(30_000)} }`)).toBe('query -: x');
    const circle = Array.from(
      { length: 2_000 },
      (_, i) => `fragment F${i} on Q { ...F${(i + 1) % 2_000} ...F0 a${i % 3} }`,
    );
    expect(said(`{ ...F0 } ${circle.join(' ')}`)).toBe('query -: a0 a1 a2');
  });

  test('never throws, whatever the text', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '(',
      ')',
      '@',
      ':',
      '...',
      'on',
      'query',
      'mutation',
      'fragment',
      'a',
      '"',
      '"""',
      '\\',
      '#',
      '\n',
      ' ',
      '$',
      '1',
      '!',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
          fc.string(),
        ),
        (text) => {
          const operation = operationIn(text, null);
          expect(operation === null || operation.type !== null).toBe(true);
        },
      ),
      { seed: 20_261_121, numRuns: 1_000 },
    );
  });
});
