import { isIPv4, isIPv6 } from 'node:net';
import type { ProxyHeader, ProxyParse, ProxyRefusal } from './header.ts';

/** CRLF included: the worst case that proxy-protocol.txt §2.1 has, and the bound that it sets. */
const MAX_LENGTH = 107;
const START = 'PROXY ';
const CR = 0x0d;
const LF = 0x0a;

/** The text header (§2.1): `PROXY TCP4 192.0.2.7 198.51.100.1 51234 443`, one space each, and CRLF. */
export function parseV1(bytes: Uint8Array): ProxyParse {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MAX_LENGTH)).toString('latin1');
  if (!text.startsWith(START) && !START.startsWith(text)) return refused('proxy-header-missing');
  const end = text.search(/[\r\n]/);
  if (end === -1 || (end === text.length - 1 && bytes[end] === CR)) {
    return text.length < MAX_LENGTH ? { kind: 'more' } : refused('proxy-header-too-long');
  }
  // §2.1: neither CR nor LF alone ends the line.
  if (bytes[end] !== CR || bytes[end + 1] !== LF) return refused('proxy-header-malformed');
  const header = headerOf(text.slice(START.length, end));
  return header === null ? refused('proxy-header-malformed') : { kind: 'header', header, length: end + 2 };
}

function headerOf(line: string): ProxyHeader | null {
  // Whatever else stands there is to be ignored.
  if (line === 'UNKNOWN' || line.startsWith('UNKNOWN ')) return { kind: 'local' };
  const [family, from = '', to = '', fromPort = '', toPort = '', ...rest] = line.split(' ');
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : isNothing;
  if (rest.length > 0 || ![from, to].every((text) => isAddress(text)) || ![fromPort, toPort].every(isPort)) return null;
  return {
    kind: 'relayed',
    source: { address: from, port: Number(fromPort) },
    destination: { address: to, port: Number(toPort) },
    tls: null,
  };
}

function isNothing(): boolean {
  return false;
}

/** A zone means something on one machine only. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function refused(reason: ProxyRefusal): ProxyParse {
  return { kind: 'refused', reason };
}
