import type { Access } from './operation.ts';
import type { Refusal } from './refusal.ts';
import { tokenIn } from './token.ts';

export interface GuardOptions {
  /** Nobody but this machine reaches the listener: it is bound to a loopback address, or to a Unix socket. */
  readonly local: boolean;
  /** Whoever brings it may read from elsewhere, and change things; `null` for none: then both are for this machine alone. */
  readonly token: string | null;
  /** Who may read metrics: everybody, or whoever may read the rest. */
  readonly metrics: 'open' | 'token';
}

/** The parts of a request that decide whether it may have an answer. */
export interface GuardedRequest {
  readonly headers: GuardedHeaders;
  /** How many Host fields it has. */
  readonly hosts: number;
}

/** None of them comes as a list: all are fields of which Node keeps one, or joins several with commas. */
interface GuardedHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly authorization?: string | undefined;
  readonly 'content-type'?: string | undefined;
  readonly 'sec-fetch-site'?: string | string[] | undefined;
}

export type Verdict =
  | Refusal
  /** It may go on. */
  | 'free'
  /** It may if what it brings is the token. */
  | { readonly brought: string; readonly token: string };

/**
 * Why a request is refused before anybody looks what it is for; `null` for one that may go on. RFC 9112 §3.2: more than one Host is
 * an error, whoever is meant. A page of any origin can make a browser ask 127.0.0.1 under a name of its own (DNS rebinding): so who is
 * asked for must be a loopback host where only this machine can ask.
 */
export function refusedHost(
  { headers, hosts }: GuardedRequest,
  { local }: Pick<GuardOptions, 'local'>,
): Refusal | null {
  if (hosts > 1) return { status: 400, error: 'several-hosts', message: 'There is more than one Host field' };
  if (!local || isLoopback(headers.host ?? '')) return null;
  return {
    status: 421,
    error: 'host-not-allowed',
    message: 'This listener is asked for by a loopback name or address: http://localhost/',
  };
}

/**
 * Whether a request may do what needs `access`.
 *
 * Everybody on this machine may read and change what a loopback listener without a token serves: that is who may also end the
 * process or write its configuration. A Unix socket has permissions of its own. Web pages in their browsers may not change anything:
 * they can send what an HTML form can, without being asked first, so changes are JSON, which makes browsers ask (a preflight
 * that gets no permission), and come from no other origin.
 */
export function verdictOn({ headers }: GuardedRequest, access: Access, options: GuardOptions): Verdict {
  const { local, token, metrics } = options;
  if (access === 'open' || (access === 'metrics' && metrics === 'open')) return 'free';
  const reads = access === 'metrics' || access === 'reading';
  if (reads && local) return 'free';
  const refusal = reads ? null : (foreignOrigin(headers) ?? (access === 'change' ? notJson(headers) : null));
  if (refusal !== null) return refusal;
  if (token === null) return local ? 'free' : tokenNotSet(reads);
  const brought = tokenIn(headers.authorization);
  return brought === null ? tokenRequired(headers.authorization) : { brought, token };
}

export function tokenRequired(authorization: string | undefined): Refusal {
  const message = authorization === undefined ? 'This needs the token of the configuration' : 'This is not the token';
  return { status: 401, error: 'token-required', message, headers: { 'www-authenticate': 'Bearer' } };
}

function tokenNotSet(reads: boolean): Refusal {
  const message = 'This is for others than this machine only with a token: set admin.token or admin.tokenFile';
  return { status: 403, error: reads ? 'reading-not-allowed' : 'changes-not-allowed', message };
}

function foreignOrigin({ origin, host, 'sec-fetch-site': site }: GuardedHeaders): Refusal | null {
  const own = origin === undefined || URL.parse(origin)?.host === host?.toLowerCase();
  const sameSite = site === undefined || site === 'same-origin' || site === 'none';
  if (own && sameSite) return null;
  return { status: 403, error: 'origin-not-allowed', message: 'Pages of other origins change nothing here' };
}

function notJson({ 'content-type': type }: GuardedHeaders): Refusal | null {
  if (/^application\/json[ \t]*(;|$)/i.test(type ?? '')) return null;
  const message = 'Changes are JSON: send Content-Type: application/json';
  return { status: 415, error: 'content-type-not-json', message, headers: { accept: 'application/json' } };
}

/** Nothing else is in an authority without user information (RFC 3986 §3.2.2), which has no place in Host. */
const AUTHORITY = /^[\w.-]+(:\d*)?$|^\[[0-9a-f:.]+\](:\d*)?$/i;

/** An authority, or an address that a listener is bound to. Whatever way it is spelled: URL makes one of `127.1` and `127.0.0.1`. */
export function isLoopback(authority: string): boolean {
  const bracketed =
    /^[0-9a-f]*:[0-9a-f:.]*$/i.test(authority) && authority.split(':').length > 2 ? `[${authority}]` : authority;
  if (!AUTHORITY.test(bracketed)) return false;
  const host = URL.parse(`http://${bracketed}`)?.hostname.replace(/\.$/, '');
  if (host === undefined) return false;
  return (
    host === 'localhost' ||
    host === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(host) ||
    /^\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\]$/.test(host)
  );
}
