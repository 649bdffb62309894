import { describe, expect, test } from 'vitest';
import { alternativeNames, distinguishedName, verdictReason } from '../../../src/downstream/tls/client-certificate.ts';

describe('a subject as RFC 4514 writes it', () => {
  test.each([
    ['CN=alice', 'CN=alice'],
    ['C=DE\nO=Acme\\, Inc.\nCN=alice', 'CN=alice,O=Acme\\, Inc.,C=DE'],
    ['C=DE\nOU=Dev + CN=bob', 'OU=Dev+CN=bob,C=DE'],
    ['O=a \\+ b', 'O=a \\+ b'],
    ['O=Zoë\nCN=x\\0Ay', 'CN=x\\0Ay,O=Zoë'],
    ['', ''],
  ])('%j', (lines, text) => {
    expect(distinguishedName(lines)).toBe(text);
  });
});

describe('alternative names (RFC 5280 §4.2.1.6)', () => {
  test.each([
    ['DNS:a.test', ['DNS:a.test']],
    ['DNS:a.test, DNS:*.b.test', ['DNS:a.test', 'DNS:*.b.test']],
    [
      'email:a@b.test, URI:spiffe://x/y, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1',
      ['email:a@b.test', 'URI:spiffe://x/y', 'IP:192.0.2.1', 'IP:2001:DB8:0:0:0:0:0:1'],
    ],
    ['DNS:"a.test, DNS:b.test", DNS:c.test', ['DNS:a.test, DNS:b.test', 'DNS:c.test']],
    ['URI:"http://a/\\u0022, DNS:evil.test"', ['URI:http://a/", DNS:evil.test']],
    ['DirName:CN=x, DNS:a.test', ['DNS:a.test']],
    ['othername:<unsupported>, Registered ID:1.2.3, DNS:a.test', ['DNS:a.test']],
    ['', []],
  ])('%j', (text, names) => {
    expect(alternativeNames(text)).toEqual(names);
  });
});

test('what OpenSSL says of a certificate has a name; anything new is "invalid"', () => {
  expect(verdictReason('CERT_REVOKED')).toBe('client-certificate-revoked');
  expect(verdictReason('SOMETHING_NEW')).toBe('client-certificate-invalid');
});
