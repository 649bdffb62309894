import { isIP, isIPv4, SocketAddress } from 'node:net';
import type { ProxyProtocolVersion } from '../exchange/attempt.ts';
import type { Client } from '../exchange/exchange.ts';

/** Signature of version 2, then version and command: 0x21 for a relayed connection, 0x20 for one of the proxy's own. */
const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';
const RELAYED = `${SIGNATURE}\x21`;
const LOCAL = `${SIGNATURE}\x20\0\0\0`;
const UNKNOWN = 'PROXY UNKNOWN\r\n';

/**
 * The PROXY header that a connection on behalf of `client` begins with, each character one byte: equal headers, equal
 * clients. `null` for a connection of our own, such as a health check. The address is the client's as it is known, so
 * behind a trusted proxy its port is not, and is 0; a client without an IP address is announced as unknown.
 */
export function proxyHeader(version: ProxyProtocolVersion, client: Client | null): string {
  if (client === null) return version === 'v1' ? UNKNOWN : LOCAL;
  if (isIP(client.address) === 0 || isIP(client.localAddress) === 0)
    return version === 'v1' ? UNKNOWN : `${RELAYED}\0\0\0`;
  const port = client.address === client.peer ? client.peerPort : 0;
  return version === 'v1' ? textHeader(client, port) : binaryHeader(client, port);
}

function textHeader({ address, localAddress, localPort }: Client, port: number): string {
  if (isIPv4(address) && isIPv4(localAddress)) return `PROXY TCP4 ${address} ${localAddress} ${port} ${localPort}\r\n`;
  return `PROXY TCP6 ${asIPv6(address)} ${asIPv6(localAddress)} ${port} ${localPort}\r\n`;
}

function binaryHeader({ address, localAddress, localPort }: Client, port: number): string {
  const ports = twoBytes(port) + twoBytes(localPort);
  if (isIPv4(address) && isIPv4(localAddress))
    return `${RELAYED}\x11\0\x0c${ipv4Bytes(address)}${ipv4Bytes(localAddress)}${ports}`;
  return `${RELAYED}\x21\0\x24${ipv6Bytes(address)}${ipv6Bytes(localAddress)}${ports}`;
}

/** A header has one family for both ends: an IPv4 end beside an IPv6 one is written as mapped (RFC 4291 §2.5.5.2). */
function asIPv6(address: string): string {
  return isIPv4(address) ? `::ffff:${address}` : address;
}

function ipv4Bytes(address: string): string {
  return String.fromCharCode(...address.split('.').map(Number));
}

function ipv6Bytes(address: string): string {
  if (isIPv4(address)) return `${'\0'.repeat(10)}\xff\xff${ipv4Bytes(address)}`;
  // The system's form has no dotted tail but for mapped addresses, which are IPv4 by now, and for ::/96.
  const text = new SocketAddress({ address, family: 'ipv6' }).address;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const [before = '', after = ''] = (dotted?.[1] ?? text).split('::');
  const tail = dotted === null ? '' : ipv4Bytes(dotted[2] as string);
  const head = groupBytes(before);
  const rest = groupBytes(after) + tail;
  return head + '\0'.repeat(16 - head.length - rest.length) + rest;
}

function groupBytes(groups: string): string {
  let bytes = '';
  for (const group of groups.split(':')) if (group !== '') bytes += twoBytes(Number.parseInt(group, 16));
  return bytes;
}

function twoBytes(value: number): string {
  return String.fromCharCode(value >> 8, value & 255);
}
