import { webcrypto, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  type CertificateFile,
  type FileResult,
  type LoadedCertificate,
  loadCertificate,
} from '../../../../src/control/certificates/certificate-file.ts';
import { childrenOf, readDer } from '../../../../src/control/certificates/der-reader.ts';
import { sequence } from '../../../../src/control/certificates/der-writer.ts';
import { mustStaple, ocspSubjectOf } from '../../../../src/control/certificates/ocsp-request.ts';
import { type Minted, mint } from '../../../kit/pki.ts';

const pem: CertificateFile = { certificate: 'chain.pem', key: 'key.pem', passphrase: null };

function load(certificate: string, key: string): FileResult {
  return loadCertificate(pem, { parts: [Buffer.from(certificate), Buffer.from(key)], digest: 'd' });
}

function loaded(certificate: string, key: string): LoadedCertificate {
  const result = load(certificate, key);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join());
  return result.certificate;
}

function problems(result: FileResult): string[] {
  return result.ok ? [] : result.problems.map(({ about, message }) => `${about}: ${message}`);
}

interface Chain {
  readonly root: Minted;
  readonly intermediate: Minted;
  readonly leaf: Minted;
}

async function chain(): Promise<Chain> {
  const root = await mint({ names: null, commonName: 'Root' });
  const intermediate = await mint({ names: null, commonName: 'Intermediate', issuer: root, authority: true });
  const leaf = await mint({
    names: ['Shop.test', '*.shop.test', '127.0.0.1'],
    commonName: 'ignored.test',
    issuer: intermediate,
  });
  return { root, intermediate, leaf };
}

test('the names of a certificate are its alternative names in lower case, without the common name', async () => {
  const { leaf } = await chain();
  expect(loaded(leaf.cert, leaf.key).names).toEqual(['shop.test', '*.shop.test', '127.0.0.1']);
});

test('the common name counts when there are no alternative names at all', async () => {
  const leaf = await mint({ names: null, commonName: 'old.test' });
  expect(loaded(leaf.cert, leaf.key).names).toEqual(['old.test']);
  const person = await mint({ names: null, commonName: 'Jane Doe' });
  expect(loaded(person.cert, person.key).names).toEqual([]);
});

test('wildcards within a label, or below the first one, are names that nobody can ask for', async () => {
  const leaf = await mint({ names: ['f*.a.test', 'b.*.a.test', '*', '*.a.test'] });
  expect(loaded(leaf.cert, leaf.key).names).toEqual(['*.a.test']);
});

test('a chain in any order is shown with the leaf first, each followed by its issuer', async () => {
  const { root, intermediate, leaf } = await chain();
  const ordered = loaded(`${leaf.cert}${intermediate.cert}${root.cert}`, leaf.key).pair.certificate;
  for (const shuffled of [
    `${root.cert}${intermediate.cert}${leaf.cert}`,
    `${intermediate.cert}${leaf.cert}${root.cert}`,
    `# comment\n${leaf.cert}\r\n${root.cert}${intermediate.cert}${leaf.cert}`,
  ]) {
    expect(loaded(shuffled, leaf.key).pair.certificate).toBe(ordered);
  }
  const blocks = ordered.split(/(?<=END CERTIFICATE-----\n)/);
  expect(blocks.map((block) => new X509Certificate(block).subject)).toEqual([
    'CN=ignored.test',
    'CN=Intermediate',
    'CN=Root',
  ]);
});

test('the issuer is known when it is in the chain', async () => {
  const { root, intermediate, leaf } = await chain();
  expect(loaded(`${leaf.cert}${intermediate.cert}`, leaf.key).issuer?.subject).toBe('CN=Intermediate');
  expect(loaded(`${leaf.cert}${root.cert}`, leaf.key).issuer).toBeNull();
});

test('certificate and key may be in one file', async () => {
  const { leaf } = await chain();
  const both = `${leaf.cert}${leaf.key}`;
  expect(loaded(both, both).names).toContain('shop.test');
});

