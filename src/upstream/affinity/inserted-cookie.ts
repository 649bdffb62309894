import type { HeaderList } from '../../http/headers.ts';
import type { Endpoint } from '../endpoint.ts';
import { type Affinity, keepsSession, type SessionAnswer } from './affinity.ts';
import { SignedCookie, type SignedCookieOptions } from './signed-cookie.ts';

/** Sticky sessions by a cookie of our own that names the endpoint. */
export class InsertedCookie implements Affinity {
  readonly #cookie: SignedCookie<Endpoint>;

  constructor(options: SignedCookieOptions, endpoints: readonly Endpoint[]) {
    this.#cookie = new SignedCookie(
      options,
      endpoints.map((endpoint) => [endpoint.id, endpoint]),
    );
  }

  sessionOf(headers: HeaderList): string | null {
    return this.#cookie.valueIn(headers);
  }

  pick(session: string, tried: readonly Endpoint[] | null, panicking: boolean): Endpoint | null {
    const endpoint = this.#cookie.memberOf(session);
    return endpoint !== undefined && keepsSession(endpoint, tried, panicking) ? endpoint : null;
  }

  peek(session: string, panicking: boolean): Endpoint | null {
    return this.pick(session, null, panicking);
  }

  answered(endpoint: Endpoint, { session, overTls }: SessionAnswer): string | null {
    return this.#cookie.setCookie(endpoint, session, overTls);
  }

  /** They are with the clients, and nowhere else. */
  sessionsAt(): null {
    return null;
  }
}
