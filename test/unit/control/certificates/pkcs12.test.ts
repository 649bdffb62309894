import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { type FileResult, loadCertificate } from '../../../../src/control/certificates/certificate-file.ts';
import { pkcs12Files } from './pkcs12-files.ts';

type Name = keyof typeof pkcs12Files;

function load(bytes: Buffer, passphrase: string | null = 'sécret'): FileResult {
  return loadCertificate({ pkcs12: 'bank.p12', passphrase }, { parts: [bytes], digest: 'd' });
}

function file(name: Name): Buffer {
  return Buffer.from(pkcs12Files[name], 'base64');
}

function problem(result: FileResult): string {
  return result.ok ? 'none' : result.problems.map(({ about, message }) => `${about}: ${message}`).join();
}

test.each<Name>(['aes256', 'aes128', 'tripleDes', 'plain'])(
  'a PKCS#12 file (RFC 7292) with %s gives key, names and chain',
  (name) => {
    const result = load(file(name));
    if (!result.ok) throw new Error(problem(result));
    const { names, issuer, keyType, pair, leaf } = result.certificate;
    expect(names).toEqual(['bank.test', '*.bank.test']);
    expect(keyType).toBe('ecdsa');
    expect(issuer?.subject).toBe('CN=Test CA');
    expect(pair.certificate.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(new X509Certificate(pair.certificate).fingerprint256).toBe(leaf.fingerprint256);
    expect(pair.key).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  },
);

test.each<Name>(['aes256', 'aes128', 'tripleDes'])(
  'a wrong passphrase, or none, of a file with %s is told as that',
  (name) => {
    expect(problem(load(file(name), 'secret'))).toBe('passphrase: this is not the passphrase of the file');
    expect(problem(load(file(name), null))).toBe('passphrase: this is not the passphrase of the file');
  },
);

test('a file encrypted with RC2 is refused with advice', () => {
  expect(problem(load(file('rc2')))).toMatch(/^pkcs12: .*outdated algorithm.*openssl pkcs12 -export/);
});

test('a file that is cut off anywhere is refused', () => {
  const whole = file('plain');
  for (let length = 0; length < whole.length; length += 1) {
    expect(problem(load(whole.subarray(0, length)))).toMatch(/^pkcs12: /);
  }
});

test('whatever octet of a file is changed, nothing is thrown', () => {
  const whole = file('plain');
  const results = Array.from(whole, (octet, at) => {
    const changed = Buffer.from(whole);
    changed[at] = octet ^ 0x15;
    return load(changed).ok;
  });
  // Most of it is certificates and a key; a few octets are of names that nobody looks at.
  expect(results.filter((ok) => !ok).length).toBeGreaterThan(whole.length / 4);
});

test('a file that asks for too many rounds of key derivation is refused before they are made', () => {
  const bytes = file('tripleDes');
  // The salt and the INTEGER 2048 behind it, 8 + 4 octets, become a salt of 6 and an INTEGER of 4.
  const at = bytes.indexOf('02020800', 'hex');
  expect(bytes.subarray(at - 10, at - 8).toString('hex')).toBe('0408');
  bytes[at - 9] = 6;
  Buffer.from('02047fffffff', 'hex').copy(bytes, at - 2);
  expect(problem(load(bytes))).toBe('pkcs12: the file asks for 2147483647 rounds of key derivation');
});
