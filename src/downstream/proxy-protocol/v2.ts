import { crc32c } from './crc32c.ts';
import type { ProxiedEnd, ProxiedTls, ProxyHeader, ProxyParse, ProxyRefusal } from './header.ts';

/** Begins every binary header (proxy-protocol.txt §2.2). */
export const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** Signature, version and command, family and protocol, length of the rest. */
const FIXED_LENGTH = 16;
/**
 * Longest header that is read, all included. Addresses take 216 bytes at most, the names and ids of clouds and of TLS a few
 * hundred; §2.2 counts on a receiver of 536.
 */
export const MAX_LENGTH = 4096;

const LOCAL = 0;
const UNSPEC = 0;
const STREAM = 1;
/** Bytes of both addresses and ports, by family: unspecified, IPv4, IPv6, Unix. */
const ADDRESS_BYTES = [0, 12, 36, 216] as const;

/** The binary header (§2.2). */
export function parseV2(bytes: Uint8Array): ProxyParse {
  const seen = Math.min(bytes.length, SIGNATURE.length);
  if (!SIGNATURE.subarray(0, seen).equals(bytes.subarray(0, seen))) return refused('proxy-header-missing');
  if (bytes.length > 12 && byteAt(bytes, 12) >> 4 !== 2) return refused('proxy-header-version');
  if (bytes.length < FIXED_LENGTH) return { kind: 'more' };
  const length = FIXED_LENGTH + twoBytesAt(bytes, 14);
  if (length > MAX_LENGTH) return refused('proxy-header-too-long');
  if (bytes.length < length) return { kind: 'more' };
  const header = headerOf(bytes.subarray(0, length));
  return typeof header === 'string' ? refused(header) : { kind: 'header', header, length };
}

/** Of a whole header. */
function headerOf(bytes: Uint8Array): ProxyHeader | ProxyRefusal {
  const command = byteAt(bytes, 12) & 15;
  const family = byteAt(bytes, 13) >> 4;
  const protocol = byteAt(bytes, 13) & 15;
  if (command > 1) return 'proxy-header-malformed';
  // §2.2: of a LOCAL header everything that follows is to be skipped, the family included.
  if (command === LOCAL) return { kind: 'local' };
  const addressBytes = ADDRESS_BYTES[family];
  if (addressBytes === undefined || protocol > 2) return 'proxy-header-malformed';
  // Unspecified, and datagrams, which can't be what came over this connection: treated as unspecified, as §2.2 has it.
  if (family === UNSPEC || protocol !== STREAM) return { kind: 'local' };
  const end = FIXED_LENGTH + addressBytes;
  if (bytes.length < end) return 'proxy-header-malformed';
  const extras = readExtras(bytes, end);
  return typeof extras === 'string' ? extras : { kind: 'relayed', ...endsOf(bytes, addressBytes), tls: tlsOf(extras) };
}

function endsOf(bytes: Uint8Array, addressBytes: number): { source: ProxiedEnd; destination: ProxiedEnd | null } {
  // The names of Unix sockets say nothing on another machine; most are empty anyway.
  if (addressBytes === 216) return { source: { address: 'unix:', port: 0 }, destination: null };
  const size = (addressBytes - 4) / 2;
  const text = size === 4 ? ipv4Text : ipv6Text;
  const ports = FIXED_LENGTH + 2 * size;
  return {
    source: { address: text(bytes, FIXED_LENGTH), port: twoBytesAt(bytes, ports) },
    destination: { address: text(bytes, FIXED_LENGTH + size), port: twoBytesAt(bytes, ports + 2) },
  };
}

const TYPE_AUTHORITY = 0x02;
const TYPE_CRC32C = 0x03;
const TYPE_SSL = 0x20;
const SUBTYPE_SSL_VERSION = 0x21;
const SUBTYPE_SSL_CIPHER = 0x23;
/** Flag of PP2_TYPE_SSL: the client came over TLS. */
const CLIENT_SSL = 0x01;

