import { ByteCursor } from './byte-cursor.ts';

/** What the first bytes of a connection say, as far as they tell. */
export type ClientHello =
  | {
      readonly kind: 'hello';
      /** SNI host name: lower case, without a trailing dot; `null` when the client sent none. */
      readonly serverName: string | null;
      /** Protocols offered by ALPN (RFC 7301), in the client's order; empty when it offers none. */
      readonly alpn: readonly string[];
    }
  /** A beginning that more bytes may complete. */
  | { readonly kind: 'more' }
  /** Another protocol, or a ClientHello that is malformed: a TLS endpoint would answer it with an alert. */
  | { readonly kind: 'not-tls' };

const MORE: ClientHello = { kind: 'more' };
const NOT_TLS: ClientHello = { kind: 'not-tls' };

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
/** RFC 8446 §5.1: of plaintext, which a ClientHello is. */
const MAX_FRAGMENT = 2 ** 14;
const SERVER_NAME = 0;
const ALPN = 16;
const HOST_NAME = 0;
/** RFC 1035 §2.3.4, and the dot at the end. */
const MAX_NAME = 256;

/**
 * Reads the ClientHello (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2) at the start of `bytes`, whatever follows it, over as many
 * records as it was cut into. Pure, and stable: more bytes never change an answer other than `more`.
 *
 * Strict where leniency would let two readers see two names: every length is exact, no extension that is read here stands
 * twice, one host name, of visible ASCII. What else it holds (GREASE, RFC 8701; extensions yet to come) is nobody's business here.
 * SSLv2's form of a hello (RFC 8446 §D.5) is not TLS any more. Sets no bound: that is the caller's.
 */
export function parseClientHello(bytes: Uint8Array): ClientHello {
  const message = reassemble(bytes);
  if (message === 'more') return MORE;
  if (message === 'not-tls') return NOT_TLS;
  return parseMessage(new ByteCursor(message)) ?? NOT_TLS;
}

/** The body of the handshake message, out of its records. */
function reassemble(bytes: Uint8Array): Uint8Array | 'more' | 'not-tls' {
  const fragments: Uint8Array[] = [];
  const header = new Uint8Array(MESSAGE_HEADER);
  let gathered = 0;
  for (let at = 0; ; ) {
    const size = fragmentSize(bytes, at);
    if (typeof size === 'string') return size;
    const start = at + RECORD_HEADER;
    const fragment = bytes.subarray(start, start + size);
    for (let i = 0; i < fragment.length && gathered + i < MESSAGE_HEADER; i += 1) {
      header[gathered + i] = fragment[i] as number;
    }
    fragments.push(fragment);
    gathered += fragment.length;
    if (gathered > 0 && header[0] !== CLIENT_HELLO) return 'not-tls';
    if (gathered >= MESSAGE_HEADER) {
      const length =
        MESSAGE_HEADER + (((header[1] as number) << 16) | ((header[2] as number) << 8) | (header[3] as number));
      if (gathered >= length) return joined(fragments).subarray(MESSAGE_HEADER, length);
    }
    if (fragment.length < size) return 'more';
    at = start + size;
  }
}

/** Length of the handshake record at `at`. An empty one is forbidden (RFC 8446 §5.1), and would never end. */
function fragmentSize(bytes: Uint8Array, at: number): number | 'more' | 'not-tls' {
  if (bytes.length > at && bytes[at] !== HANDSHAKE) return 'not-tls';
  // The minor version has been 0, 1 and 3, and means nothing (RFC 8446 §5.1).
  if (bytes.length > at + 1 && bytes[at + 1] !== 3) return 'not-tls';
  if (bytes.length < at + RECORD_HEADER) return 'more';
  const size = ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number);
  return size === 0 || size > MAX_FRAGMENT ? 'not-tls' : size;
}

/** Nearly every hello is one record, which is read where it lies. */
function joined(fragments: readonly Uint8Array[]): Uint8Array {
  const [first] = fragments;
  return fragments.length === 1 && first !== undefined ? first : Buffer.concat(fragments);
}

/** `null` for a message that breaks a rule. */
function parseMessage(message: ByteCursor): ClientHello | null {
  message.skip(2 + 32);
  const session = message.vector8();
  const ciphers = message.vector16();
  const compressions = message.vector8();
  if (message.broken || session.left > 32 || compressions.left === 0) return null;
  if (ciphers.left === 0 || ciphers.left % 2 !== 0) return null;
  // RFC 5246 §7.4.1.2: a hello may end here.
  if (message.left === 0) return { kind: 'hello', serverName: null, alpn: [] };
  const extensions = message.vector16();
  return message.broken || message.left > 0 ? null : parseExtensions(extensions);
}

function parseExtensions(extensions: ByteCursor): ClientHello | null {
  let serverName: string | null = null;
  let alpn: readonly string[] | null = null;
  while (extensions.left > 0) {
    const type = extensions.uint16();
    const data = extensions.vector16();
    if (extensions.broken) return null;
    if (type === SERVER_NAME) {
      if (serverName !== null) return null;
      serverName = parseServerName(data);
      if (serverName === null) return null;
    } else if (type === ALPN) {
      if (alpn !== null) return null;
      alpn = parseProtocols(data);
      if (alpn === null) return null;
    }
  }
  return { kind: 'hello', serverName, alpn: alpn ?? [] };
}

/** RFC 6066 §3: exactly one host name; there never was another type of name. */
function parseServerName(data: ByteCursor): string | null {
  const list = data.vector16();
  const type = list.uint8();
  const name = list.vector16();
  if (data.broken || list.broken || data.left > 0 || list.left > 0 || type !== HOST_NAME) return null;
  return hostName(name.text());
}

/** RFC 7301 §3.1. */
function parseProtocols(data: ByteCursor): readonly string[] | null {
  const list = data.vector16();
  if (data.broken || data.left > 0 || list.left === 0) return null;
  const protocols: string[] = [];
  while (list.left > 0) {
    const protocol = list.vector8();
    if (list.broken || protocol.left === 0) return null;
    protocols.push(protocol.text());
  }
  return protocols;
}

/**
 * As it is compared and logged; `null` for what can't be a name. A NUL is how a name was once made to look like another one
 * to whoever stops reading there.
 */
function hostName(text: string): string | null {
  if (text.length > MAX_NAME || !/^[\x21-\x7e]+$/.test(text)) return null;
  const name = comparableName(text);
  return name === '' || name.endsWith('.') ? null : name;
}

/** A server name as names are compared: RFC 6066 §3 has no dot at the end, some clients do. */
export function comparableName(text: string): string {
  return (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
}
