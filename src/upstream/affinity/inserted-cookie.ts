import { createHmac } from 'node:crypto';
import { cookieValue, setCookieField } from '../../http/cookie.ts';
import type { HeaderList } from '../../http/headers.ts';
import type { Endpoint } from '../endpoint.ts';
import { type Affinity, keepsSession, type SessionAnswer } from './affinity.ts';

export interface InsertedCookieOptions {
  /** Name of the cookie. Pools that one browser reaches on one host need different names. */
  readonly cookie: string;
  /**
   * At least one: the first signs, all are understood. Gateways with the same secrets understand each other's cookies. They
   * must outlive a reload, or every session moves.
   */
  readonly secrets: readonly string[];
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
 * Sticky sessions by a cookie of our own, signed and opaque: 32 base64url characters, an 8-byte keyed handle of the endpoint's id
 * and a 16-byte MAC over it. It holds no address, and without the secret nobody can tell which endpoint it names or make one.
 *
 * Every valid value is computed here, once, so that reading a cookie is one lookup by its text and verifies it at the same
 * time. No constant-time comparison is needed: a hash lookup does not tell how many characters of a guess were right, and
 * a forged value would gain what the client gets by being assigned that endpoint. Bounded: members × secrets values.
 */
export class InsertedCookie implements Affinity {
  readonly #name: string;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #cookies = new Map<Endpoint, PreparedCookie>();

  constructor(options: InsertedCookieOptions, endpoints: readonly Endpoint[]) {
    this.#name = options.cookie;
    for (const endpoint of endpoints) {
      const [value = '', ...older] = options.secrets.map((secret) => signedHandle(secret, endpoint.id));
      for (const known of [value, ...older]) this.#endpoints.set(known, endpoint);
      this.#cookies.set(endpoint, {
        value,
        overTls: setCookie(options, value, true),
        overPlain: setCookie(options, value, false),
      });
    }
  }

  sessionOf(headers: HeaderList): string | null {
    return cookieValue(headers, this.#name);
  }

  pick(session: string, tried: readonly Endpoint[] | null, panicking: boolean): Endpoint | null {
    const endpoint = this.#endpoints.get(session);
    return endpoint !== undefined && keepsSession(endpoint, tried, panicking) ? endpoint : null;
  }

  /** A cookie for who has none, an unknown one, one of an older secret, and for a session that moved. Prepared: one lookup. */
  answered(endpoint: Endpoint, { session, overTls }: SessionAnswer): string | null {
    const prepared = this.#cookies.get(endpoint);
    // Discovery has taken it out of the pool since the request went there: nothing would come of naming it.
    if (prepared === undefined || session === prepared.value) return null;
    return overTls ? prepared.overTls : prepared.overPlain;
  }

  /** They are with the clients, and nowhere else. */
  sessionsAt(): null {
    return null;
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

function setCookie(options: InsertedCookieOptions, value: string, overTls: boolean): string {
  return setCookieField({
    name: options.cookie,
    value,
    path: options.path,
    ...(options.domain === null ? {} : { domain: options.domain }),
    secure: isSecure(options, overTls),
    httpOnly: options.httpOnly,
    sameSite: options.sameSite,
    ...(options.maxAgeMs === null ? {} : { maxAgeMs: options.maxAgeMs }),
  });
}

/** Browsers drop what is `SameSite=None` without Secure (RFC 6265bis §5.7), so it never goes out like that. */
function isSecure({ secure, sameSite }: InsertedCookieOptions, overTls: boolean): boolean {
  return secure === 'always' || sameSite === 'none' || (secure === 'auto' && overTls);
}
