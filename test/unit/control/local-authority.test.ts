import 'reflect-metadata';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { issueLeaf, selfSigned } from '../../../src/control/certificates/authority.ts';
import { issuerOf } from '../../../src/control/certificates/issuer.ts';
import { LocalAuthority } from '../../../src/control/certificates/local-authority.ts';
import { LocalCertificates } from '../../../src/control/certificates/local-certificates.ts';

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 10, 21);

let directory = '';
let now = START;
let said: string[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headgate-ca-'));
  now = START;
  said = [];
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function authority(): LocalAuthority {
  return new LocalAuthority({ directory, now: () => now, trouble: (message) => said.push(message) });
}

async function pairFor(...names: string[]) {
  return (await authority().filesFor(names)).pair;
}

function caFile(name: string): string {
  return join(directory, name);
}

describe('what is minted', () => {
  test('a leaf is signed by the authority, for every name, with its own key', async () => {
    const pair = await pairFor(
      'localhost',
      '127.0.0.1',
      '::1',
      'app.example.com',
      '2001:db8::ff00:42:8329',
      '::ffff:192.0.2.1',
    );
    const leaf = new X509Certificate(pair.certificate);
    const issuer = new X509Certificate(pair.certificate.slice(pair.certificate.indexOf('-----END') + 26));
    expect(leaf.verify(issuer.publicKey)).toBe(true);
    expect(leaf.checkIssued(issuer)).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(issuer.ca).toBe(true);
    expect(leaf.checkPrivateKey(createPrivateKey(pair.key))).toBe(true);
    expect(leaf.checkHost('localhost')).toBe('localhost');
    expect(leaf.checkHost('app.example.com')).toBe('app.example.com');
    expect(leaf.checkHost('other.example.com')).toBeUndefined();
    for (const address of ['127.0.0.1', '::1', '2001:db8::ff00:42:8329', '::ffff:192.0.2.1'])
      expect(leaf.checkIP(address)).toBe(address);
  });

  test('another reader of X.509 sees the extensions that RFC 5280 asks for', async () => {
    const pair = await pairFor('app.localhost');
    const leaf = new x509.X509Certificate(pair.certificate);
    const issuer = new x509.X509Certificate(readFileSync(caFile('ca.pem'), 'utf8'));
    expect(leaf.subject).toBe('CN=app.localhost');
    expect(leaf.issuer).toBe(issuer.subject);
    expect(issuer.subject).toMatch(/^CN=Headgate local CA \(.+\), O=Headgate$/);
    expect(await issuer.isSelfSigned()).toBe(true);
    expect(await leaf.verify({ publicKey: issuer, date: new Date(now) })).toBe(true);
    const constraints = issuer.getExtension(x509.BasicConstraintsExtension);
    expect(constraints).toMatchObject({ ca: true, pathLength: 0, critical: true });
    expect(issuer.getExtension(x509.KeyUsagesExtension)?.usages).toBe(
      x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
    );
    expect(leaf.getExtension(x509.BasicConstraintsExtension)).toMatchObject({ ca: false });
    expect(leaf.getExtension(x509.KeyUsagesExtension)?.usages).toBe(x509.KeyUsageFlags.digitalSignature);
    expect(leaf.getExtension(x509.ExtendedKeyUsageExtension)?.usages).toEqual([x509.ExtendedKeyUsage.serverAuth]);
    expect(leaf.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON()).toEqual([
      { type: 'dns', value: 'app.localhost' },
    ]);
    expect(leaf.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId).toBe(
      issuer.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId,
    );
    expect(leaf.serialNumber).toMatch(/^[4-7][0-9a-f]{31}$/);
  });

  test('a name that is too long for a common name stands in the alternative names whole', async () => {
    const name = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.localhost`;
    const leaf = new X509Certificate((await pairFor(name)).certificate);
    expect(leaf.checkHost(name)).toBe(name);
    expect(leaf.subject.length).toBe('CN='.length + 64);
  });

  test('years from 2050 on are written with four digits (RFC 5280 §4.1.2.5)', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const certificate = new X509Certificate(selfSigned(key, 'late', Date.UTC(2045, 0, 2)));
    expect(certificate.validFromDate.toISOString()).toBe('2045-01-01T00:00:00.000Z');
    expect(certificate.validToDate.getUTCFullYear()).toBe(2054);
  });

  test('an authority with an RSA key can sign too', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const issuer = issuerOf({ certificate: selfSigned(key, 'rsa', now), key });
    const leaf = new X509Certificate(issueLeaf(issuer, ['a.test'], { nowMs: now }).certificate);
    expect(leaf.verify(issuer.certificate.publicKey)).toBe(true);
    expect(leaf.checkIssued(issuer.certificate)).toBe(true);
  });

  test('no leaf is valid for longer than clients accept', async () => {
    const leaf = new X509Certificate((await pairFor('localhost')).certificate);
    expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBeLessThanOrEqual(398 * DAY_MS);
  });
});

describe('what is kept', () => {
  test('keys can be read by their owner alone', async () => {
    await pairFor('localhost');
    for (const file of ['ca-key.pem', 'local/localhost-key.pem'])
      expect(statSync(caFile(file)).mode & 0o777).toBe(0o600);
  });

  test('a key of the authority that others could read is closed to them, and that it was open is said', async () => {
    await pairFor('localhost');
    chmodSync(caFile('ca-key.pem'), 0o644);
    await pairFor('localhost');
    expect(statSync(caFile('ca-key.pem')).mode & 0o777).toBe(0o600);
    expect(said).toEqual([`${caFile('ca-key.pem')} could be read by others (mode 0644); it has mode 0600 now`]);
  });

  test('what was minted is used again, until it is about to run out', async () => {
    const first = await pairFor('localhost');
    now += 300 * DAY_MS;
    expect(await pairFor('localhost')).toEqual(first);
    now += 80 * DAY_MS;
    const renewed = await pairFor('localhost');
    expect(renewed.certificate).not.toBe(first.certificate);
    expect(new X509Certificate(renewed.certificate).validToDate.getTime()).toBeGreaterThan(now + 300 * DAY_MS);
  });

  test('lists of names that begin alike do not replace each other', async () => {
    const first = await pairFor('localhost', 'a.test');
    const second = await pairFor('localhost', 'b.test');
    expect(new X509Certificate(second.certificate).checkHost('b.test')).toBe('b.test');
    expect(await pairFor('localhost', 'a.test')).toEqual(first);
  });

  test('a name that looks like the key file of another does not disturb it', async () => {
    const first = await pairFor('a');
    const second = await pairFor('a-key');
    expect([await pairFor('a'), await pairFor('a-key')]).toEqual([first, second]);
    expect(said).toEqual([]);
  });

  test('a leaf of another authority, with another key, or that is garbage, is replaced', async () => {
    const first = await pairFor('localhost');
    rmSync(caFile('ca.pem'));
    rmSync(caFile('ca-key.pem'));
    const second = await pairFor('localhost');
    expect(second.certificate).not.toBe(first.certificate);
    writeFileSync(caFile('local/localhost-key.pem'), first.key, { mode: 0o600 });
    const third = await pairFor('localhost');
    expect(new X509Certificate(third.certificate).checkPrivateKey(createPrivateKey(third.key))).toBe(true);
    writeFileSync(caFile('local/localhost.pem'), 'garbage');
    expect(new X509Certificate((await pairFor('localhost')).certificate).checkHost('localhost')).toBe('localhost');
  });

  test('gateways that start together agree on one authority', async () => {
    const issuers = await Promise.all(Array.from({ length: 8 }, () => authority().open()));
    expect(new Set(issuers.map(({ pair }) => pair.certificate)).size).toBe(1);
    expect(readdirSync(directory).sort()).toEqual(['ca-key.pem', 'ca.pem']);
  });

  test('an authority whose key is gone is replaced; one that is not an authority is refused', async () => {
    await pairFor('localhost');
    const old = readFileSync(caFile('ca.pem'), 'utf8');
    rmSync(caFile('ca-key.pem'));
    const leaf = await pairFor('localhost');
    expect(readFileSync(caFile('ca.pem'), 'utf8')).not.toBe(old);
    writeFileSync(caFile('ca.pem'), leaf.certificate);
    writeFileSync(caFile('ca-key.pem'), leaf.key);
    await expect(authority().open()).rejects.toThrow('the certificate is not one of an authority');
  });

  test('an authority that somebody else has made is never removed: what is wrong with it is said', async () => {
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    const certificate = selfSigned(String(key), 'Acme CA', START);
    const end = new X509Certificate(certificate).validToDate.getTime();
    writeFileSync(caFile('ca.pem'), certificate);
    await expect(authority().open()).rejects.toThrow(`its key is missing: ${caFile('ca-key.pem')}`);
    writeFileSync(caFile('ca-key.pem'), key, { mode: 0o600 });
    now = end - 10 * DAY_MS;
    const local = authority();
    const leaf = await local.certificateFor('a.test');
    now += DAY_MS;
    expect(await local.certificateFor('a.test')).toBe(leaf);
    now = end + 1;
    await expect(authority().open()).rejects.toThrow('it ended on 2036-11-18: put another in its place');
    expect(readFileSync(caFile('ca.pem'), 'utf8')).toBe(certificate);
    expect(readFileSync(caFile('ca-key.pem'), 'utf8')).toBe(String(key));
  });

  test('512 certificates are kept on disk, also of those that were asked for together', async () => {
    const before = authority();
    for (let i = 0; i < 500; i += 1) await before.certificateFor(`n${i}.dev.test`);
    const local = authority();
    await Promise.all(Array.from({ length: 40 }, (_, i) => local.certificateFor(`m${i}.dev.test`)));
    expect(readdirSync(caFile('local')).length).toBe(2 * 512);
  });

  test('512 certificates are kept on disk: names beyond are minted all the same', async () => {
    const local = authority();
    for (let i = 0; i < 520; i += 1) await local.certificateFor(`n${i}.dev.test`);
    expect(readdirSync(caFile('local')).length).toBe(2 * 512);
    expect(said).toEqual([`There are 512 certificates in ${caFile('local')}: no more are kept`]);
  });

  test('room is made by removing what has run out or is of another authority', async () => {
    const local = authority();
    for (let i = 0; i < 512; i += 1) await local.certificateFor(`n${i}.dev.test`);
    rmSync(caFile('ca.pem'));
    await authority().certificateFor('fresh.dev.test');
    expect(readdirSync(caFile('local')).sort()).toEqual(['fresh.dev.test-key.pem', 'fresh.dev.test.pem']);
  });

  test('a disk that can’t be written is said once and stops nothing', async () => {
    const local = authority();
    await local.open();
    writeFileSync(caFile('local'), 'a file in the way');
    expect(await local.certificateFor('a.test')).toMatchObject({ ocspResponse: null });
    expect(await local.certificateFor('b.test')).toMatchObject({ ocspResponse: null });
    expect(said.filter((message) => message.startsWith('Cannot keep minted certificates: '))).toHaveLength(1);
  });
});

describe('certificates on demand', () => {
  const open = (...names: string[]) =>
    LocalCertificates.open(authority(), { names, hosts: ['api.shop.test'] }, () => now);

  test('each name gets a certificate of its own, and always the same', async () => {
    const local = await open('localhost', '*.localhost', '127.0.0.1');
    const [one, two] = [await local.certificateFor('one.localhost'), await local.certificateFor('two.localhost')];
    const leaf = new X509Certificate(one?.pairs[0]?.certificate ?? '');
    expect(leaf.subjectAltName).toBe('DNS:one.localhost');
    expect(new X509Certificate(two?.pairs[0]?.certificate ?? '').subjectAltName).toBe('DNS:two.localhost');
    expect(local.certificateFor('one.localhost')).toBe(one);
  });

  test('handshakes that ask for a name together get one certificate', async () => {
    const local = await open('*.localhost');
    const asked = await Promise.all(Array.from({ length: 20 }, () => local.certificateFor('app.localhost')));
    expect(new Set(asked).size).toBe(1);
  });

  test('a client that names no host gets at once what the first names stand in', async () => {
    const local = await open('localhost', '*.localhost', '127.0.0.1', '::1');
    const found = local.certificateFor(null);
    if (found === null || found instanceof Promise) throw new Error('not at once');
    expect(new X509Certificate(found.pairs[0]?.certificate ?? '').subjectAltName).toBe(
      'DNS:localhost, DNS:*.localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    );
  });

  test.each([
    ['localhost', true],
    ['a.b.dev.test', true],
    ['api.shop.test', true],
    ['127.0.0.1', true],
    ['dev.test', false],
    ['other.test', false],
    ['evil.localhost', false],
    ['127.0.0.2', false],
    ['../../etc.dev.test', false],
    ['a/b.dev.test', false],
    ['a..dev.test', false],
    ['.dev.test', false],
    ['-a.dev.test', false],
    ['a\0.dev.test', false],
    ['*.dev.test', false],
    [`${'a'.repeat(64)}.dev.test`, false],
    [`${'a.'.repeat(123)}dev.test`, false],
    [`${'a.'.repeat(122)}dev.test`, true],
  ])('may %s be minted? %s', async (name, may) => {
    const local = await open('localhost', '*.dev.test', '127.0.0.1');
    const found = await local.certificateFor(name);
    expect(found !== null).toBe(may);
  });

  test('a certificate that is about to run out is replaced while the gateway runs', async () => {
    const local = await open('localhost', '*.localhost');
    const [named, nameless] = [await local.certificateFor('app.localhost'), local.certificateFor(null)];
    now += 380 * DAY_MS;
    const renewed = await local.certificateFor('app.localhost');
    expect(renewed).not.toBe(named);
    expect(new X509Certificate(renewed?.pairs[0]?.certificate ?? '').validToDate.getTime()).toBeGreaterThan(
      now + 300 * DAY_MS,
    );
    // The old one is still good: it is shown until the new one is there.
    expect(local.certificateFor(null)).toBe(nameless);
    await expect.poll(() => local.certificateFor(null)).not.toBe(nameless);
  });

  test('the least recently used of more than 512 makes room', async () => {
    const local = await open('*.dev.test');
    const kept = await local.certificateFor('kept.dev.test');
    const dropped = await local.certificateFor('dropped.dev.test');
    for (let i = 0; i < 511; i += 1) {
      await local.certificateFor(`n${i}.dev.test`);
      expect(local.certificateFor('kept.dev.test')).toBe(kept);
    }
    expect(local.certificateFor('dropped.dev.test')).toBeInstanceOf(Promise);
    expect(await local.certificateFor('dropped.dev.test')).toEqual(dropped);
  });
});
