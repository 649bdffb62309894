import { describe, expect, test } from 'vitest';
import { matchesVary, primaryKey, sameVary, varyFields } from '../../../src/cache/key.ts';
import type { HeaderList } from '../../../src/http/headers.ts';
import { get } from './origin.ts';

describe('primary key (RFC 9111 §2)', () => {
  test.each([
    ['the whole URI', get([], { query: 'x=1' }), 'http://shop.test/a?x=1'],
    ['no query and an empty one differ', get([], { query: '' }), 'http://shop.test/a?'],
    ['HEAD shares the key of GET', get([], { method: 'HEAD' }), 'http://shop.test/a'],
    ['the default port is no port', get([], { host: 'shop.test:80' }), 'http://shop.test/a'],
    ['the default port of https', get([], { scheme: 'https', host: 'shop.test:443' }), 'https://shop.test/a'],
    ['another port stays', get([], { scheme: 'https', host: 'shop.test:8443' }), 'https://shop.test:8443/a'],
    ['the default port of the other scheme stays', get([], { host: 'shop.test:443' }), 'http://shop.test:443/a'],
    ['an IPv6 address', get([], { host: '[::1]:80' }), 'http://[::1]/a'],
  ])('%s', (_name, request, key) => {
    expect(primaryKey(request)).toBe(key);
  });
});

/** Does a request with `second` get what was stored for one with `first`? */
function shares(vary: HeaderList, first: HeaderList, second: HeaderList): boolean {
  const fields = varyFields(vary, get(first));
  if (typeof fields === 'string') throw new Error(fields);
  return matchesVary(fields, get(second));
}

describe('selecting by Vary (RFC 9111 §4.1)', () => {
  test.each<[string, HeaderList, HeaderList, HeaderList, boolean]>([
    ['no Vary', [], ['Foo', '1'], ['Foo', '2'], true],
    ['the same value', ['Vary', 'Foo'], ['Foo', '1'], ['foo', '1'], true],
    ['another value', ['Vary', 'Foo'], ['Foo', '1'], ['Foo', '2'], false],
    ['absent matches absent', ['Vary', 'Foo'], [], [], true],
    ['absent does not match present', ['Vary', 'Foo'], [], ['Foo', ''], false],
    ['present does not match absent', ['Vary', 'Foo'], ['Foo', ''], [], false],
    ['every name counts', ['Vary', 'Foo, Bar'], ['Foo', '1', 'Bar', '1'], ['Foo', '1', 'Bar', '2'], false],
    ['names of the second line count', ['Vary', 'Foo', 'Vary', 'Bar'], ['Bar', '1'], ['Bar', '2'], false],
    ['empty members of Vary are nothing', ['Vary', ', Foo ,,'], ['Foo', '1'], ['Foo', '1'], true],
    ['two lines equal one combined', ['Vary', 'Foo'], ['Foo', '1', 'Foo', '2'], ['Foo', '1, 2'], true],
    ['blanks around a value', ['Vary', 'Foo'], ['Foo', '1'], ['Foo', ' 1 '], true],
    [
      'blanks around the commas of a field that may be a list',
      ['Vary', 'Foo'],
      ['Foo', '1,2'],
      ['Foo', ' 1 ,\t2 '],
      true,
    ],
    ['two lines equal one without blanks', ['Vary', 'Foo'], ['Foo', '1', 'Foo', '2'], ['Foo', '1,2'], true],
    ['blanks within a quoted string', ['Vary', 'Foo'], ['Foo', '"1,2"'], ['Foo', '"1, 2"'], false],
    [
      'blanks in a field with one value',
      ['Vary', 'User-Agent'],
      ['User-Agent', 'a (b,c)'],
      ['User-Agent', 'a (b, c)'],
      false,
    ],
    ['blanks elsewhere in a value', ['Vary', 'Foo'], ['Foo', '1 2'], ['Foo', '1  2'], false],
    ['case of an unknown field counts', ['Vary', 'Foo'], ['Foo', 'a'], ['Foo', 'A'], false],
    ['order in an unknown field counts', ['Vary', 'Foo'], ['Foo', 'a, b'], ['Foo', 'b, a'], false],
    [
      'spacing in Accept-Encoding',
      ['Vary', 'Accept-Encoding'],
      ['Accept-Encoding', 'gzip, br;q=0.5'],
      ['Accept-Encoding', 'gzip,br ; q=0.5'],
      true,
    ],
    [
      'order in Accept-Encoding',
      ['Vary', 'Accept-Encoding'],
      ['Accept-Encoding', 'gzip, br'],
      ['Accept-Encoding', 'br, gzip'],
      true,
    ],
    [
      'another coding',
      ['Vary', 'Accept-Encoding'],
      ['Accept-Encoding', 'gzip, br'],
      ['Accept-Encoding', 'gzip'],
      false,
    ],
    [
      'case in Accept-Language',
      ['Vary', 'Accept-Language'],
      ['Accept-Language', 'en-US'],
      ['Accept-Language', 'en-us'],
      true,
    ],
    [
      'another weight',
      ['Vary', 'Accept-Language'],
      ['Accept-Language', 'en;q=0.5'],
      ['Accept-Language', 'en;q=0.6'],
      false,
    ],
    ['case in a media type parameter counts', ['Vary', 'Accept'], ['Accept', 'a/b;v=X'], ['Accept', 'a/b;v=x'], false],
    [
      'a comma in a quoted string is no separator',
      ['Vary', 'Accept'],
      ['Accept', 'a/b;v="x,y"'],
      ['Accept', 'y";a/b;v="x'],
      false,
    ],
    ['Host is in the key', ['Vary', 'Host'], ['Host', 'a'], ['Host', 'a:80'], true],
  ])('%s', (_name, vary, first, second, expected) => {
    expect(shares(vary, first, second)).toBe(expected);
  });

  test.each(['x-forwarded-for', 'Forwarded', 'X-Real-IP', 'Via', 'traceparent', 'Accept, X-Request-Id'])(
    'a response that varies on what the gateway wrote matches no later request: %s',
    (vary) => {
      expect(varyFields(['Vary', vary], get())).toBe('vary-unseen');
    },
  );

  test.each(['Accept Encoding', 'a;b', 'Foo, "x"', 'Foo, *', '\u00e9'])(
    '%j names no field that could be compared',
    (vary) => {
      expect(varyFields(['Vary', vary], get())).toBe('vary-star');
    },
  );

  test('two spellings of one Vary are one variant', () => {
    const request = get(['Foo', '1', 'Bar', '2']);
    const a = varyFields(['Vary', 'Foo, Bar'], request);
    const b = varyFields(['Vary', 'bar', 'Vary', 'FOO, foo'], request);
    expect(typeof a !== 'string' && typeof b !== 'string' && sameVary(a, b)).toBe(true);
  });
});
