import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';

export const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;

/** Keys of an issuer, made for the test. */
export interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  /** Public, with `kid`, `alg` and `use`. */
  readonly jwk: JWK;
  readonly pem: string;
}

const made = new Map<string, Promise<SigningKey>>();

/** The same for the same algorithm and name: making RSA keys takes a while. */
export function signingKey(alg = 'ES256', kid = 'k1'): Promise<SigningKey> {
  const known = made.get(`${alg} ${kid}`) ?? make(alg, kid);
  made.set(`${alg} ${kid}`, known);
  return known;
}

async function make(alg: string, kid: string): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  return { alg, kid, privateKey, jwk, pem: await exportSPKI(publicKey) };
}

export interface TokenParts {
  /** Besides `alg` and `kid`; `undefined` leaves one out. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Besides those of `CLAIMS`; `undefined` leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Of a token that is sound for years. */
export const CLAIMS = { iss: 'https://issuer.test', aud: 'shop', sub: 'ada', iat: 1_700_000_000, exp: 4_000_000_000 };

export function token(key: SigningKey, { header = {}, claims = {} }: TokenParts = {}): Promise<string> {
  return new SignJWT({ ...CLAIMS, ...claims })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
    .sign(key.privateKey);
}

/** A part of a token, whatever is in it. */
export function part(content: string | object): string {
  return Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)).toString('base64url');
}

/** A token that nobody signed. */
export function unsigned(header: string | object, claims: string | object = CLAIMS, signature = 'c2ln'): string {
  return `${part(header)}.${part(claims)}.${signature}`;
}

/** What an issuer publishes. */
export function jwks(...keys: readonly SigningKey[]): string {
  return JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
}
