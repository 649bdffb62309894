import type { RequestHead } from '../../exchange/exchange.ts';
import { isClientCertField } from '../../http/client-cert.ts';
import type { HeaderDraft, HeaderList } from '../../http/headers.ts';
import { isToken } from '../../http/method.ts';
import { isValidAuthority } from '../../http/target.ts';
import { isTunnelProtocol } from '../../http/tunnel-protocol.ts';

/** A stream that is turned away, and why. */
export interface BadStream {
  readonly status: 400 | 417 | 431 | 501;
  /** Enumerated kebab-case. */
  readonly reason: string;
}

export interface StreamHead {
  readonly request: RequestHead;
  /** RFC 8441 extended CONNECT: the protocol asked for; `request.method` is then `GET`, as in the HTTP/1.1 handshake. */
  readonly protocol: string | null;
  readonly contentLength: number | null;
  /** `Expect: 100-continue`. */
  readonly expectsContinue: boolean;
}

export interface StreamLimits {
  readonly headerBytes: number;
  readonly headerCount: number;
  readonly underscores: 'drop' | 'refuse' | 'keep';
  /** The connection's; `:scheme` may be that of a hop before. */
  readonly scheme: 'http' | 'https';
}

interface Pseudo {
  method: string;
  path: string;
  authority: string;
  protocol: string | null;
}

interface Fields {
  readonly kept: HeaderDraft;
  host: string | null;
  contentLength: number | null;
  expectsContinue: boolean;
}

/**
 * Makes a request head of the field list of an HTTP/2 stream, pseudo fields included (RFC 9113 §8.3.1), or says what is
 * wrong with it. nghttp2 has refused much already; what is checked here does not rely on that.
 */
export function readStreamHead(fields: HeaderList, limits: StreamLimits): StreamHead | BadStream {
  const pseudo: Pseudo = { method: '', path: '', authority: '', protocol: null };
  const regular: Fields = { kept: [], host: null, contentLength: null, expectsContinue: false };
  let bytes = 0;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    bytes += name.length + value.length;
    if (name.charCodeAt(0) === COLON) {
      notePseudo(pseudo, name, value);
      continue;
    }
    const bad = noteField(regular, name, value, limits);
    if (bad !== null) return bad;
  }
  if (bytes > limits.headerBytes) return refuse(431, 'head-too-large');
  if (regular.kept.length > 2 * limits.headerCount) return refuse(431, 'too-many-fields');
  return assemble(pseudo, regular, limits.scheme);
}

function notePseudo(pseudo: Pseudo, name: string, value: string): void {
  switch (name) {
    case ':method':
      pseudo.method = value;
      return;
    case ':path':
      pseudo.path = value;
      return;
    case ':authority':
      pseudo.authority = value;
      return;
    case ':protocol':
      pseudo.protocol = value;
  }
}

function noteField(fields: Fields, name: string, value: string, limits: StreamLimits): BadStream | null {
  switch (name) {
    case 'cookie':
      joinCookie(fields.kept, value);
      return null;
    case 'host':
      if (fields.host !== null) return refuse(400, 'several-hosts');
      fields.host = value;
      break;
    case 'content-length':
      if (fields.contentLength !== null || !/^\d{1,15}$/.test(value)) return refuse(400, 'bad-content-length');
      fields.contentLength = Number(value);
      break;
    case 'expect':
      if (value.toLowerCase() !== '100-continue') return refuse(417, 'expectation');
      fields.expectsContinue = true;
      break;
    case 'te':
      if (value.toLowerCase() !== 'trailers') return refuse(400, 'connection-specific-field');
      break;
    // RFC 9113 §8.2.2: what describes a connection has no meaning here, and would have one on an HTTP/1.1 hop behind us.
    case 'connection':
    case 'keep-alive':
    case 'proxy-connection':
    case 'transfer-encoding':
    case 'upgrade':
      return refuse(400, 'connection-specific-field');
    default:
      if (limits.underscores !== 'keep' && name.includes('_')) {
        return limits.underscores === 'refuse' ? refuse(400, 'underscore-in-field-name') : null;
      }
      if (isClientCertField(name)) return null;
  }
  fields.kept.push(name, value);
  return null;
}

/** RFC 9113 §8.2.3: crumbs become one field again, at the place of the first. */
function joinCookie(kept: HeaderDraft, value: string): void {
  for (let i = 0; i < kept.length; i += 2) {
    if (kept[i] !== 'cookie') continue;
    kept[i + 1] = `${kept[i + 1]}; ${value}`;
    return;
  }
  kept.push('cookie', value);
}

function assemble(pseudo: Pseudo, fields: Fields, scheme: 'http' | 'https'): StreamHead | BadStream {
  const { method, protocol } = pseudo;
  if (!isToken(method)) return refuse(400, 'bad-method');
  if (method === 'CONNECT' ? protocol === null : protocol !== null) {
    return method === 'CONNECT' ? refuse(501, 'connect') : refuse(400, 'protocol-without-connect');
  }
  if (protocol !== null && !isTunnelProtocol(protocol)) return refuse(501, 'upgrade-protocol');
  const authority = authorityOf(pseudo.authority, fields.host);
  if (typeof authority !== 'string') return authority;
  if (!isTarget(pseudo.path, method)) return refuse(400, 'bad-target');
  return {
    request: {
      method: protocol === null ? method : 'GET',
      target: pseudo.path,
      authority,
      scheme,
      version: '2',
      headers: fields.kept,
    },
    protocol,
    contentLength: fields.contentLength,
    expectsContinue: fields.expectsContinue,
  };
}

/** RFC 9113 §8.3.1: `:authority` leads; a Host that says something else is an attempt to be read in two ways. */
function authorityOf(authority: string, host: string | null): string | BadStream {
  if (authority === '' && (host === null || host === '')) return refuse(400, 'no-host');
  if (authority !== '' && host !== null && host.toLowerCase() !== authority.toLowerCase()) {
    return refuse(400, 'host-differs-from-authority');
  }
  const effective = authority === '' ? (host ?? '') : authority;
  return isValidAuthority(effective) ? effective : refuse(400, 'bad-host');
}

/** Origin form in visible ASCII without `#`, or `*` for OPTIONS (RFC 9113 §8.3.1). */
function isTarget(path: string, method: string): boolean {
  if (path === '*') return method === 'OPTIONS';
  if (path.charCodeAt(0) !== SLASH) return false;
  for (let i = 0; i < path.length; i += 1) {
    const c = path.charCodeAt(i);
    if (c <= 0x20 || c >= 0x7f || c === FRAGMENT) return false;
  }
  return true;
}

function refuse(status: BadStream['status'], reason: string): BadStream {
  return { status, reason };
}

const COLON = 0x3a;
const SLASH = 0x2f;
const FRAGMENT = 0x23;
