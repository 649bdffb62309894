import { createHmac } from 'node:crypto';
import { cookieValue, setCookieField } from '../../http/cookie.ts';
import type { HeaderList } from '../../http/headers.ts';

export interface SignedCookieOptions {
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
 * A cookie that names one of a few members, signed and opaque: 32 base64url characters, an 8-byte keyed handle of the member's id
 * and a 16-byte MAC over it. It holds no address, and without the secret nobody can tell which member it names or make one.
 *
 * Every valid value is computed here, once, so that reading a cookie is one lookup by its text and verifies it at the same
 * time. No constant-time comparison is needed: a hash lookup does not tell how many characters of a guess were right, and
 * a forged value would gain what the client gets by being assigned that member. Bounded: members × secrets values.
 */
export class SignedCookie<T> {
  readonly #name: string;
  readonly #members = new Map<string, T>();
  readonly #cookies = new Map<T, PreparedCookie>();

  constructor(options: SignedCookieOptions, members: readonly (readonly [id: string, member: T])[]) {
    this.#name = options.cookie;
    for (const [id, member] of members) {
      const [value = '', ...older] = options.secrets.map((secret) => signedHandle(secret, id));
      for (const known of [value, ...older]) this.#members.set(known, member);
      this.#cookies.set(member, {
        value,
        overTls: setCookie(options, value, true),
        overPlain: setCookie(options, value, false),
      });
    }
  }

  /** Value of the cookie in a request, verified or not; `null` without one. */
  valueIn(headers: HeaderList): string | null {
    return cookieValue(headers, this.#name);
  }

  /** Whom a value names; `undefined` for a forged one, a foreign secret's, and a removed member's. */
  memberOf(value: string): T | undefined {
    return this.#members.get(value);
  }

  /**
   * The Set-Cookie for a client that sent `value` and belongs to `member`: for who has none, an unknown one, one of an older secret,
   * and for who moved; else `null`. `null` also for a member that is not one any more: nothing would come of naming it. One lookup.
   */
  setCookie(member: T, value: string | null, overTls: boolean): string | null {
    const prepared = this.#cookies.get(member);
    if (prepared === undefined || value === prepared.value) return null;
    return overTls ? prepared.overTls : prepared.overPlain;
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

function setCookie(options: SignedCookieOptions, value: string, overTls: boolean): string {
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
function isSecure({ secure, sameSite }: SignedCookieOptions, overTls: boolean): boolean {
  return secure === 'always' || sameSite === 'none' || (secure === 'auto' && overTls);
}
