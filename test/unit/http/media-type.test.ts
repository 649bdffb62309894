import { describe, expect, test } from 'vitest';
import { parametersBehind, parseMediaType } from '../../../src/http/media-type.ts';

describe('a media type (RFC 9110 §8.3.1)', () => {
  test.each([
    ['text/html', 'text/html', {}],
    ['Text/HTML', 'text/html', {}],
    [' application/json ; charset=UTF-8 ', 'application/json', { charset: 'UTF-8' }],
    ['multipart/form-data; boundary="a b;c\\"d"', 'multipart/form-data', { boundary: 'a b;c"d' }],
    ['a/b;;c=d;', 'a/b', { c: 'd' }],
    ['a/b; C=1; c=2', 'a/b', { c: '1' }],
    ['a/b; c=""', 'a/b', { c: '' }],
  ])('%j is understood', (text, essence, parameters) => {
    const type = parseMediaType(text);
    expect(type?.essence).toBe(essence);
    expect(Object.fromEntries(type?.parameters ?? [])).toEqual(parameters);
  });

  test.each([
    '',
    'json',
    '/json',
    'text/',
    'text /html',
    'a/b c',
    'a/b; c',
    'a/b; c=',
    'a/b; c="',
    'a/b; c="x"y',
    'a/b, c/d',
  ])('%j is none', (text) => {
    expect(parseMediaType(text)).toBeNull();
  });

  test('parameters behind a word', () => {
    expect(parametersBehind('form-data', ' Form-Data; name="a"; x=1')?.get('name')).toBe('a');
    expect(parametersBehind('form-data', 'attachment; name="a"')).toBeNull();
  });
});
