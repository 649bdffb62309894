import { createHmac, sign } from 'node:crypto';
import type { AccountKey, PublicJwk } from './account-key.ts';

/** Flattened JSON serialisation (RFC 7515 §7.2.2), the only one that ACME takes (RFC 8555 §6.2). */
export interface FlattenedJws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

/** Who signs: an account by its URL, or a key that has no account yet (RFC 8555 §6.2). */
export type Signer = { readonly kid: string } | { readonly jwk: PublicJwk };

/** `payload` signed with ES256 for one request; `null` is the empty payload of a POST-as-GET (RFC 8555 §6.3). */
export function signedRequest(
  key: AccountKey,
  header: { readonly url: string; readonly nonce: string; readonly signer: Signer },
  payload: unknown,
): FlattenedJws {
  const { url, nonce, signer } = header;
  const parts = encoded({ alg: 'ES256', ...signer, nonce, url }, payload === null ? '' : JSON.stringify(payload));
  const signature = sign('sha256', Buffer.from(`${parts.protected}.${parts.payload}`), {
    key: key.privateKey,
    // RFC 7518 §3.4: R and S side by side, not the DER that OpenSSL makes by default.
    dsaEncoding: 'ieee-p1363',
  });
  return { ...parts, signature: signature.toString('base64url') };
}

/** A key of an account that exists outside of ACME. */
export interface ExternalAccount {
  readonly kid: string;
  /** base64url, as authorities hand it out. */
  readonly hmac: string;
}

/** The account key, signed with what the authority handed out: the `externalAccountBinding` of RFC 8555 §7.3.4. */
export function externalAccountBinding(external: ExternalAccount, url: string, jwk: PublicJwk): FlattenedJws {
  const parts = encoded({ alg: 'HS256', kid: external.kid, url }, JSON.stringify(jwk));
  const mac = createHmac('sha256', Buffer.from(external.hmac, 'base64url'));
  return { ...parts, signature: mac.update(`${parts.protected}.${parts.payload}`).digest('base64url') };
}

function encoded(header: object, payload: string): { readonly protected: string; readonly payload: string } {
  return {
    protected: Buffer.from(JSON.stringify(header)).toString('base64url'),
    payload: Buffer.from(payload).toString('base64url'),
  };
}
