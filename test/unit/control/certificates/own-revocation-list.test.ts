import 'reflect-metadata';
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newKey, selfSigned } from '../../../../src/control/certificates/authority.ts';
import { type Issuer, issuerOf } from '../../../../src/control/certificates/issuer.ts';
import { LocalAuthority } from '../../../../src/control/certificates/local-authority.ts';
import { OwnRevocationList } from '../../../../src/control/certificates/own-revocation-list.ts';

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 10, 21);
const URL = 'http://127.0.0.1:4600/ca.crl';

const rsaKey = (): string =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

function issuer(key: string): Issuer {
  return issuerOf({ certificate: selfSigned(key, 'an authority', START), key });
}

function isSignedBy(list: x509.X509Crl, { pair }: Issuer): Promise<boolean> {
  return list.verify({ publicKey: new x509.X509Certificate(pair.certificate) }, webcrypto as Crypto);
}

describe('the list (RFC 5280 §5)', () => {
  test.each([
    ['ECDSA', newKey],
    ['RSA', rsaKey],
  ])('of an authority with an %s key is signed by it, names it, and is empty', async (_kind, makeKey) => {
    const authority = issuer(makeKey());
    const list = new x509.X509Crl(new OwnRevocationList().of(authority, START));
    expect(await isSignedBy(list, authority)).toBe(true);
    expect(await isSignedBy(list, issuer(makeKey()))).toBe(false);
    expect(list.version).toBe(1); // v2 (§5.1.2.1)
    expect(list.issuer).toBe('CN=an authority, O=Headgate');
    expect(list.entries).toEqual([]);
    expect(list.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId).toBe(
      Buffer.from(authority.keyId ?? []).toString('hex'),
    );
  });

  test('is valid from a day ago for a week from now', () => {
    const list = new x509.X509Crl(new OwnRevocationList().of(issuer(newKey()), START));
    expect(list.thisUpdate.getTime()).toBe(START - DAY_MS);
    expect(list.nextUpdate?.getTime()).toBe(START + 7 * DAY_MS);
  });

  test('stays the same for half its life; the next one has a greater number (§5.2.3), also after a restart', () => {
    const lists = new OwnRevocationList();
    const authority = issuer(newKey());
    const first = lists.of(authority, START);
    expect(lists.of(authority, START + 3.4 * DAY_MS)).toBe(first);
    const second = lists.of(authority, START + 3.5 * DAY_MS);
    const restarted = new OwnRevocationList().of(authority, START + 3.5 * DAY_MS + 1);
    expect(numberOf(second)).toBeGreaterThan(numberOf(first));
    expect(numberOf(restarted)).toBeGreaterThan(numberOf(second));
  });

  test('is made anew when the clock is set back, and for another authority', async () => {
    const lists = new OwnRevocationList();
    const authority = issuer(newKey());
    lists.of(authority, START);
    const earlier = new x509.X509Crl(lists.of(authority, START - 30 * DAY_MS));
    expect(earlier.thisUpdate.getTime()).toBe(START - 31 * DAY_MS);
    const other = issuer(newKey());
    expect(await isSignedBy(new x509.X509Crl(lists.of(other, START - 30 * DAY_MS)), other)).toBe(true);
  });
});

describe('the local CA', () => {
  let directory = '';

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'headgate-crl-'));
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  function authority(revocationListUrl?: string): LocalAuthority {
    const where = revocationListUrl === undefined ? {} : { revocationListUrl };
    return new LocalAuthority({ directory, now: () => START, ...where });
  }

  test('has no list before it is there', async () => {
    const local = authority(URL);
    expect(local.revocationList()).toBeNull();
    await local.open();
    expect(local.revocationList()).not.toBeNull();
  });

  test('names its list in what it mints (§4.2.1.13), and only if it is known where that is', async () => {
    expect(namedIn(await authority().filesFor(['plain.test']))).toEqual([]);
    expect(namedIn(await authority(URL).filesFor(['listed.test']))).toEqual([URL]);
  });

  test('mints anew, once, what it stored without the list or with the address that was', async () => {
    const plain = await authority().filesFor(['localhost']);
    const listed = await authority(URL).filesFor(['localhost']);
    expect(listed.pair).not.toEqual(plain.pair);
    expect((await authority(URL).filesFor(['localhost'])).pair).toEqual(listed.pair);
    // `headgate cert` does not know of a list: what is there is good.
    expect((await authority().filesFor(['localhost'])).pair).toEqual(listed.pair);
    const moved = URL.replace('4600', '460');
    expect(namedIn(await authority(moved).filesFor(['localhost']))).toEqual([moved]);
  });

  test('publishes none for an authority of yours, which may have revoked something', async () => {
    const key = newKey();
    writeFileSync(join(directory, 'ca.pem'), selfSigned(key, 'Company CA', START));
    writeFileSync(join(directory, 'ca-key.pem'), key, { mode: 0o600 });
    const local = authority(URL);
    expect(namedIn(await local.filesFor(['localhost']))).toEqual([]);
    expect(local.revocationList()).toBeNull();
  });
});

function namedIn({ pair }: { readonly pair: { readonly certificate: string } }): (string | undefined)[] {
  const extension = new x509.X509Certificate(pair.certificate).getExtension(x509.CRLDistributionPointsExtension);
  const points = extension?.distributionPoints ?? [];
  return points.flatMap(({ distributionPoint }) =>
    (distributionPoint?.fullName ?? []).map(({ uniformResourceIdentifier }) => uniformResourceIdentifier),
  );
}

/** The CRL number: an INTEGER of up to 20 octets. */
function numberOf(list: Uint8Array): bigint {
  const value = new Uint8Array(new x509.X509Crl(list).getExtension('2.5.29.20')?.value ?? new ArrayBuffer(0));
  return BigInt(`0x${Buffer.from(value.subarray(2)).toString('hex')}`);
}
