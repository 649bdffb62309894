import { isClientCertField } from '../../http/client-cert.ts';
import type { HeaderList } from '../../http/headers.ts';
import { isValidAuthority, splitTarget } from '../../http/target.ts';
import { isTunnelProtocol } from '../../http/tunnel-protocol.ts';

/** A request that is turned away, and why. */
export interface BadHead {
  readonly status: 400 | 417 | 431 | 501 | 505;
  /** Enumerated kebab-case. */
  readonly reason: string;
}

/** The fields of a request head that decide its framing and handling, gathered in one pass. */
export interface HeadFacts {
  hosts: number;
  host: string;
  transferEncoding: string | null;
  /** How many Transfer-Encoding lines there were. */
  transferEncodings: number;
  contentLength: string | null;
  expect: string | null;
  upgrade: string | null;
  /** Some name has a `_`. */
  underscored: boolean;
  /** The client says something of its own certificate (RFC 9440 §2.4). */
  clientCert: boolean;
}

const UNDERSCORE = 0x5f;

/** Reads `fields` once. Hot: runs for every HTTP/1.x request. */
export function examineFields(fields: HeaderList): HeadFacts {
  const facts: HeadFacts = {
    hosts: 0,
    host: '',
    transferEncoding: null,
    transferEncodings: 0,
    contentLength: null,
    expect: null,
    upgrade: null,
    underscored: false,
    clientCert: false,
  };
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (!facts.underscored && hasUnderscore(name)) facts.underscored = true;
    const { length } = name;
    if ((length === 11 || length === 17) && isClientCertField(name)) facts.clientCert = true;
    // The five names that matter have these lengths; of those of other lengths not even the case is looked at.
    if (length === 4 || length === 6 || length === 7 || length === 14 || length === 17) {
      note(facts, name.toLowerCase(), fields[i + 1] as string);
    }
  }
  return facts;
}

function note(facts: HeadFacts, name: string, value: string): void {
  switch (name) {
    case 'host':
      facts.hosts += 1;
      facts.host = value;
      return;
    case 'expect':
      facts.expect = facts.expect === null ? value : `${facts.expect}, ${value}`;
      return;
    case 'upgrade':
      facts.upgrade = facts.upgrade === null ? value : `${facts.upgrade}, ${value}`;
      return;
    case 'content-length':
      facts.contentLength = value;
      return;
    case 'transfer-encoding':
      facts.transferEncodings += 1;
      facts.transferEncoding = value;
  }
}

function hasUnderscore(name: string): boolean {
  for (let i = 0; i < name.length; i += 1) if (name.charCodeAt(i) === UNDERSCORE) return true;
  return false;
}

export interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly major: number;
  readonly minor: number;
}

const badVersion: BadHead = { status: 505, reason: 'http-version' };
const connect: BadHead = { status: 501, reason: 'connect' };
const severalHosts: BadHead = { status: 400, reason: 'several-hosts' };
const noHost: BadHead = { status: 400, reason: 'no-host' };
const oldChunked: BadHead = { status: 400, reason: 'transfer-encoding-in-http-1.0' };
const badCoding: BadHead = { status: 501, reason: 'transfer-coding' };
const twoLengths: BadHead = { status: 400, reason: 'length-and-transfer-encoding' };
const badHost: BadHead = { status: 400, reason: 'bad-host' };
const badLength: BadHead = { status: 400, reason: 'bad-content-length' };
const badExpectation: BadHead = { status: 417, reason: 'expectation' };

/**
 * What Node's parser lets through and a gateway must not: HTTP versions it does not speak, a doubtful or absent Host
 * (RFC 9112 §3.2), transfer codings it does not undo (§6.1, §7) and expectations it can't meet (RFC 9110 §10.1.1).
 * `null` when all is well. The Host's syntax is `isValidAuthority`'s business.
 */
export function refuseHead(line: RequestLine, facts: HeadFacts): BadHead | null {
  if (line.major !== 1 || (line.minor !== 1 && line.minor !== 0)) return badVersion;
  if (line.method === 'CONNECT') return connect;
  if (facts.hosts !== 1) {
    if (facts.hosts > 1) return severalHosts;
    if (line.minor === 1) return noHost;
  } else if (facts.host === '' && line.minor === 1) {
    return badHost;
  }
  if (facts.transferEncoding !== null) {
    if (line.minor === 0) return oldChunked;
    if (facts.contentLength !== null) return twoLengths;
    if (facts.transferEncodings > 1 || facts.transferEncoding.toLowerCase() !== 'chunked') return badCoding;
  }
  if (facts.contentLength !== null && !isLength(facts.contentLength)) return badLength;
  if (facts.expect !== null && line.minor === 1 && facts.expect.toLowerCase() !== '100-continue') return badExpectation;
  return null;
}

/** 1 to 15 digits: what fits a JavaScript integer. */
function isLength(text: string): boolean {
  if (text.length === 0 || text.length > 15) return false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c < 0x30 || c > 0x39) return false;
  }
  return true;
}

/** Where a request goes: origin form (or `*`) and authority. */
export interface Addressed {
  readonly target: string;
  readonly authority: string;
}

const badTarget: BadHead = { status: 400, reason: 'bad-target' };

const SLASH = 0x2f;
const FRAGMENT = 0x23;

/**
 * Target and authority of a request (RFC 9112 §3.2). An absolute-form target brings its own authority, which replaces
 * Host (§3.2.2); `*` is for OPTIONS alone. `knownHost` is a Host value that was found valid before, or `''`.
 */
export function addressOf(method: string, raw: string, host: string, knownHost: string): Addressed | BadHead {
  if (!isVisible(raw)) return badTarget;
  if (raw.charCodeAt(0) !== SLASH && raw !== '*') {
    const split = splitTarget(raw, method);
    if (split === null || split.authority === null) return badTarget;
    // The Host that loses must still be a Host: two readings of one request are an attack.
    if (host !== '' && host !== knownHost && !isValidAuthority(host)) return badHost;
    return { target: split.target, authority: split.authority };
  }
  if (raw === '*' && method !== 'OPTIONS') return badTarget;
  // An HTTP/1.0 client need not send a Host at all.
  if (host !== knownHost && host !== '' && !isValidAuthority(host)) return badHost;
  return { target: raw, authority: host };
}

/** Visible ASCII without `#`: a fragment is never sent (RFC 9112 §3.2), and nothing else belongs in a target. */
function isVisible(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c <= 0x20 || c >= 0x7f || c === FRAGMENT) return false;
  }
  return text.length > 0;
}

/** `fields` without those whose name has a `_`. */
export function withoutUnderscored(fields: HeaderList): HeaderList {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (!hasUnderscore(fields[i] as string)) kept.push(fields[i] as string, fields[i + 1] as string);
  }
  return kept;
}

/**
 * The protocol of an upgrade that is carried out as a tunnel, or `null` for one that is served as if it had not been
 * asked (RFC 9110 §7.8 allows it): `h2c` and TLS, which a gateway can't tunnel blindly, lists, and requests with a body.
 */
export function tunnelProtocol(line: RequestLine, facts: HeadFacts): string | null {
  const { upgrade } = facts;
  if (upgrade === null || line.major !== 1 || line.minor !== 1) return null;
  if (facts.transferEncoding !== null || facts.expect !== null) return null;
  if (facts.contentLength !== null && facts.contentLength !== '0') return null;
  return isTunnelProtocol(upgrade) ? upgrade : null;
}
