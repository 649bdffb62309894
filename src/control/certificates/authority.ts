import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { isIP } from 'node:net';
import type { KeyPair } from '../../exchange/certificate.ts';
import { addressOctets } from './address-octets.ts';
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  time,
  utf8String,
} from './der-writer.ts';
import type { Issuer } from './issuer.ts';
import { distributionPoint } from './own-revocation-list.ts';
import { algorithmOf, extension, signedWith } from './signed-structure.ts';

// Written by hand: a general ASN.1 package costs 150 ms of CPU at its import and 4 ms a leaf; this is 0.3 ms a leaf and nothing before.

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
/** Apple's clients refuse leaves of more than 825 days from a private authority; public ones end at 398. Stay below both. */
const LEAF_DAYS = 397;
/** Clocks of containers and phones run late: a certificate from "now" would not be valid yet for them. */
const BACKDATE_MS = DAY_MS;

/** A new key for an authority: ECDSA P-256, PKCS#8 in PEM. */
export function newKey(): string {
  return exported(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
}

/** The certificate of a new authority with `key`, for this machine only: path length 0, so that it signs leaves and nothing else. PEM. */
export function selfSigned(key: string, commonName: string, nowMs: number): string {
  const privateKey = createPrivateKey(key);
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const subject = nameOf([OIDS.commonName, commonName], [OIDS.organization, 'Headgate']);
  return signed(
    {
      issuer: subject,
      subject,
      notBeforeMs: nowMs - BACKDATE_MS,
      notAfterMs: nowMs + AUTHORITY_DAYS * DAY_MS,
      publicKey,
      extensions: [
        extension(OIDS.basicConstraints, sequence(boolean(true), integer(Buffer.from([0]))), 'critical'),
        // keyCertSign (5) and cRLSign (6), RFC 5280 §4.2.1.3
        extension(OIDS.keyUsage, bitString(Buffer.from([0b0000_0110]), 1), 'critical'),
        extension(OIDS.subjectKeyId, octetString(keyIdOf(publicKey))),
      ],
    },
    privateKey,
  );
}

export interface LeafTerms {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Where the issuer's revocation list can be fetched. Default `null`: nowhere, and the leaf says nothing of it. */
  readonly revocationList?: string | null;
}

/**
 * A leaf for `names` (host names or IP addresses, RFC 5280 §4.2.1.6; at least one), signed by `issuer`, whose certificate is
 * appended to the chain. Synchronous; 0.3 ms of CPU.
 */
export function issueLeaf(
  issuer: Issuer,
  names: readonly string[],
  { nowMs, revocationList = null }: LeafTerms,
): KeyPair {
  const { privateKey, publicKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = key.export({ type: 'spki', format: 'der' });
  const certificate = signed(
    {
      issuer: issuer.subject,
      // For people who list certificates: clients look at the alternative names alone (RFC 9525 §6.3).
      subject: nameOf([OIDS.commonName, commonNameOf(names)]),
      notBeforeMs: nowMs - BACKDATE_MS,
      notAfterMs: Math.min(nowMs + LEAF_DAYS * DAY_MS, issuer.notAfterMs),
      publicKey,
      extensions: [
        extension(OIDS.basicConstraints, sequence(), 'critical'),
        // digitalSignature (0)
        extension(OIDS.keyUsage, bitString(Buffer.from([0b1000_0000]), 7), 'critical'),
        extension(OIDS.extendedKeyUsage, sequence(oid(OIDS.serverAuth))),
        extension(OIDS.subjectAltName, sequence(...names.map(generalName))),
        extension(OIDS.subjectKeyId, octetString(keyIdOf(publicKey))),
        ...(issuer.keyId === null ? [] : [extension(OIDS.authorityKeyId, sequence(implicit(0, issuer.keyId)))]),
        ...(revocationList === null ? [] : [distributionPoint(revocationList)]),
      ],
    },
    issuer.key,
  );
  return { certificate: `${certificate}${issuer.pair.certificate}`, key: exported(privateKey) };
}

const OIDS = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

interface Certificate {
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly extensions: readonly Uint8Array[];
}

/** RFC 5280 §4.1, version 3, PEM. */
function signed(certificate: Certificate, key: KeyObject): string {
  const tbs = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serialNumber()),
    algorithmOf(key),
    certificate.issuer,
    sequence(time(certificate.notBeforeMs), time(certificate.notAfterMs)),
    certificate.subject,
    certificate.publicKey,
    explicit(3, sequence(...certificate.extensions)),
  );
  return pem('CERTIFICATE', signedWith(key, tbs));
}

function nameOf(...attributes: readonly (readonly [id: string, value: string])[]): Buffer {
  return sequence(...attributes.map(([id, value]) => setOf(sequence(oid(id), utf8String(value)))));
}

function generalName(name: string): Buffer {
  return isIP(name) === 0 ? implicit(2, Buffer.from(name, 'latin1')) : implicit(7, addressOctets(name));
}

/** RFC 5280 appendix A limits a common name to 64 characters. */
function commonNameOf(names: readonly string[]): string {
  const name = names[0] ?? 'localhost';
  return name.length <= 64 ? name : name.slice(-64);
}

/** RFC 5280 §4.2.1.2 method 1 shortens a digest of the key; any digest will do, and this one is RFC 7093 §2 method 1. */
function keyIdOf(publicKey: Uint8Array): Buffer {
  return createHash('sha256').update(publicKey).digest().subarray(0, 20);
}

/** Positive, random, 16 octets (RFC 5280 §4.1.2.2). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return bytes;
}

function exported(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
