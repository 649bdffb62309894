import { isClientCertField } from './client-cert.ts';
import { isForwardingName } from './forwarded.ts';
import type { HeaderList } from './headers.ts';

/** What frames, routes or belongs to one connection (RFC 9110 §6.5.1, §7.6.1); a trailer of this name says nothing that is true. */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Nobody was authenticated by them, and an endpoint that merges them with the head would take them for what was (RFC 9110 §6.5.1). */
const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'cookie']);

/**
 * The trailers of a response as they may go on: without the fields that describe a message's framing, its route or a
 * connection, which a recipient might merge with those of the head. `null` when none are left.
 */
export function responseTrailers(trailers: HeaderList): HeaderList | null {
  return without(trailers, isUnfit);
}

/** The same for a request, whose client may say nothing in its trailers that is removed from its head, or looked at there: forwarding, certificates, credentials. */
export function requestTrailers(trailers: HeaderList): HeaderList | null {
  return without(trailers, isUnfitInRequest);
}

function without(trailers: HeaderList, isBad: (name: string) => boolean): HeaderList | null {
  const kept: string[] = [];
  for (let i = 0; i < trailers.length; i += 2) {
    const name = trailers[i] as string;
    if (!isBad(name)) kept.push(name, trailers[i + 1] as string);
  }
  return kept.length === 0 ? null : kept;
}

function isUnfit(name: string): boolean {
  return NOT_IN_TRAILERS.has(name.toLowerCase());
}

function isUnfitInRequest(name: string): boolean {
  // CGI-like endpoints can't tell the two apart.
  const plain = name.replaceAll('_', '-');
  return isUnfit(plain) || CREDENTIALS.has(plain.toLowerCase()) || isForwardingName(plain) || isClientCertField(plain);
}
