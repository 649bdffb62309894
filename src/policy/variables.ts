import type { ClientCertificateFacts } from '../exchange/client-certificate.ts';
import type { Client, RequestHead } from '../exchange/exchange.ts';
import { cookieValue } from '../http/cookie.ts';
import { getCombined } from '../http/headers.ts';
import { isToken } from '../http/method.ts';
import { claimText, type Identity } from './identity.ts';
import { toOctets } from './octets.ts';
import { firstValue } from './query-parameter.ts';
import { nearest } from './suggestion.ts';

/** What templates may read. One object per exchange; all text is octets (`octets.ts`). */
export interface Variables {
  readonly request: RequestHead;
  /** Canonical path as the client asked for it, before any rewrite. */
  readonly path: string;
  /** As sent, without "?"; `null` when there is none. */
  readonly query: string | null;
  /** Lower case, without port (`hostOf`). */
  readonly host: string;
  /** Flat `[name, value, …]`, pieces of `path` and so percent-encoded. */
  readonly captures: readonly string[];
  readonly client: Client;
  readonly requestId: string;
  readonly route: string;
  readonly pool: string | null;
  /** Origin of the endpoint that answered; `null` until there is one. */
  readonly endpoint: string | null;
  /** Who it is; `null` for who need not say, and before it is known. */
  readonly identity: Identity | null;
}

/**
 * What the text of a variable is, which decides how it is escaped: `capture` and `path` are percent-encoded already,
 * `uri` may hold a query, `host` and `scheme` may stand before the path of a URL, `text` may be anything.
 */
export type VariableKind = 'text' | 'host' | 'scheme' | 'capture' | 'path' | 'query' | 'uri';

export interface Variable {
  readonly kind: VariableKind;
  /** Its octets; empty when the exchange has none. */
  readonly read: (variables: Variables) => string;
}

const fixed: Readonly<Record<string, Variable>> = {
  host: { kind: 'host', read: (v) => v.host },
  authority: { kind: 'host', read: (v) => v.request.authority },
  port: { kind: 'host', read: (v) => String(v.client.localPort) },
  scheme: { kind: 'scheme', read: (v) => v.request.scheme },
  method: { kind: 'text', read: (v) => v.request.method },
  protocol: { kind: 'text', read: (v) => `HTTP/${v.request.version}` },
  path: { kind: 'path', read: (v) => v.path },
  query: { kind: 'query', read: (v) => v.query ?? '' },
  uri: { kind: 'uri', read: uriOf },
  'client.address': { kind: 'text', read: (v) => v.client.address },
  'peer.address': { kind: 'text', read: (v) => v.client.peer },
  'peer.port': { kind: 'text', read: (v) => String(v.client.peerPort) },
  'tls.sni': { kind: 'text', read: (v) => v.client.tls?.serverName ?? '' },
  'tls.version': { kind: 'text', read: (v) => v.client.tls?.protocol ?? '' },
  'tls.cipher': { kind: 'text', read: (v) => v.client.tls?.cipher ?? '' },
  'client.certificate.subject': { kind: 'text', read: (v) => toOctets(certificateOf(v)?.subject ?? '') },
  'client.certificate.issuer': { kind: 'text', read: (v) => toOctets(certificateOf(v)?.issuer ?? '') },
  'client.certificate.san': { kind: 'text', read: (v) => toOctets(namesOf(certificateOf(v))) },
  'client.certificate.fingerprint': { kind: 'text', read: (v) => certificateOf(v)?.fingerprint ?? '' },
  'client.certificate.serial': { kind: 'text', read: (v) => certificateOf(v)?.serial ?? '' },
  'request.id': { kind: 'text', read: (v) => v.requestId },
  route: { kind: 'text', read: (v) => v.route },
  pool: { kind: 'text', read: (v) => v.pool ?? '' },
  endpoint: { kind: 'text', read: (v) => v.endpoint ?? '' },
  'auth.user': { kind: 'text', read: (v) => v.identity?.user ?? '' },
  'auth.scheme': { kind: 'text', read: (v) => v.identity?.scheme ?? '' },
};

