import { cookieValue, setCookieField } from '../../../http/cookie.ts';
import { getHeaders, type HeaderList } from '../../../http/headers.ts';

/** Name and value of a cookie may have 4096 octets (RFC 6265bis §5.6); some browsers count the attributes too. */
const CHUNK = 3_600;
/** With more, a request would not fit into the 16 KiB that servers take for its head. */
const MAX_CHUNKS = 3;
/** Of all logins under way: with their longest targets they would not fit either. */
const LOGIN_OCTETS = 8_000;

export interface CookieOptions {
  /** `null`: derived from what the session is for, `__Host-` before it over TLS. */
  readonly name: string;
  readonly domain: string | null;
  readonly path: string;
  readonly sameSite: 'lax' | 'none';
}

/**
 * The cookies of one policy: its session in one or in up to three (`NAME`, `NAME.1`, `NAME.2`), and one for each login under way
 * (`NAME.login.ID`). All are HttpOnly, and Secure over TLS.
 */
export class SessionCookies {
  readonly #name: string;
  readonly #options: CookieOptions;
  readonly #secure: boolean;

  constructor(options: CookieOptions, secure: boolean) {
    this.#name = secure && options.domain === null && options.path === '/' ? hostBound(options.name) : options.name;
    this.#options = options;
    this.#secure = secure;
  }

  /** As the browser calls the first one. */
  get name(): string {
    return this.#name;
  }

  /** What stands in the session's cookies, sealed; `null` without one, or without all of its chunks. */
  session(headers: HeaderList): string | null {
    const first = cookieValue(headers, this.#name);
    if (first === null) return null;
    const parts = /^([1-9])\.(.+)$/.exec(first);
    const count = Number(parts?.[1]);
    // Also for no number at all.
    if (parts === null || !(count <= MAX_CHUNKS)) return null;
    let sealed = parts[2] as string;
    for (let i = 1; i < count; i += 1) {
      const chunk = cookieValue(headers, this.#chunk(i));
      if (chunk === null) return null;
      sealed += chunk;
    }
    return sealed;
  }

  /** There is one, good or bad. */
  hasSession(headers: HeaderList): boolean {
    return cookieValue(headers, this.#name) !== null;
  }

  /** Set-Cookie fields for a session, those that remove chunks of a longer one included; `null` for one that is too long. */
  setSession(sealed: string, headers: HeaderList, maxAgeMs: number): readonly string[] | null {
    const count = Math.ceil(sealed.length / CHUNK);
    if (count > MAX_CHUNKS) return null;
    const fields: string[] = [];
    for (let i = 0; i < count; i += 1) {
      const chunk = sealed.slice(i * CHUNK, (i + 1) * CHUNK);
      fields.push(this.#set(i === 0 ? this.#name : this.#chunk(i), i === 0 ? `${count}.${chunk}` : chunk, maxAgeMs));
    }
    const kept = new Set(Array.from({ length: count }, (_, i) => (i === 0 ? this.#name : this.#chunk(i))));
    return [...fields, ...this.#removed(headers, (name) => this.#isSession(name) && !kept.has(name))];
  }

  /** Set-Cookie fields that remove everything of ours that the request brings. */
  clear(headers: HeaderList): readonly string[] {
    return this.#removed(headers, (name) => this.#isOurs(name));
  }

  login(headers: HeaderList, id: string): string | null {
    return cookieValue(headers, this.#login(id));
  }

  /**
   * Set-Cookie fields for a login under way. Of those that are, the newest stay, as many as `others` and no more than fit into the head of a request; with them
   * goes a session that was good for nothing.
   */
  setLogin(
    id: string,
    sealed: string,
    headers: HeaderList,
    keep: { readonly maxAgeMs: number; readonly others: number },
  ): readonly string[] {
    const prefix = this.#login('');
    const known = pairsIn(headers).filter((pair) => nameOf(pair).startsWith(prefix));
    const kept = new Set<string>();
    let room = LOGIN_OCTETS - sealed.length;
    // Browsers send older ones first (RFC 6265 §5.4).
    for (const pair of known.slice(-keep.others).reverse()) {
      room -= pair.length;
      if (room < 0) break;
      kept.add(nameOf(pair));
    }
    return [
      this.#set(this.#login(id), sealed, keep.maxAgeMs),
      ...this.#removed(headers, (name) => this.#isOurs(name) && !kept.has(name)),
    ];
  }

  clearLogin(id: string): string {
    return this.#set(this.#login(id), '', 0);
  }

  #isOurs(name: string): boolean {
    return name === this.#name || name.startsWith(`${this.#name}.`);
  }

  #isSession(name: string): boolean {
    return this.#isOurs(name) && !name.startsWith(this.#login(''));
  }

  #chunk(index: number): string {
    return `${this.#name}.${index}`;
  }

  #login(id: string): string {
    return `${this.#name}.login.${id}`;
  }

  /** At most as many as fit into the head of a request. */
  #removed(headers: HeaderList, condition: (name: string) => boolean): readonly string[] {
    return [...new Set(namesIn(headers).filter(condition))].map((name) => this.#set(name, '', 0));
  }

  #set(name: string, value: string, maxAgeMs: number): string {
    const { domain, path, sameSite } = this.#options;
    const where = { path, ...(domain === null ? {} : { domain }) };
    return setCookieField({ name, value, ...where, secure: this.#secure, httpOnly: true, sameSite, maxAgeMs });
  }
}

function namesIn(headers: HeaderList): readonly string[] {
  return pairsIn(headers).map(nameOf);
}

function pairsIn(headers: HeaderList): readonly string[] {
  return getHeaders(headers, 'cookie').flatMap((line) =>
    line
      .split(';')
      .map((pair) => pair.trim())
      .filter((pair) => pair !== ''),
  );
}

function nameOf(pair: string): string {
  const equals = pair.indexOf('=');
  return equals === -1 ? '' : pair.slice(0, equals).trimEnd();
}

/** Browsers take it from this host alone, and over TLS (RFC 6265bis §4.1.3.2). */
function hostBound(name: string): string {
  return name.startsWith('__') ? name : `__Host-${name}`;
}
