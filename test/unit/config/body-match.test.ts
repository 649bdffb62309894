import { describe, expect, test } from 'vitest';
import { configFromObject } from '../../../src/config/load.ts';

function bodyOf(body: unknown): unknown {
  const loaded = configFromObject({ routes: [{ match: { body }, respond: { status: 204 } }] } as never);
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ message }) => message).join('\n'));
  return loaded.config.routes[0]?.match?.body;
}

const branches = { whenTooLarge: 'no-match', whenMalformed: 'no-match' };

describe('match.body', () => {
  test('takes numbers and words without quotes for what they say', () => {
    const json = { '/n': 7, '/t': true, '/s': 'x', '/p': { present: true } };
    expect(bodyOf({ json })).toEqual({
      ...branches,
      json: {
        '/n': { kind: 'exact', value: '7' },
        '/t': { kind: 'exact', value: 'true' },
        '/s': { kind: 'exact', value: 'x' },
        '/p': { kind: 'present' },
      },
    });
  });

  test('takes one kind of operation or several', () => {
    expect(bodyOf({ graphql: { operation: 'query' } })).toEqual({
      ...branches,
      graphql: { operation: ['query'], batch: 'all' },
    });
  });

  test.each([
    [{}, /say what it must say/],
    [{ whenTooLarge: 'match' }, /say what it must say/],
    [{ json: {} }, /say what must be true/],
    [{ graphql: { batch: 'any' } }, /say what must be true/],
    [{ soap: {} }, /say what must be true/],
    [{ xml: {} }, /say what must be true/],
    [{ jsonRpc: {} }, /method/],
    [{ json: { '/a': 1 }, whenTooLarge: 'maybe' }, /whenTooLarge/],
  ])('%j is refused', (body, message) => {
    expect(() => bodyOf(body)).toThrow(message);
  });
});

test('bodyMatching has bounds of its own', () => {
  const messages = (bodyMatching: object): readonly string[] => {
    const loaded = configFromObject({ bodyMatching } as never);
    return loaded.ok ? [] : loaded.diagnostics.map((told) => JSON.stringify(told));
  };
  expect(messages({ limit: '2M' })).toEqual([expect.stringMatching(/1 to 1M/)]);
  expect(messages({ limit: '64k', memory: '32k' })).toEqual([expect.stringMatching(/room for one body/)]);
  expect(messages({ limit: '1M', memory: '1M', timeout: 0 })).toEqual([]);
});
