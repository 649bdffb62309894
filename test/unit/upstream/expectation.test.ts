import { describe, expect, test } from 'vitest';
import { isExpected, parseExpectation } from '../../../src/upstream/health/expectation.ts';

describe('expected statuses', () => {
  test.each([
    [['200-399'], 200, true],
    [['200-399'], 399, true],
    [['200-399'], 400, false],
    [['200-399'], 199, false],
    [[204], 204, true],
    [[204], 200, false],
    [[401, '200-299'], 401, true],
    [[], 200, false],
  ])('%j take %d: %s', (statuses, status, expected) => {
    expect(isExpected(parseExpectation(statuses), status)).toBe(expected);
  });

  test.each(['399-200', 'ok', '200'])('"%s" is refused by name: nothing would ever be healthy', (text) => {
    expect(() => parseExpectation([200, text])).toThrow(`"${text}"`);
  });
});
