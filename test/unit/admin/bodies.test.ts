import { describe, expect, test } from 'vitest';
import { bodyOf } from '../../../src/admin/body.ts';
import { ClientTable } from '../../../src/admin/client-table.ts';
import { operations } from '../../../src/admin/operations/operations.ts';
import { queryOf } from '../../../src/admin/query.ts';
import { isRefusal } from '../../../src/admin/refusal.ts';
import type { Schema } from '../../../src/admin/schema.ts';

/** A value of every kind that JSON has. */
const VALUES: Readonly<Record<string, unknown>> = {
  string: 'text',
  integer: 7,
  number: 1.5,
  boolean: true,
  null: null,
  array: [1],
  object: { a: 1 },
};

const taking = operations.flatMap(({ id, body }) => (body === undefined ? [] : [{ id, body }]));

describe.each(taking)('the body of $id', ({ body }) => {
  const properties = Object.entries(body.properties ?? {});

  test.each(['{', '{"a":}', "{'a':1}", '{"a":1,}', 'undefined', '{} {}'])('that is no JSON is refused: %s', (text) => {
    expect(bodyOf(text, body)).toMatchObject({ status: 400, field: '', message: 'The body is not JSON' });
  });

  test.each(['null', '[]', '1', '"text"', 'true'])('that is no object is refused: %s', (text) => {
    expect(bodyOf(text, body)).toMatchObject({
      status: 400,
      field: '',
      message: expect.stringContaining('The body must be an object'),
    });
  });

  test('is refused for a key that it does not have, with a pointer to it and the nearest', () => {
    for (const key of ['nonsense', '__proto__', 'constructor', 'a/b~c', ...properties.map(([name]) => `${name}s`)]) {
      if (properties.some(([name]) => name === key)) continue;
      const pointer = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      expect(bodyOf(JSON.stringify({ ['x']: 0 }).replace('"x"', JSON.stringify(key)), body)).toMatchObject({
        field: pointer,
      });
    }
    for (const [name] of properties.filter(([{ length }]) => length > 3)) {
      const slip = `${name.slice(0, -1)}q`;
      expect(bodyOf(JSON.stringify({ [slip]: 0 }), body)).toMatchObject({
        message: expect.stringContaining('did you mean'),
      });
    }
  });

  test('is refused for a value of another kind, with a pointer to it', () => {
    for (const [name, schema] of properties) {
      for (const [kind, value] of Object.entries(VALUES)) {
        const refused = bodyOf(JSON.stringify({ [name]: value }), body);
        if (fits(schema, kind))
          expect(isRefusal(refused) && refused.field === `/${name}` && refused.message.includes('must be')).toBe(false);
        else
          expect(refused, `${name}: ${kind}`).toMatchObject({ status: 400, error: 'bad-request', field: `/${name}` });
      }
    }
  });

  test('is refused without what it needs', () => {
    for (const name of body.required ?? []) {
      expect(bodyOf('{}', body)).toMatchObject({ field: '', message: expect.stringContaining(`“${name}” is missing`) });
      expect(bodyOf('', body)).toMatchObject({ status: 400 });
    }
  });
});

function fits({ type = [] }: Schema, kind: string): boolean {
  const types = [type].flat();
  return types.length === 0 || types.includes(kind) || (kind === 'integer' && types.includes('number'));
}

test('what is wrong deep inside is pointed at, escaped as RFC 6901 says', () => {
  const body: Schema = {
    type: 'object',
    properties: { 'a/b': { type: 'array', items: { type: 'object', properties: { 'c~d': { type: 'boolean' } } } } },
  };
  expect(bodyOf('{"a/b":[{},{"c~d":1}]}', body)).toMatchObject({ field: '/a~1b/1/c~0d' });
});

test('a query is taken as it is known, once each, and nothing else', () => {
  const known: Readonly<Record<string, Schema>> = {
    limit: { type: 'integer', minimum: 1, maximum: 10 },
    kind: { type: 'string', enum: ['a', 'b'] },
  };
  expect(queryOf('limit=3&kind=a', known)).toEqual({ query: { limit: '3', kind: 'a' } });
  expect(queryOf('limt=3', known)).toMatchObject({
    parameter: 'limt',
    message: expect.stringContaining('did you mean “limit”?'),
  });
  for (const wrong of ['limit=0', 'limit=11', 'limit=1.5', 'limit=', 'limit=1&limit=2']) {
    expect(queryOf(wrong, known), wrong).toMatchObject({ status: 400, parameter: 'limit' });
  }
  expect(queryOf('kind=c', known)).toMatchObject({ parameter: 'kind' });
  expect(queryOf('__proto__=1', known)).toMatchObject({ parameter: '__proto__' });
});

test('clients are remembered by address, all of a /64 as one, and so many of them', () => {
  const table = new ClientTable<number>();
  table.set('2001:db8:1:2::1', 1);
  for (const same of ['2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2:ffff::'])
    expect(table.get(same)).toBe(1);
  for (const other of ['2001:db8:1:3::1', '2001:db8::1', '192.0.2.1']) expect(table.get(other)).toBeUndefined();
  table.set('2001:db8::1', 2);
  expect(table.get('2001:db8:0:0:9::9')).toBe(2);
  table.set('192.0.2.1', 3);
  for (let i = 0; i < 5_000; i += 1) {
    table.set(`10.0.${i >> 8}.${i & 255}`, i);
    // Who is still heard of stays.
    table.get('192.0.2.1');
  }
  expect([table.size, table.get('192.0.2.1'), table.get('2001:db8::1')]).toEqual([4096, 3, undefined]);
});