test('ECDSA and RSA keys are told apart', async () => {
  for (const kind of ['ecdsa', 'rsa'] as const) {
    const leaf = await mint({ names: ['a.test'], kind });
    expect(loaded(leaf.cert, leaf.key).keyType).toBe(kind);
  }
});

test('what is wrong is told of each file', async () => {
  const { leaf } = await chain();
  const other = await mint({ names: ['b.test'] });
  expect(problems(load(leaf.cert, other.key))).toEqual(['key: the key is not that of the certificate']);
  expect(problems(load('', 'garbage'))).toEqual([
    'certificate: the file holds no PEM certificate',
    'key: the file holds no PEM private key',
  ]);
  expect(problems(load(leaf.cert.slice(0, 200) + leaf.cert.slice(260), leaf.key))).toEqual([
    'certificate: the file holds no PEM certificate',
  ]);
  const gone = loadCertificate(pem, { parts: [{ code: 'ENOENT' }, { code: 'EACCES' }], digest: 'd' });
  expect(problems(gone)).toEqual([
    'certificate: cannot read “chain.pem”: ENOENT',
    'key: cannot read “key.pem”: EACCES',
  ]);
});

test('a certificate without a usable key still tells its names', async () => {
  const { intermediate, leaf } = await chain();
  expect(load(`${intermediate.cert}${leaf.cert}`, 'garbage')).toMatchObject({
    ok: false,
    names: expect.arrayContaining(['shop.test']),
  });
});

test('a chain with a key that is too small anywhere in it is refused: OpenSSL would only say so at the first handshake', async () => {
  const weak = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 1024,
  };
  const keys = await webcrypto.subtle.generateKey(weak, true, ['sign', 'verify']);
  const root = await mint({ names: null, commonName: 'Old Root', kind: 'rsa', keys });
  const leaf = await mint({ names: ['shop.test'], issuer: root });
  expect(problems(load(leaf.cert + root.cert, leaf.key))).toEqual([
    'certificate: the key of “CN=Old Root” has 1024 bits: clients accept no less than 2048',
  ]);
  expect(problems(load(leaf.cert, leaf.key))).toEqual([]);
});

/** `cert` with other bytes, in PEM. Nobody verifies the signature of their own certificate. */
function altered(cert: string, alter: (der: Buffer) => Buffer): string {
  const base64 = alter(new X509Certificate(cert).raw).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`;
}

test('a certificate whose end is no date is refused, not left to whoever wants to print it', async () => {
  const leaf = await mint({ names: ['shop.test'] });
  const cert = altered(leaf.cert, (der) => {
    const end = [...der.toString('latin1').matchAll(/\d{12}Z/g)][1]?.index ?? 0;
    return Buffer.concat([der.subarray(0, end), Buffer.from('269901'), der.subarray(end + 6)]);
  });
  expect(problems(load(cert, leaf.key))).toEqual(['certificate: the dates of “CN=shop.test” can’t be read']);
});

test('of a certificate in BER, which OpenSSL reads too, nobody asks for an OCSP response, and it is shown all the same', async () => {
  const root = await mint({ names: null, commonName: 'Root' });
  const leaf = await mint({ names: ['shop.test'], issuer: root, ocsp: 'http://ocsp.test/', mustStaple: true });
  const certificate = loaded(leaf.cert + root.cert, leaf.key);
  expect(ocspSubjectOf(certificate)).toMatchObject({ responder: 'http://ocsp.test/', mustStaple: true });
  // The length of the TBSCertificate is left open (X.690 §8.1.3.6).
  const cert = altered(leaf.cert, (der) => {
    const [tbs, ...rest] = childrenOf(readDer(der));
    const open = Buffer.concat([Buffer.of(0x30, 0x80), tbs?.content ?? der, Buffer.of(0, 0)]);
    return sequence(open, ...rest.map(({ whole }) => whole));
  });
  const inBer = loaded(cert + root.cert, leaf.key);
  expect(inBer.names).toEqual(['shop.test']);
  expect(ocspSubjectOf(inBer)).toBe('no-responder');
  expect(mustStaple(inBer.leaf)).toBe(false);
});
