import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { TestCertificate } from './certificate.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

export interface LeafOptions {
  /** Default `CN=alice`. */
  readonly subject?: string;
  readonly names?: readonly { readonly type: 'dns' | 'email' | 'url' | 'ip'; readonly value: string }[];
  /** Milliseconds since the epoch. Default: in two days. */
  readonly notAfter?: number;
  /** Default `client`. */
  readonly purpose?: 'client' | 'server';
}

/** A leaf and its key; `cert` begins with the leaf and goes on with the intermediates. */
export interface Leaf extends TestCertificate {
  readonly serial: string;
  readonly der: Buffer;
}

/** An authority for client certificates, made for one test. */
export class ClientAuthority {
  /** PEM. */
  readonly cert: string;
  readonly #certificate: x509.X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;
  /** PEM of what stands between its leaves and the root. */
  readonly #chain: string;
  #serial = 0x10;

  private constructor(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair, chain: string) {
    this.#certificate = certificate;
    this.#keys = keys;
    this.#chain = chain;
    this.cert = pem(certificate);
  }

  get der(): Buffer {
    return Buffer.from(this.#certificate.rawData);
  }

  static async create(name: string): Promise<ClientAuthority> {
    x509.cryptoProvider.set(webcrypto);
    const keys = await keyPair();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: '01',
      name: `CN=${name}`,
      ...validity(),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: authorityExtensions(),
    });
    return new ClientAuthority(certificate, keys, '');
  }

  /** An authority signed by this one, which clients show with their certificates. */
  async intermediate(name: string): Promise<ClientAuthority> {
    const keys = await keyPair();
    const certificate = await this.#sign(`CN=${name}`, keys.publicKey, authorityExtensions());
    return new ClientAuthority(certificate, keys, pem(certificate) + this.#chain);
  }

  async issue(options: LeafOptions = {}): Promise<Leaf> {
    const keys = await keyPair();
    const names = options.names ?? [];
    const usage = options.purpose === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
    const extensions = [
      new x509.ExtendedKeyUsageExtension([usage]),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...names])]),
    ];
    const certificate = await this.#sign(options.subject ?? 'CN=alice', keys.publicKey, extensions, options.notAfter);
    const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
    return {
      cert: pem(certificate) + this.#chain,
      key: `-----BEGIN PRIVATE KEY-----\n${key.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`,
      serial: certificate.serialNumber,
      der: Buffer.from(certificate.rawData),
    };
  }

  /** A revocation list of these leaves, PEM. */
  async revoke(...leaves: readonly Leaf[]): Promise<string> {
    const list = await x509.X509CrlGenerator.create({
      issuer: this.#certificate.subject,
      thisUpdate: new Date(Date.now() - DAY_MS),
      nextUpdate: new Date(Date.now() + DAY_MS),
      signingAlgorithm: ALGORITHM,
      signingKey: this.#keys.privateKey,
      entries: leaves.map(({ serial }) => ({ serialNumber: serial, revocationDate: new Date(Date.now() - DAY_MS) })),
    });
    // RFC 7468 §6: the label is "X509 CRL"; the generator's is one that OpenSSL does not know.
    return `${list.toString('pem').replaceAll(/(BEGIN|END) CRL/g, '$1 X509 CRL')}\n`;
  }

  #sign(subject: string, publicKey: webcrypto.CryptoKey, extensions: x509.Extension[], notAfter?: number) {
    this.#serial += 1;
    return x509.X509CertificateGenerator.create({
      serialNumber: this.#serial.toString(16),
      subject,
      issuer: this.#certificate.subject,
      ...validity(notAfter),
      signingAlgorithm: ALGORITHM,
      publicKey,
      signingKey: this.#keys.privateKey,
      extensions,
    });
  }
}

function keyPair(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function validity(notAfter = Date.now() + 2 * DAY_MS) {
  return { notBefore: new Date(Date.now() - 3 * DAY_MS), notAfter: new Date(notAfter) };
}

function authorityExtensions(): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}