const families: Readonly<Record<string, (key: string) => Variable | null>> = {
  header,
  query: queryValue,
  cookie,
  claim: (name) => claim(name, () => true),
  jwt: (name) => claim(name, ({ scheme }) => scheme === 'jwt' || scheme === 'oidc'),
};

/** Names without a key of their own; with the families below (`header.NAME`), all there are. */
export const variableNames: readonly string[] = Object.freeze(Object.keys(fixed));

/**
 * The variable called `name` on a route with these captures, or `null`. A capture hides a variable of the same name:
 * whoever wrote `/files/{path...}` means that one, and a variable added later can't change what a file means.
 */
export function resolveVariable(name: string, captures: readonly string[]): Variable | null {
  if (captures.includes(name)) return { kind: 'capture', read: (variables) => captured(variables, name) };
  if (Object.hasOwn(fixed, name)) return fixed[name] ?? null;
  const dot = name.indexOf('.');
  const family = name.slice(0, dot);
  if (family === 'path') return captureOf(name.slice(dot + 1), captures);
  if (dot <= 0 || dot === name.length - 1 || !Object.hasOwn(families, family)) return null;
  return families[family]?.(name.slice(dot + 1)) ?? null;
}

/** The known name nearest to the unknown `name`, or `null`. */
export function suggestVariable(name: string, captures: readonly string[]): string | null {
  // Copied from the pattern, where the dots say how far the capture reaches.
  if (name.endsWith('...') && captures.includes(name.slice(0, -3))) return name.slice(0, -3);
  const known = nearest(name, [...captures, ...variableNames]);
  if (known !== null) return known;
  const dot = name.indexOf('.');
  const family = dot <= 0 ? null : nearest(name.slice(0, dot), Object.keys(families));
  const suggestion = family === null ? name : family + name.slice(dot);
  return resolveVariable(suggestion, captures) === null ? null : suggestion;
}

function certificateOf({ client }: Variables): ClientCertificateFacts | null {
  return client.tls === null ? null : client.tls.clientCertificate;
}

/** With commas between; a name that has one itself stands in quotes as in JSON, or it would look like two (CVE-2021-44532). */
function namesOf(certificate: ClientCertificateFacts | null): string {
  if (certificate === null) return '';
  return certificate.names.map((name) => (/[",]/.test(name) ? JSON.stringify(name) : name)).join(', ');
}

/** Path and query as one origin-form target. */
export function uriOf(variables: Variables): string {
  return variables.query === null ? variables.path : `${variables.path}?${variables.query}`;
}

function captured(variables: Variables, name: string): string {
  const { captures } = variables;
  for (let i = 0; i < captures.length; i += 2) if (captures[i] === name) return captures[i + 1] as string;
  return '';
}

function header(name: string): Variable | null {
  if (!isToken(name)) return null;
  const lower = name.toLowerCase();
  return { kind: 'text', read: (variables) => getCombined(variables.request.headers, lower) ?? '' };
}

function cookie(name: string): Variable | null {
  if (!isToken(name)) return null;
  return { kind: 'text', read: (variables) => cookieValue(variables.request.headers, name) ?? '' };
}

/** Also where the route is not known, as in a group: empty on one that captures no such thing. */
function captureOf(name: string, captures: readonly string[]): Variable | null {
  if (!isToken(name) || (captures.length > 0 && !captures.includes(name))) return null;
  return { kind: 'capture', read: (variables) => captured(variables, name) };
}

function claim(name: string, has: (identity: Identity) => boolean): Variable {
  const read = ({ identity }: Variables): string =>
    identity === null || !has(identity) ? '' : toOctets(claimText(identity.claims, name));
  return { kind: 'text', read };
}

function queryValue(name: string): Variable {
  const octets = toOctets(name);
  return { kind: 'text', read: (variables) => (variables.query === null ? '' : firstValue(variables.query, octets)) };
}
