import { X509Certificate } from 'node:crypto';
import type { ClientCertificateFacts } from '../../exchange/client-certificate.ts';
import type { ClientCertificatePolicy } from '../../exchange/tls-policy.ts';

/** Clients whose facts are kept: a resumed session has their certificate, but not the chain that was shown with it. */
const MAX_REMEMBERED = 4096;
/** Certificates that are looked at for the chain. OpenSSL bounds what a client may send by size, not by number. */
const MAX_CHAIN = 10;

/** The facts of verified client certificates, worked out once for each certificate. At most `MAX_REMEMBERED`, the oldest forgotten first. */
export class ClientCertificates {
  readonly #known = new Map<string, ClientCertificateFacts>();
  readonly #authorities = new WeakMap<ClientCertificatePolicy, readonly X509Certificate[]>();

  /** `certificate` must have been verified under `policy`. */
  factsOf(certificate: X509Certificate, policy: ClientCertificatePolicy): ClientCertificateFacts {
    const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
    const known = this.#known.get(fingerprint);
    const chain = this.#chainOf(certificate, policy);
    if (known !== undefined && (chain === null || chain === known.chainField)) return known;
    const facts = factsOf(certificate, fingerprint, chain);
    this.#known.delete(fingerprint);
    this.#known.set(fingerprint, facts);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_REMEMBERED) break;
      this.#known.delete(oldest);
    }
    return facts;
  }

  /** RFC 9440 §2.3: each certifies the one before it; the authority itself may be left out, and is. */
  #chainOf(certificate: X509Certificate, policy: ClientCertificatePolicy): string | null {
    const shown = shownWith(certificate);
    if (shown.length === 0) return null;
    const members = pathTo(this.#authoritiesOf(policy), certificate, shown).map(({ raw }) => byteSequence(raw));
    return members.length === 0 ? null : members.join(', ');
  }

  #authoritiesOf(policy: ClientCertificatePolicy): readonly X509Certificate[] {
    const known = this.#authorities.get(policy);
    if (known !== undefined) return known;
    const blocks = policy.ca.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    const authorities = blocks.map((block) => new X509Certificate(block));
    this.#authorities.set(policy, authorities);
    return authorities;
  }
}

function factsOf(certificate: X509Certificate, fingerprint: string, chain: string | null): ClientCertificateFacts {
  return {
    // A subject without a word is `undefined`, whatever the types say: RFC 5280 §4.1.2.6 allows it, SPIFFE makes use of it.
    subject: distinguishedName(certificate.subject ?? ''),
    issuer: distinguishedName(certificate.issuer ?? ''),
    names: alternativeNames(certificate.subjectAltName ?? ''),
    fingerprint,
    serial: certificate.serialNumber.toLowerCase(),
    notAfter: certificate.validToDate.getTime(),
    field: byteSequence(certificate.raw),
    chainField: chain,
  };
}

/** A Byte Sequence of structured fields (RFC 9651 §4.1.8). */
function byteSequence(octets: Uint8Array): string {
  return `:${Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('base64')}:`;
}

/**
 * The certificates of `shown` that lead from `leaf` to one of `authorities`, which is left out itself; empty when there are
 * none between. Signatures are looked at: Node has what the client sent, whatever it was, and not what was verified.
 */
function pathTo(
  authorities: readonly X509Certificate[],
  leaf: X509Certificate,
  shown: readonly X509Certificate[],
): readonly X509Certificate[] {
  const path: X509Certificate[] = [];
  const rest = [...shown];
  let last = leaf;
  while (!authorities.some((authority) => hasSigned(authority, last))) {
    const index = rest.findIndex((candidate) => hasSigned(candidate, last));
    const [next] = index === -1 ? [] : rest.splice(index, 1);
    if (next === undefined) return [];
    path.push(next);
    last = next;
  }
  return path;
}

function hasSigned(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function shownWith(certificate: X509Certificate): readonly X509Certificate[] {
  const shown: X509Certificate[] = [];
  for (let next = certificate.issuerCertificate; next !== undefined; next = next.issuerCertificate) {
    if (shown.length === MAX_CHAIN) break;
    shown.push(next);
  }
  return shown;
}

/**
 * OpenSSL's name, one relative name per line with the country first, as RFC 4514 writes it: the last part first, commas between.
 * Values are escaped already as §2.4 says, so that a line break or " + " in one can't be taken for the end of it.
 */
export function distinguishedName(lines: string): string {
  return lines
    .split('\n')
    .reverse()
    .map((part) => part.replaceAll(' + ', '+'))
    .join(',');
}

const KINDS: Readonly<Record<string, string>> = {
  DNS: 'DNS',
  email: 'email',
  URI: 'URI',
  'IP Address': 'IP',
};

/**
 * The alternative names of Node's one text `DNS:a.test, URI:spiffe://a/b`, without kinds that nobody routes by. A value that could
 * be read in two ways is quoted there as in JSON (CVE-2021-44532): `DNS:"a.test, DNS:b.test"` is one name.
 */
export function alternativeNames(text: string): readonly string[] {
  const names: string[] = [];
  const pattern = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;
  for (let found = pattern.exec(text); found !== null && found[0] !== ''; found = pattern.exec(text)) {
    const [, kind = '', value = ''] = found;
    const label = KINDS[kind];
    if (label !== undefined) names.push(`${label}:${value.startsWith('"') ? String(JSON.parse(value)) : value}`);
  }
  return names;
}

const REASONS: Readonly<Record<string, string>> = {
  CERT_REVOKED: 'revoked',
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet-valid',
  INVALID_PURPOSE: 'wrong-purpose',
  CRL_HAS_EXPIRED: 'revocation-list-expired',
  CRL_NOT_YET_VALID: 'revocation-list-expired',
  UNABLE_TO_GET_CRL: 'revocation-list-missing',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown-ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown-ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown-ca',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'unknown-ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown-ca',
};

/** OpenSSL's verdict on a client certificate as an enumerated reason. */
export function verdictReason(code: string): string {
  return `client-certificate-${REASONS[code] ?? 'invalid'}`;
}
