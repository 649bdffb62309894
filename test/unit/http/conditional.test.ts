import { describe, expect, test } from 'vitest';
import { evaluatePreconditions, parseEntityTags, strongEqual, weakEqual } from '../../../src/http/conditional.ts';

const BEFORE = 'Sun, 06 Nov 1994 08:49:36 GMT';
const SAME = 'Sun, 06 Nov 1994 08:49:37 GMT';
const AFTER = 'Sun, 06 Nov 1994 08:49:38 GMT';
const lastModifiedMs = Date.UTC(1994, 10, 6, 8, 49, 37);
const validators = { etag: '"a"', lastModifiedMs };

describe('entity tags (RFC 9110 §8.8.3.2)', () => {
  test.each([
    ['W/"1"', 'W/"1"', false, true],
    ['W/"1"', 'W/"2"', false, false],
    ['W/"1"', '"1"', false, true],
    ['"1"', '"1"', true, true],
    ['"1"', '"2"', false, false],
  ])('%s and %s: strong %s, weak %s', (a, b, strong, weak) => {
    expect(strongEqual(a, b)).toBe(strong);
    expect(strongEqual(b, a)).toBe(strong);
    expect(weakEqual(a, b)).toBe(weak);
    expect(weakEqual(b, a)).toBe(weak);
  });

  test.each([
    ['"a"', ['"a"']],
    ['"a", W/"b" ,"c"', ['"a"', 'W/"b"', '"c"']],
    ['"a,b", "c,", ","', ['"a,b"', '"c,"', '","']],
    [',, "a",, ', ['"a"']],
    ['""', ['""']],
    ['"a\\", "b"', ['"a\\"', '"b"']],
    ['"\u00e9"', ['"\u00e9"']],
    ['a, "b"', ['"b"']],
    ['w/"a", "b"', ['"b"']],
    ['"a" x, "b"', ['"b"']],
    ['"a', []],
    ['"a b"', []],
    ['', []],
    ['*, "a"', ['"a"']],
  ])('the list %s holds %j (RFC 9110 §13.1.2)', (list, tags) => {
    expect(parseEntityTags(list)).toEqual(tags);
  });

  test.each(['*', ' * '])('%j stands for any', (list) => {
    expect(parseEntityTags(list)).toBe('*');
  });
});

describe('evaluatePreconditions (RFC 9110 §13.2.2)', () => {
  test.each([
    [[], 'proceed'],
    [['If-None-Match', '"a"'], 'not-modified'],
    [['if-none-match', 'W/"a"'], 'not-modified'],
    [['If-None-Match', '"x", "a"'], 'not-modified'],
    [['If-None-Match', '"x"', 'If-None-Match', '"a"'], 'not-modified'],
    [['If-None-Match', '*'], 'not-modified'],
    [['If-None-Match', '"x"'], 'proceed'],
    [['If-None-Match', '"x,a"'], 'proceed'],
    [['If-None-Match', 'a'], 'proceed'],
    [['If-Modified-Since', SAME], 'not-modified'],
    [['If-Modified-Since', AFTER], 'not-modified'],
    [['If-Modified-Since', BEFORE], 'proceed'],
    [['If-Modified-Since', 'yesterday'], 'proceed'],
    [['If-None-Match', '"x"', 'If-Modified-Since', AFTER], 'proceed'],
    [['If-Match', '"a"'], 'proceed'],
    [['If-Match', '*'], 'proceed'],
    [['If-Match', 'W/"a"'], 'precondition-failed'],
    [['If-Match', '"x"'], 'precondition-failed'],
    [['If-Match', '"x"', 'If-None-Match', '"a"'], 'precondition-failed'],
    [['If-Match', '"a"', 'If-None-Match', '"a"'], 'not-modified'],
    [['If-Match', '"a"', 'If-Unmodified-Since', BEFORE], 'proceed'],
    [['If-Unmodified-Since', BEFORE], 'precondition-failed'],
    [['If-Unmodified-Since', SAME], 'proceed'],
    [['If-Unmodified-Since', 'never'], 'proceed'],
  ] as const)('a GET with %j: %s', (headers, result) => {
    expect(evaluatePreconditions('GET', headers, validators)).toBe(result);
    expect(evaluatePreconditions('HEAD', headers, validators)).toBe(result);
  });

  test('for other methods a matching If-None-Match is a failure, and If-Modified-Since means nothing', () => {
    expect(evaluatePreconditions('PUT', ['If-None-Match', '*'], validators)).toBe('precondition-failed');
    expect(evaluatePreconditions('PUT', ['If-None-Match', '"x"'], validators)).toBe('proceed');
    expect(evaluatePreconditions('POST', ['If-Modified-Since', AFTER], validators)).toBe('proceed');
  });

  test.each(['CONNECT', 'OPTIONS', 'TRACE'])('%s knows no preconditions (RFC 9110 §13.2.1)', (method) => {
    expect(evaluatePreconditions(method, ['If-Match', '"x"'], validators)).toBe('proceed');
  });

  test('without validators only "*" can match, and dates mean nothing', () => {
    const none = { etag: null, lastModifiedMs: null };
    expect(evaluatePreconditions('GET', ['If-None-Match', '*'], none)).toBe('not-modified');
    expect(evaluatePreconditions('GET', ['If-None-Match', '"a"'], none)).toBe('proceed');
    expect(evaluatePreconditions('GET', ['If-Modified-Since', AFTER], none)).toBe('proceed');
    expect(evaluatePreconditions('GET', ['If-Unmodified-Since', BEFORE], none)).toBe('proceed');
    expect(evaluatePreconditions('GET', ['If-Match', '"a"'], none)).toBe('precondition-failed');
  });

  test('a weak validator of ours answers If-None-Match but never If-Match', () => {
    const weak = { etag: 'W/"a"', lastModifiedMs: null };
    expect(evaluatePreconditions('GET', ['If-None-Match', '"a"'], weak)).toBe('not-modified');
    expect(evaluatePreconditions('GET', ['If-Match', 'W/"a"'], weak)).toBe('precondition-failed');
  });
});
