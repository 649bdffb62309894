import { expect, test } from 'vitest';
import { literal, sentBy } from './case.ts';
import { splitRequests } from './every-split.ts';
import { generate } from './generate.ts';
import { shrink } from './shrink.ts';

test('a seed and a number are a case, always the same, and no two are alike', () => {
  const cases = Array.from({ length: 200 }, (_, index) => literal(generate('client', 1, index)));
  expect(Array.from({ length: 200 }, (_, index) => literal(generate('client', 1, index)))).toEqual(cases);
  expect(new Set(cases).size).toBeGreaterThan(190);
  expect(literal(generate('client', 2, 0))).not.toBe(cases[0]);
});

test('what is printed of a case is the case', () => {
  for (let index = 0; index < 50; index += 1) {
    const one = generate('endpoint', 3, index);
    const text = literal(one);
    expect(text).toMatch(/^[\x20-\x7e]*$/);
    expect(JSON.parse(text)).toEqual(one);
  }
});

test('a text is cut at every place, and at every pair of them', () => {
  expect(splitRequests('abcd', 1).map(({ client }) => client.length)).toEqual([2, 2, 2]);
  expect(splitRequests('abcd', 2).map(({ client }) => client.length)).toEqual([3, 3, 3]);
  for (const one of splitRequests('abcd', 2)) expect(sentBy(one)).toBe('abcd');
});

test('a case is made as small as it can be while it shows what it is about', async () => {
  const wrong = generate('client', 4, 5);
  const noisy = {
    ...wrong,
    client: [...wrong.client.slice(0, 1), { send: 'GET / HTTP/1.1\r\nX: 1\r\nbad\x01byte\r\n\r\n' }],
  };
  const smallest = await shrink(noisy, async (cases) => cases.map((one) => sentBy(one).includes('\x01')), {
    width: 16,
    rounds: 200,
  });
  expect(smallest).toEqual({ client: [{ send: '\x01' }], origin: [] });
});
