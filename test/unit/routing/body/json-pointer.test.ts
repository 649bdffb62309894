import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lookUp, parsePointer } from '../../../../src/routing/body/json-pointer.ts';

function textAt(text: string, pointer: string): string | null | undefined {
  const steps = parsePointer(pointer);
  if ('message' in steps) throw new Error(steps.message);
  return lookUp({ text, value: JSON.parse(text) as unknown }, steps)?.text;
}

describe('JSON pointers (RFC 6901)', () => {
  const document = '{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\\\j":5,"k\\"l":6," ":7,"m~n":8}';

  // §5
  test.each([
    ['/foo/0', 'bar'],
    ['/', '0'],
    ['/a~1b', '1'],
    ['/c%d', '2'],
    ['/e^f', '3'],
    ['/g|h', '4'],
    ['/i\\j', '5'],
    ['/k"l', '6'],
    ['/ ', '7'],
    ['/m~0n', '8'],
  ])('%j leads to %j', (pointer, text) => {
    expect(textAt(document, pointer)).toBe(text);
  });

  test.each(['', '/foo'])('%j leads to something without a text', (pointer) => {
    expect(textAt(document, pointer)).toBeNull();
  });

  test.each([
    '/bar',
    '/foo/2',
    '/foo/-',
    '/foo/00',
    '/foo/length',
    '/foo/0/0',
    '/__proto__',
    '/constructor',
    '/foo/-1',
  ])('%j leads nowhere', (pointer) => {
    expect(textAt(document, pointer)).toBeUndefined();
  });

  test.each(['foo', '/a~', '/~2'])('%j is no pointer', (pointer) => {
    expect(parsePointer(pointer)).toHaveProperty('message');
  });

  test.each([
    ['12345678901234567890', '12345678901234567890'],
    ['1.0', '1.0'],
    ['-0', '-0'],
    ['1E400', '1E400'],
    ['true', 'true'],
    ['false', 'false'],
    ['null', 'null'],
    ['"\\u0061\\n"', 'a\n'],
  ])('%s is compared as %j', (written, text) => {
    expect(textAt(`{"x":[{"a":1}, ${written} ], "y":"]}"}`, '/x/1')).toBe(text);
    expect(textAt(` ${written} `, '')).toBe(text);
  });

  test('of members with one name the last counts, also for numbers', () => {
    expect(textAt('{"a":{"b":1},"a":{"b":2,"\\u0062":3}}', '/a/b')).toBe('3');
    expect(textAt('{"__proto__":{"a":5}}', '/__proto__/a')).toBe('5');
  });

  test('depth is no matter', () => {
    const depth = 20_000;
    const text = `{"a":${'['.repeat(depth)}7${']'.repeat(depth)},"b":8}`;
    expect(textAt(text, '/b')).toBe('8');
    expect(textAt(text, `/a${'/0'.repeat(depth)}`)).toBe('7');
  });

  test('every value of a document is found as JSON.parse finds it', () => {
    const key = fc.oneof(
      fc.constantFrom('a', 'b/c', '~', '', '0', '"', '\\', 'é\u2028\ud83d', '__proto__'),
      fc.string({ maxLength: 3 }),
    );
    const values = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(values, fc.array(key, { maxLength: 3 }), (wrapped, extra) => {
        const text = JSON.stringify({ wrapped, [extra[0] ?? 'x']: extra }, null, extra.length);
        const document = { text, value: JSON.parse(text) as unknown };
        for (const [pointer, found] of everyPlace(document.value, '')) {
          const steps = parsePointer(pointer);
          if ('message' in steps) throw new Error(steps.message);
          const expected = typeof found === 'object' && found !== null ? null : String(found);
          const told = lookUp(document, steps);
          if (told?.text !== expected) expect([pointer, told]).toEqual([pointer, { text: expected }]);
        }
      }),
      { seed: 20_261_121, numRuns: 100 },
    );
  });
});

function* everyPlace(value: unknown, pointer: string): Generator<[string, unknown]> {
  yield [pointer, value];
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    yield* everyPlace(child, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  }
}
