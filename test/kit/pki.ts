import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

/** A certificate with its keys, and what else is needed to sign others with it. */
export interface Minted {
  /** PEM of the certificate alone. */
  readonly cert: string;
  /** PEM of the private key, PKCS#8. */
  readonly key: string;
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly kind: 'ecdsa' | 'rsa';
}

export interface MintOptions {
  /** Subject alternative names; `null` for a certificate without that extension. */
  readonly names: readonly string[] | null;
  readonly commonName?: string;
  readonly kind?: 'ecdsa' | 'rsa';
  /** In place of new ones, of this kind. */
  readonly keys?: webcrypto.CryptoKeyPair;
  /** Default: it signs itself. */
  readonly issuer?: Minted;
  /** May sign others. Default: when it signs itself. */
  readonly authority?: boolean;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** URL of the OCSP responder. */
  readonly ocsp?: string;
  /** RFC 7633. */
  readonly mustStaple?: boolean;
  /** May sign OCSP responses for its issuer. */
  readonly ocspSigning?: boolean;
}

const DAY_MS = 86_400_000;
const ALGORITHMS = {
  ecdsa: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  rsa: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  },
} as const;

/** One RSA key for all of a file's certificates: making one takes a while. */
let rsaKeys: Promise<webcrypto.CryptoKeyPair> | null = null;

export async function mint(options: MintOptions): Promise<Minted> {
  x509.cryptoProvider.set(webcrypto);
  const { kind = 'ecdsa', issuer, names, notBefore, notAfter } = options;
  const keys = options.keys ?? (await (kind === 'rsa' ? sharedRsaKeys() : generate('ecdsa')));
  const subject = `CN=${options.commonName ?? names?.[0] ?? 'nobody'}`;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: `40${randomBytes(15).toString('hex')}`,
    subject,
    issuer: issuer?.certificate.subject ?? subject,
    notBefore: notBefore ?? new Date(Date.now() - DAY_MS),
    notAfter: notAfter ?? new Date(Date.now() + 90 * DAY_MS),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: ALGORITHMS[issuer?.kind ?? kind],
    extensions: extensionsOf(options),
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await privateKeyPem(keys), certificate, keys, kind };
}

function extensionsOf({ names, issuer, authority, ocsp, mustStaple, ocspSigning }: MintOptions): x509.Extension[] {
  const extensions: x509.Extension[] = [
    new x509.BasicConstraintsExtension(authority ?? issuer === undefined, undefined, true),
  ];
  if (names !== null) {
    extensions.push(
      new x509.SubjectAlternativeNameExtension(
        names.map((name) => ({ type: isIP(name) === 0 ? ('dns' as const) : ('ip' as const), value: name })),
      ),
    );
  }
  if (ocsp !== undefined) extensions.push(new x509.AuthorityInfoAccessExtension({ ocsp }));
  // Features ::= SEQUENCE OF INTEGER, with status_request (5).
  if (mustStaple === true)
    extensions.push(new x509.Extension('1.3.6.1.5.5.7.1.24', false, Buffer.from('3003020105', 'hex')));
  if (ocspSigning === true) extensions.push(new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.ocspSigning]));
  return extensions;
}

function sharedRsaKeys(): Promise<webcrypto.CryptoKeyPair> {
  rsaKeys ??= generate('rsa');
  return rsaKeys;
}

function generate(kind: 'ecdsa' | 'rsa'): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHMS[kind], true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

async function privateKeyPem({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${key.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`;
}
