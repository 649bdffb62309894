import type { Refusal } from './refusal.ts';
import { bringsToken } from './token.ts';

export interface GuardOptions {
  /** Where the admin listener is bound. */
  readonly address: string;
  /** `null` for none: then changes are for loopback alone. */
  readonly token: string | null;
}

/** The parts of a request that decide whether it may have an answer. */
export interface GuardedRequest {
  readonly method: string;
  readonly headers: GuardedHeaders;
}

/** None of them comes as a list: all are fields of which Node keeps one. */
interface GuardedHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly authorization?: string | undefined;
  readonly 'content-type'?: string | undefined;
  readonly 'sec-fetch-site'?: string | string[] | undefined;
}

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Why a request to the admin listener is refused before anybody looks what it is for; `null` for one that may go on.
 *
 * Everybody on this machine may read and change what a loopback listener without a token serves: that is who may also end the
 * process or write its configuration. Web pages in their browsers may not. A page of any origin can make a browser ask 127.0.0.1
 * under a name of its own (DNS rebinding): the host must be a loopback one. And it can send what an HTML form can, without
 * being asked first: changes are JSON, which makes browsers ask (a preflight that gets no permission), and come from no other
 * origin.
 */
export function refusalOf(request: GuardedRequest, options: GuardOptions): Refusal | null {
  const local = isLoopback(options.address);
  if (local && !isLoopback(hostName(request.headers.host ?? ''))) {
    return {
      status: 421,
      error: 'host-not-allowed',
      message: 'This listener is asked for by a loopback name or address',
    };
  }
  if (READING.has(request.method)) return null;
  return foreignOrigin(request.headers) ?? missingToken(request.headers, options, local) ?? notJson(request.headers);
}

/** Why a request to read what not everybody may know is refused: as a change would be, but for its form. `null` for one that may. */
export function secretFrom({ headers }: GuardedRequest, options: GuardOptions): Refusal | null {
  return foreignOrigin(headers) ?? missingToken(headers, options, isLoopback(options.address));
}

function foreignOrigin({ origin, host, 'sec-fetch-site': site }: GuardedHeaders): Refusal | null {
  const own = origin === undefined || URL.parse(origin)?.host === host?.toLowerCase();
  const sameSite = site === undefined || site === 'same-origin' || site === 'none';
  if (own && sameSite) return null;
  return { status: 403, error: 'origin-not-allowed', message: 'Pages of other origins change nothing here' };
}

function missingToken({ authorization }: GuardedHeaders, options: GuardOptions, local: boolean): Refusal | null {
  const { token } = options;
  if (token === null) {
    if (local) return null;
    const message = 'This is for others than this machine only with a token: set admin.token in the configuration';
    return { status: 403, error: 'changes-not-allowed', message };
  }
  if (bringsToken(authorization, token)) return null;
  const message = authorization === undefined ? 'This needs the token of the configuration' : 'This is not the token';
  return { status: 401, error: 'token-required', message, headers: { 'www-authenticate': 'Bearer' } };
}

function notJson({ 'content-type': type }: GuardedHeaders): Refusal | null {
  if (/^application\/json[ \t]*(;|$)/i.test(type ?? '')) return null;
  const message = 'Changes are JSON: send Content-Type: application/json';
  return { status: 415, error: 'content-type-not-json', message, headers: { accept: 'application/json' } };
}

function hostName(authority: string): string {
  return authority.replace(/:\d+$/, '').toLowerCase();
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
