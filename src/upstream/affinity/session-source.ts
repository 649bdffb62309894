import { cookieValue, setCookieValue } from '../../http/cookie.ts';
import { getHeader, type HeaderList } from '../../http/headers.ts';

/** Where an application's own session stands in its messages. `null` everywhere for none; an empty one is none. */
export interface SessionSource {
  /** Sets its sessions apart from those of other sources in one table. */
  readonly name: string;
  readonly ofRequest: (headers: HeaderList) => string | null;
  /** What the application gives the client to bring from now on. */
  readonly ofResponse: (headers: HeaderList) => string | null;
  /** A session that nobody has given out is one nevertheless: clients choose them. */
  readonly chosenByClients: boolean;
}

/** A cookie that the application sets. What clients make up is no session: they could push out those of others. */
export function sessionCookie(name: string): SessionSource {
  return {
    name: `cookie ${name}`,
    ofRequest: (headers) => cookieValue(headers, name) || null,
    ofResponse: (headers) => setCookieValue(headers, name) || null,
    chosenByClients: false,
  };
}

/** A field that the application gives out, or that clients choose. */
export function sessionHeader(name: string): SessionSource {
  const lower = name.toLowerCase();
  const read = (headers: HeaderList): string | null => getHeader(headers, lower) || null;
  return { name: `header ${lower}`, ofRequest: read, ofResponse: read, chosenByClients: true };
}
