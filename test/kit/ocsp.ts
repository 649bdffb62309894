import { createHash, createPrivateKey, sign } from 'node:crypto';
import { element, explicit, implicit, octetString, oid, sequence } from '../../src/control/certificates/der-writer.ts';
import type { Minted } from './pki.ts';

export interface OcspAnswer {
  readonly of: Minted;
  readonly issuer: Minted;
  /** Default: the issuer. Its certificate is put into the response. */
  readonly signer?: Minted;
  readonly status?: 'good' | 'revoked' | 'unknown';
  /** Epoch milliseconds; now and in an hour unless given. `null` for a response without an end. */
  readonly thisUpdate?: number;
  readonly nextUpdate?: number | null;
  readonly responderId?: 'name' | 'key';
}

const BASIC_RESPONSE = '1.3.6.1.5.5.7.48.1.1';
const SHA1 = '1.3.14.3.2.26';
const SIGNATURES = { ecdsa: '1.2.840.10045.4.3.2', rsa: '1.2.840.113549.1.1.11' } as const;

/** A whole OCSP response (RFC 6960 §4.2.1), as a responder would send it. */
export function ocspResponse(answer: OcspAnswer): Buffer {
  const { issuer, signer = issuer } = answer;
  const data = sequence(responderIdOf(answer), time(Date.now()), sequence(singleOf(answer)));
  const key = createPrivateKey(signer.key);
  const basic = sequence(
    data,
    sequence(oid(SIGNATURES[signer.kind])),
    element(0x03, Buffer.of(0), sign('sha256', data, key)),
    ...(signer === issuer ? [] : [explicit(0, sequence(Buffer.from(signer.certificate.rawData)))]),
  );
  return sequence(element(0x0a, Buffer.of(0)), explicit(0, sequence(oid(BASIC_RESPONSE), octetString(basic))));
}

/** A response that says that there is none: 3 is tryLater. */
export function ocspError(status: number): Buffer {
  return sequence(element(0x0a, Buffer.of(status)));
}

function singleOf({ of, issuer, status = 'good', thisUpdate, nextUpdate }: OcspAnswer): Buffer {
  const certId = sequence(
    sequence(oid(SHA1), element(0x05)),
    octetString(sha1(new Uint8Array(issuer.certificate.subjectName.toArrayBuffer()))),
    octetString(keyHashOf(issuer)),
    element(0x02, Buffer.from(of.certificate.serialNumber, 'hex')),
  );
  const statuses = {
    good: implicit(0, Buffer.alloc(0)),
    revoked: explicit(1, time(Date.now() - 60_000)),
    unknown: implicit(2, Buffer.alloc(0)),
  };
  const end = nextUpdate === undefined ? Date.now() + 3_600_000 : nextUpdate;
  return sequence(
    certId,
    statuses[status],
    time(thisUpdate ?? Date.now() - 1000),
    ...(end === null ? [] : [explicit(0, time(end))]),
  );
}

function responderIdOf({ issuer, signer = issuer, responderId = 'name' }: OcspAnswer): Buffer {
  return responderId === 'name'
    ? explicit(1, Buffer.from(signer.certificate.subjectName.toArrayBuffer()))
    : explicit(2, octetString(keyHashOf(signer)));
}

/** The last 65 octets of a P-256 key are the point; other keys are taken apart. */
function keyHashOf({ certificate, kind }: Minted): Buffer {
  const info = Buffer.from(certificate.publicKey.rawData);
  // SubjectPublicKeyInfo of an RSA key of 2048 bits: 24 octets of algorithm and headers before the key.
  return sha1(kind === 'ecdsa' ? info.subarray(-65) : info.subarray(24));
}

function time(epochMs: number): Buffer {
  const digits = new Date(epochMs)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:T]/g, '');
  return element(0x18, Buffer.from(digits));
}

function sha1(bytes: Uint8Array): Buffer {
  return createHash('sha1').update(bytes).digest();
}
