import { describe, expect, test } from 'vitest';
import { KeyRules } from '../../../src/cache/key-rules.ts';
import { hostInKeys, keysOfUrl, prefixOfUrl } from '../../../src/cache/url-keys.ts';

const noRules = new KeyRules();

describe('the keys of a URL', () => {
  test.each([
    ['http://Shop.test/a?b', ['http://shop.test/a?b']],
    ['https://shop.test:443', ['https://shop.test/']],
    ['http://shop.test:8080/a#part', ['http://shop.test:8080/a']],
    ['https://shop.test/%61/../b', ['https://shop.test/b']],
    ['https://shop.test?q', ['https://shop.test/?q']],
    ['https://shop.test/größe', ['https://shop.test/gr%C3%B6%C3%9Fe']],
    ['https://größe.test/', ['https://größe.test/', 'https://xn--gre-6ka8i.test/']],
    // As a listener may have taken it that keeps slashes, or merges them.
    ['http://shop.test/a//b', ['http://shop.test/a/b', 'http://shop.test/a//b']],
    ['http://shop.test/a%2Fb', ['http://shop.test/a%2Fb', 'http://shop.test/a/b']],
  ])('%s', (url, keys) => {
    expect(keysOfUrl(url, noRules)).toEqual(keys);
  });

  test.each(['', '/a', 'shop.test/a', 'ftp://shop.test/', 'http://', 'http://a b/', 'http://me@shop.test/'])(
    '“%s” is none',
    (url) => {
      expect(keysOfUrl(url, noRules)).toBeNull();
    },
  );

  test('are also those that the rules of routes for queries make of it', () => {
    const rules = new KeyRules();
    rules.adopt([{ kind: 'none' }]);
    expect(keysOfUrl('http://shop.test/a?b', rules)).toEqual(['http://shop.test/a?b', 'http://shop.test/a']);
  });
});

test.each([
  ['https://shop.test', 'https://shop.test/'],
  ['https://Shop.test:443/a/', 'https://shop.test/a/'],
  ['http://shop.test/a?b=', 'http://shop.test/a?b='],
  ['shop.test', null],
])('what everything below %s begins with', (url, prefix) => {
  expect(prefixOfUrl(url)).toBe(prefix);
});

test.each([
  ['Shop.test', 'shop.test'],
  ['shop.test:80', 'shop.test'],
  ['shop.test:443', 'shop.test'],
  ['shop.test:8443', 'shop.test:8443'],
  ['[::1]:8080', '[::1]:8080'],
  ['a/b', null],
  ['', null],
  ['a b', null],
])('the host “%s”', (text, host) => {
  expect(hostInKeys(text)).toBe(host);
});
