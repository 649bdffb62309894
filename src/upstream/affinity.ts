import { createHmac } from 'node:crypto';
import { setCookieField } from '../http/cookie.ts';
import type { Endpoint } from './endpoint.ts';

export interface AffinityOptions {
  /** Name of the cookie. Pools that one browser reaches on one host need different names. */
  readonly cookie: string;
  /** Gateways with the same secret understand each other's cookies. Must outlive a reload, or every session moves. */
  readonly secret: string;
  readonly path: string;
  readonly domain: string | null;
  /** `auto`: when the client came over TLS. */
  readonly secure: 'auto' | 'always' | 'never';
  readonly httpOnly: boolean;
  readonly sameSite: 'strict' | 'lax' | 'none';
  /** `null` for a session cookie. */
  readonly maxAgeMs: number | null;
}

const HANDLE_BYTES = 8;
const MAC_BYTES = 16;

/**
 * Sticky sessions by a signed, opaque cookie: 32 base64url characters, an 8-byte keyed handle of the endpoint's id and a
 * 16-byte MAC over it. It holds no address, and without the secret nobody can tell which endpoint it names or make one.
 *
 * Every valid value is computed here, once, so that reading a cookie is one lookup by its text and verifies it at the same
 * time. No constant-time comparison is needed: a hash lookup does not tell how many characters of a guess were right, and
 * a forged value would gain what the client gets by being assigned that endpoint.
 */
export class Affinity {
  readonly cookie: string;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #cookies = new Map<Endpoint, PreparedCookie>();

  constructor(options: AffinityOptions, endpoints: readonly Endpoint[]) {
    this.cookie = options.cookie;
    for (const endpoint of endpoints) {
      const value = signedHandle(options.secret, endpoint.id);
      this.#endpoints.set(value, endpoint);
      this.#cookies.set(endpoint, {
        value,
        overTls: setCookie(options, value, true),
        overPlain: setCookie(options, value, false),
      });
    }
  }

  /** The endpoint that a cookie value names; `null` for a forged one, a foreign secret's, or a removed endpoint's. */
  endpointOf(cookieValue: string): Endpoint | null {
    return this.#endpoints.get(cookieValue) ?? null;
  }

  /** The cookie value that names `endpoint`, which must be one of this pool. */
  cookieFor(endpoint: Endpoint): string {
    return this.#prepared(endpoint).value;
  }

  /** The complete `Set-Cookie` field value for `endpoint`; prepared, so it costs a lookup. */
  setCookie(endpoint: Endpoint, overTls: boolean): string {
    const prepared = this.#prepared(endpoint);
    return overTls ? prepared.overTls : prepared.overPlain;
  }

  #prepared(endpoint: Endpoint): PreparedCookie {
    const prepared = this.#cookies.get(endpoint);
    if (prepared === undefined) throw new Error(`Cannot make a cookie for ${endpoint.id}: it is not of this pool`);
    return prepared;
  }
}

interface PreparedCookie {
  readonly value: string;
  readonly overTls: string;
  readonly overPlain: string;
}

function signedHandle(secret: string, id: string): string {
  const handle = hmac(secret, `handle:${id}`).subarray(0, HANDLE_BYTES);
  const mac = hmac(secret, handle).subarray(0, MAC_BYTES);
  return Buffer.concat([handle, mac]).toString('base64url');
}

function hmac(secret: string, input: string | Uint8Array): Buffer {
  return createHmac('sha256', secret).update(input).digest();
}

function setCookie(options: AffinityOptions, value: string, overTls: boolean): string {
  return setCookieField({
    name: options.cookie,
    value,
    path: options.path,
    ...(options.domain === null ? {} : { domain: options.domain }),
    secure: options.secure === 'always' || (options.secure === 'auto' && overTls),
    httpOnly: options.httpOnly,
    sameSite: options.sameSite,
    ...(options.maxAgeMs === null ? {} : { maxAgeMs: options.maxAgeMs }),
  });
}
