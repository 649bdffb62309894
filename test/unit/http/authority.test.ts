import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostOf, isValidAuthority, splitTarget } from '../../../src/http/target.ts';

describe('splitTarget (RFC 9112 §3.2)', () => {
  test.each([
    ['/a?b', '/a?b', null, null],
    ['//a', '//a', null, null],
    ['*', '*', null, null],
    ['http://a.test/x?y', '/x?y', 'a.test', 'http'],
    ['HTTPS://A.test:8443/x', '/x', 'A.test:8443', 'https'],
    ['http://a.test', '/', 'a.test', 'http'],
    ['http://a.test?y', '/?y', 'a.test', 'http'],
    ['http://a.test?/x', '/?/x', 'a.test', 'http'],
    ['http://[::1]:80//x', '//x', '[::1]:80', 'http'],
    ['http://a.test/http://b.test/', '/http://b.test/', 'a.test', 'http'],
  ])('%s is %s with authority %s', (raw, target, authority, scheme) => {
    expect(splitTarget(raw)).toEqual({ target, authority, scheme });
  });

  test('OPTIONS without a path asks about the server (RFC 9112 §3.2.4)', () => {
    expect(splitTarget('http://a.test', 'OPTIONS')?.target).toBe('*');
    expect(splitTarget('http://a.test/', 'OPTIONS')?.target).toBe('/');
    expect(splitTarget('http://a.test?q', 'OPTIONS')?.target).toBe('/?q');
  });

  test.each([
    '',
    'a.test:443',
    'x',
    '*x',
    'ftp://a.test/',
    'javascript://a.test/',
    'http:/a',
    'http:///x',
    'http://user@a.test/',
    'http://a.test@b.test/',
    'http://a b/',
    'http://a.test#x',
    'http://a.test:99999/',
    '://a.test/',
  ])('%j is refused', (raw) => {
    expect(splitTarget(raw)).toBeNull();
  });
});

describe('authorities (RFC 9110 §7.2)', () => {
  test.each([
    ['a.test', 'a.test'],
    ['A.Test:8443', 'a.test'],
    ['a.test.', 'a.test'],
    ['a.test.:80', 'a.test'],
    ['a.test:', 'a.test'],
    ['my_host-1', 'my_host-1'],
    ['127.0.0.1:0', '127.0.0.1'],
    ['[::1]', '[::1]'],
    ['[2001:DB8::7]:65535', '[2001:db8::7]'],
    ['[::ffff:10.0.0.1]:80', '[::ffff:10.0.0.1]'],
    ['[1:2:3:4:5:6:7:8]', '[1:2:3:4:5:6:7:8]'],
    ['[1:2:3:4:5:6:7::]', '[1:2:3:4:5:6:7::]'],
    ['[::]', '[::]'],
  ])('%s is valid, its host is %s', (authority, host) => {
    expect(isValidAuthority(authority)).toBe(true);
    expect(hostOf(authority)).toBe(host);
  });

  test.each([
    '',
    ':80',
    'a b',
    'a/b',
    'b/@c',
    'user@a',
    'a:b',
    'a:80:80',
    'a:65536',
    'a:000080',
    'a?b',
    'a#b',
    'a\\b',
    '%61.test',
    'é.test',
    'a\u0000',
    '[::1',
    '::1',
    '[]',
    '[::1]x',
    '[::1]:x',
    '[:::]',
    '[1::2::3]',
    '[1:2:3:4:5:6:7]',
    '[1:2:3:4:5:6:7:8:9]',
    '[1:2:3:4:5:6:7::8]',
    '[12345::]',
    '[::1%25eth0]',
    '[v1.x]',
    '[::256.0.0.1]',
    '[::1.2.3]',
    '[1.2.3.4::]',
    '[:1::2]',
    'x'.repeat(256),
  ])('%j is refused', (authority) => {
    expect(isValidAuthority(authority)).toBe(false);
  });

  test('an IPv6 address in brackets is valid exactly when the platform can read it', () => {
    const group = fc.constantFrom('0', '1', 'ffff', '2001', 'db8', '', '10.0.0.1', '12345', 'g');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.ipV6(),
          fc.array(group, { maxLength: 10 }).map((groups) => groups.join(':')),
        ),
        (text) => {
          expect(isValidAuthority(`[${text}]`)).toBe(URL.canParse(`http://[${text}]/`));
        },
      ),
      { numRuns: 3000 },
    );
  });
});
