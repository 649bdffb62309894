import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FieldPlace } from '../../../src/policy/field.ts';
import { compileHeaderEdits, type HeaderEditsConfig } from '../../../src/policy/header-edits.ts';
import { asQuery, problemsOf, variables, working } from './exchange-facts.ts';

function edited(
  config: HeaderEditsConfig,
  headers: readonly string[],
  facts = variables(),
  place: FieldPlace = 'request',
): readonly string[] {
  const draft = [...headers];
  const captures = facts.captures.filter((_, index) => index % 2 === 0);
  working(compileHeaderEdits(config, captures, place))?.(draft, facts);
  return draft;
}

test('no edits are no function', () => {
  expect(working(compileHeaderEdits({}, [], 'request'))).toBeNull();
  expect(working(compileHeaderEdits({ set: {}, add: {}, remove: [] }, [], 'response'))).toBeNull();
});

describe('set', () => {
  test('replaces every line by one, in the place of the first', () => {
    expect(edited({ set: { 'X-A': 'new' } }, ['x-a', '1', 'B', '2', 'X-A', '3'])).toEqual(['X-A', 'new', 'B', '2']);
  });

  test('adds a line where there is none', () => {
    expect(edited({ set: { 'X-Id': '{request.id}' } }, ['B', '2'])).toEqual(['B', '2', 'X-Id', 'id-1']);
  });

  test('removes what a client sent when its variables are empty', () => {
    expect(edited({ set: { 'X-User': '{cookie.user}' } }, ['X-User', 'admin'])).toEqual([]);
  });

  test('sends an empty value that was written as such', () => {
    expect(edited({ set: { 'X-User': '' } }, ['X-User', 'admin'])).toEqual(['X-User', '']);
  });
});

describe('add', () => {
  test('leaves what is there', () => {
    expect(edited({ add: { 'X-A': 'new' } }, ['X-A', '1'])).toEqual(['X-A', '1', 'X-A', 'new']);
  });

  test('adds nothing when its variables are empty', () => {
    expect(edited({ add: { 'X-A': '{pool}' } }, ['B', '2'])).toEqual(['B', '2']);
  });
});

test('remove takes every line, whatever its case', () => {
  expect(edited({ remove: ['X-A', 'none'] }, ['x-a', '1', 'B', '2', 'X-A', '3'])).toEqual(['B', '2']);
});

test('the order is remove, set, add', () => {
  const config = { add: { 'X-A': 'added' }, set: { 'X-A': 'set' }, remove: ['X-A'] };
  expect(edited(config, ['X-A', 'old', 'B', '2'])).toEqual(['B', '2', 'X-A', 'set', 'X-A', 'added']);
});

test('captures and variables are inserted', () => {
  const facts = variables({ captures: ['id', '7'], pool: 'users' });
  expect(edited({ set: { 'X-Where': '{id}@{pool}' } }, [], facts)).toEqual(['X-Where', '7@users']);
});

describe('fields that are not for editing', () => {
  const framing = [
    'Connection',
    'Content-Length',
    'Transfer-Encoding',
    'Keep-Alive',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Upgrade',
    'HTTP2-Settings',
    'Expect',
    'Via',
  ];

  test.each(framing.flatMap((name) => [[name, 'request'] as const, [name.toLowerCase(), 'response'] as const]))(
    '%s of a %s is refused in set, add and remove (RFC 9110 §7.6.1)',
    (name, place) => {
      expect(problemsOf(compileHeaderEdits({ set: { [name]: 'x' } }, [], place))).toHaveLength(1);
      expect(problemsOf(compileHeaderEdits({ add: { [name]: 'x' } }, [], place))).toHaveLength(1);
      expect(problemsOf(compileHeaderEdits({ remove: [name] }, [], place))).toHaveLength(1);
    },
  );

  test('Host of a request is refused with the way to choose it', () => {
    expect(problemsOf(compileHeaderEdits({ set: { Host: 'x' } }, [], 'request'))).toEqual([
      'set.Host: Host is chosen by the pool: give host: preserve, endpoint, or a name there',
    ]);
  });

  test.each([
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Proto',
    'X-Forwarded-Host',
    'X-Forwarded-Port',
    'X-Request-Id',
  ])('%s of a request is refused, since the edit would have no effect', (name) => {
    expect(problemsOf(compileHeaderEdits({ set: { [name]: 'x' } }, [], 'request'))).toEqual([
      `set.${name}: Headgate writes ${name} itself, after the edits`,
    ]);
    expect(problemsOf(compileHeaderEdits({ set: { [name]: 'x' } }, [], 'response'))).toEqual([]);
  });

  test('every problem is reported, each with its place', () => {
    const config = { set: { TE: 'x', 'X-A': '{hots}' }, add: { 'X-B': '{' }, remove: ['X-*', 'Connection'] };
    expect(problemsOf(compileHeaderEdits(config, [], 'request')).map((line) => line.split(':')[0])).toEqual([
      'remove.0',
      'remove.1',
      'set.TE',
      'set.X-A',
      'add.X-B',
    ]);
  });

  test('one name in two cases is set twice', () => {
    expect(problemsOf(compileHeaderEdits({ set: { 'X-A': '1', 'x-a': '2' } }, [], 'request'))).toEqual([
      'set.x-a: x-a is set twice: names are the same in any case',
    ]);
  });
});

describe('Location of a response', () => {
  test('is a URL: a client can not choose where it leads', () => {
    const facts = variables({ path: '//evil.test' });
    expect(edited({ set: { Location: '{path}' } }, [], facts, 'response')).toEqual(['Location', '/evil.test']);
    expect(problemsOf(compileHeaderEdits({ set: { location: '{query.to}' } }, [], 'response'))).toEqual([
      expect.stringMatching(/would let a client choose/),
    ]);
  });
});

test('Content-Type of a response takes no variables', () => {
  expect(problemsOf(compileHeaderEdits({ set: { 'Content-Type': '{query.as}' } }, [], 'response'))).toEqual([
    'set.Content-Type: Content-Type takes no variables: a client could turn text into a page with a script',
  ]);
  expect(problemsOf(compileHeaderEdits({ set: { 'Content-Type': 'text/plain' } }, [], 'response'))).toEqual([]);
});

test('whatever a client sends, an edit writes exactly the lines that were configured', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (value, header) => {
      const facts = variables({
        query: asQuery('q', value.toWellFormed()),
        request: { headers: ['X-In', header] },
        captures: ['id', value],
      });
      const draft = edited({ set: { 'X-A': 'a{query.q}' }, add: { 'X-B': 'b{header.x-in}{id}' } }, ['C', '3'], facts);
      expect(draft.filter((_, index) => index % 2 === 0)).toEqual(['C', 'X-A', 'X-B']);
      expect(draft.join('')).not.toMatch(/[\r\n\0]/);
    }),
  );
});
