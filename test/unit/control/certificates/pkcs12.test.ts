import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { type FileResult, loadCertificate } from '../../../../src/control/certificates/certificate-file.ts';
import { bmpString, type DigestName, pkcs12Derive } from '../../../../src/control/certificates/pkcs12-derivation.ts';
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

test.each<Name>(['aes256', 'aes128', 'tripleDes'])(
  'the MAC of a file with %s is verified (RFC 7292 §4): of what nothing else looks at no octet may change',
  (name) => {
    const whole = file(name);
    const refused = (at: number): string => {
      const changed = Buffer.from(whole);
      changed[at] = (whole[at] as number) ^ 1;
      return problem(load(changed));
    };
    // `localKeyId`, an attribute behind the key in the clear, is the last thing that the MAC covers.
    const at = whole.lastIndexOf(Buffer.from('3e75ae4dd055df8bf81bc320', 'hex'));
    expect(refused(at)).toBe('pkcs12: the file is damaged, or this is not its passphrase: its MAC does not fit');
  },
);

test('the key of a MAC is derived with any digest (RFC 7292 appendix B.2)', () => {
  // openssl kdf -keylen 48 -kdfopt digest:… -kdfopt hexpass:0061006200630000 -kdfopt hexsalt:0102030405060708 -kdfopt iter:3 -kdfopt id:3 PKCS12KDF
  const derived = (digest: DigestName) =>
    pkcs12Derive('mac', {
      password: bmpString('abc'),
      salt: Buffer.from('0102030405060708', 'hex'),
      iterations: 3,
      digest,
      bytes: 48,
    }).toString('hex');
  expect(derived('sha1')).toBe(
    'ddc0e665dc497401838e2c647cfb708e1471d78e9e7018a9dc699e263b6e95694855c4b0e983f0fc14a24b0dc33be820',
  );
  expect(derived('sha256')).toBe(
    'fb73d34e61a7ab106ab98df5b85dd0db60d8bd5e564b16b8b36c2d07d0552bd75693c4d16ff839c91a8be4e7bdee300f',
  );
  expect(derived('sha384')).toBe(
    '3c1a71a7a5955c895d78c3e1566243b2d17b59686ec01e82b43ddc5e852f94528a6ecf6eca93ff7fcd597f70ce531f8d',
  );
  expect(derived('sha512')).toBe(
    'f0aedf2d62aec7fdde5883078ed65a0c1d3f8291ff541809ed06ea8ff685829fc456ae1656661fc4451405aa2219aa99',
  );
});

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