/** What is read of the type-length-value vectors (§2.2.1 to §2.2.8). */
interface Extras {
  authority: string | null;
  /** Value of PP2_TYPE_SSL: one byte of flags, four of the certificate's verdict, vectors. */
  ssl: { readonly flags: number; version: string | null; cipher: string | null } | null;
}

/** Reads those that mean something here and skips all others; their lengths must fit all the same. */
function readExtras(bytes: Uint8Array, start: number): Extras | ProxyRefusal {
  const extras: Extras = { authority: null, ssl: null };
  let broken: ProxyRefusal | null = null;
  const whole = eachVector(bytes, { start, end: bytes.length }, (type, at, length) => {
    if (type === TYPE_AUTHORITY) extras.authority = hostName(bytes.subarray(at, at + length));
    if (type === TYPE_CRC32C) broken ??= checksumProblem(bytes, at, length);
    if (type !== TYPE_SSL) return;
    extras.ssl = readSsl(bytes, at, length);
    if (extras.ssl === null) broken ??= 'proxy-header-malformed';
  });
  return broken ?? (whole ? extras : 'proxy-header-malformed');
}

function readSsl(bytes: Uint8Array, at: number, length: number): Extras['ssl'] {
  if (length < 5) return null;
  const ssl: NonNullable<Extras['ssl']> = { flags: byteAt(bytes, at), version: null, cipher: null };
  const whole = eachVector(bytes, { start: at + 5, end: at + length }, (type, from, size) => {
    const value = bytes.subarray(from, from + size);
    if (type === SUBTYPE_SSL_VERSION) ssl.version = word(value);
    if (type === SUBTYPE_SSL_CIPHER) ssl.cipher = word(value);
  });
  return whole ? ssl : null;
}

function tlsOf({ authority, ssl }: Extras): ProxiedTls | null {
  if (ssl === null || (ssl.flags & CLIENT_SSL) === 0) return null;
  return { serverName: authority, protocol: ssl.version ?? 'unknown', cipher: ssl.cipher ?? 'unknown' };
}

/** Calls `visit` with type, offset and length of each vector; `false` when one doesn't fit into the range. */
function eachVector(
  bytes: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
  visit: (type: number, at: number, length: number) => void,
): boolean {
  let at = start;
  while (at < end) {
    if (end - at < 3) return false;
    const length = twoBytesAt(bytes, at + 1);
    if (length > end - at - 3) return false;
    visit(byteAt(bytes, at), at + 3, length);
    at += 3 + length;
  }
  return true;
}

/** §2.2.3: over the whole header, with the checksum itself taken as zero. */
function checksumProblem(bytes: Uint8Array, at: number, length: number): ProxyRefusal | null {
  if (length !== 4) return 'proxy-header-malformed';
  const zeroed = Buffer.from(bytes);
  const said = zeroed.readUInt32BE(at);
  zeroed.fill(0, at, at + 4);
  return crc32c(zeroed) === said ? null : 'proxy-header-checksum';
}

/** For logs and templates: visible ASCII, else nothing. */
function word(value: Uint8Array): string | null {
  const text = Buffer.from(value).toString('latin1');
  return /^[\x21-\x7e]{1,64}$/.test(text) ? text : null;
}

function hostName(value: Uint8Array): string | null {
  const text = Buffer.from(value).toString('latin1').toLowerCase();
  return /^[a-z0-9_.-]{1,253}$/.test(text) ? text : null;
}

function ipv4Text(bytes: Uint8Array, at: number): string {
  return bytes.subarray(at, at + 4).join('.');
}

function ipv6Text(bytes: Uint8Array, at: number): string {
  const groups = [];
  for (let i = 0; i < 16; i += 2) groups.push(twoBytesAt(bytes, at + i).toString(16));
  return groups.join(':');
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

function twoBytesAt(bytes: Uint8Array, at: number): number {
  return (byteAt(bytes, at) << 8) | byteAt(bytes, at + 1);
}

function refused(reason: ProxyRefusal): ProxyParse {
  return { kind: 'refused', reason };
}
