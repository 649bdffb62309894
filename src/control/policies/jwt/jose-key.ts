import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { compactVerify, type JWK } from 'jose';
import type { TokenKey } from '../../../policy/auth/token-keys.ts';

/** RFC 7518 §3.3: what is shorter can be factored. */
const MIN_RSA_BITS = 2048;

const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const;
/** By the names that OpenSSL has for curves. */
const ECDSA: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };
/** The second name is that of RFC 9864. */
const ED25519 = ['EdDSA', 'Ed25519'] as const;

/** Octets that a shared secret has at least: as many as the hash (RFC 7518 §3.2). */
export const HMAC_OCTETS: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };

/** Members of public keys (RFC 7518 §6, RFC 8037 §2). Nothing else of a JWK is looked at, least of all where it says that more can be found. */
const PUBLIC_MEMBERS = ['kty', 'n', 'e', 'crv', 'x', 'y'] as const;

/** A JWK (RFC 7517 §4) that signatures are verified with, or why it is none: lower case, nothing of the key. */
export function jwkKey(jwk: unknown): TokenKey | string {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return 'it is no JSON object';
  const { kty, kid, alg, use, key_ops: operations, d } = jwk as Readonly<Record<string, unknown>>;
  if (kty === 'oct') return 'it is a shared secret, and would be known to everybody who can read it: give it as secret';
  if (d !== undefined) return 'it is a private key: give the public one';
  if (kid !== undefined && typeof kid !== 'string') return 'its kid is no text';
  if (alg !== undefined && typeof alg !== 'string') return 'its alg is no text';
  if (use !== undefined && use !== 'sig') return 'it is not for signatures';
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'it is not for verifying';
  }
  const members = PUBLIC_MEMBERS.flatMap((name) => {
    const value = (jwk as Readonly<Record<string, unknown>>)[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  const key = imported(() => createPublicKey({ key: Object.fromEntries(members) as JWK, format: 'jwk' }));
  return key === null ? 'it is no public key' : publicKey(key, kid ?? null, alg ?? null);
}

/** A public key or certificate in PEM, or why it is none. */
export function pemKey(pem: string): TokenKey | string {
  if (pem.includes('PRIVATE KEY')) return 'it is a private key: give the public one';
  const key = imported(() => createPublicKey(pem));
  return key === null ? 'it is no public key in PEM' : publicKey(key, null, null);
}

/** A shared secret; it verifies what it is long enough for. */
export function secretKey(secret: string): TokenKey {
  const octets = Buffer.from(secret, 'utf8');
  const fit = Object.entries(HMAC_OCTETS).flatMap(([algorithm, least]) =>
    octets.byteLength >= least ? [algorithm] : [],
  );
  return tokenKey(createSecretKey(octets), null, fit);
}

function publicKey(key: KeyObject, kid: string | null, alg: string | null): TokenKey | string {
  const algorithms = algorithmsOf(key);
  if (typeof algorithms === 'string') return algorithms;
  if (alg === null) return tokenKey(key, kid, algorithms);
  if (!algorithms.includes(alg)) return 'its alg is not for keys of its kind';
  return tokenKey(key, kid, [alg]);
}

function algorithmsOf({
  asymmetricKeyType: type,
  asymmetricKeyDetails: details,
}: KeyObject): readonly string[] | string {
  if (type === 'rsa') {
    return (details?.modulusLength ?? 0) >= MIN_RSA_BITS ? RSA : `its RSA modulus is shorter than ${MIN_RSA_BITS} bits`;
  }
  const curve = type === 'ec' ? ECDSA[details?.namedCurve ?? ''] : undefined;
  if (curve !== undefined) return [curve];
  return type === 'ed25519' ? ED25519 : 'keys of its kind are not known here: RSA, P-256, P-384, P-521 and Ed25519 are';
}

/**
 * Verified by WebCrypto on a thread of the pool. On the event loop a signature costs 20 µs with RSA and Ed25519, 27 with ES256 and 45 with
 * ES512 that way; verified on the loop itself 18, 71, 50 and 1 050.
 */
function tokenKey(key: KeyObject, kid: string | null, algorithms: readonly string[]): TokenKey {
  return {
    kid,
    algorithms: new Set(algorithms),
    async verify(token, algorithm) {
      try {
        await compactVerify(token, key, { algorithms: [algorithm] });
        return true;
      } catch {
        // A wrong signature is an error there, and whatever else is the matter with it is no better.
        return false;
      }
    },
  };
}

function imported(make: () => KeyObject): KeyObject | null {
  try {
    return make();
  } catch {
    // What OpenSSL says of it may repeat some of it.
    return null;
  }
}
