import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

/** A public key as RFC 7517 writes it. */
export type PublicJwk = Readonly<Record<string, unknown>> & { readonly kty?: unknown };

/** The key that an account with a certificate authority is known by: ECDSA on P-256. */
export interface AccountKey {
  readonly privateKey: KeyObject;
  readonly jwk: PublicJwk;
  /** RFC 7638, what key authorizations end in (RFC 8555 §8.1). */
  readonly thumbprint: string;
}

/** A new key and its PEM text (PKCS#8). */
export function generateAccountKey(): { readonly key: AccountKey; readonly pem: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { key: withPublicPart(privateKey), pem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
}

/** A stored key, or `null` for a text that holds no ECDSA P-256 key. */
export function accountKeyOf(pem: string): AccountKey | null {
  try {
    const privateKey = createPrivateKey(pem);
    return privateKey.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? withPublicPart(privateKey) : null;
  } catch {
    // ERR_OSSL_…: half a file, or something else under its name.
    return null;
  }
}

function withPublicPart(privateKey: KeyObject): AccountKey {
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' }) as PublicJwk;
  return { privateKey, jwk, thumbprint: thumbprintOf(jwk) };
}

/** Members that identify a key, in the order that RFC 7638 §3.2 hashes them. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = { EC: ['crv', 'kty', 'x', 'y'], RSA: ['e', 'kty', 'n'] };

/** The SHA-256 thumbprint of RFC 7638 §3, base64url. Throws `TypeError` for a kind of key that it does not know. */
export function thumbprintOf(jwk: PublicJwk): string {
  const members = REQUIRED[String(jwk.kty)];
  if (members === undefined) throw new TypeError(`Cannot take the thumbprint of a key of kind "${String(jwk.kty)}"`);
  const canonical = JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]])));
  return createHash('sha256').update(canonical).digest('base64url');
}
