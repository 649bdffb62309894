import { hexValue } from '../../http/octets.ts';

const GROUPS = 8;
/** One address at a time is taken apart. */
const groups = new Uint16Array(GROUPS);

/**
 * The network of a client address, as text: its first `ipv4Prefix` or `ipv6Prefix` bits, so that one subscriber is one client whichever of
 * his addresses he uses (RFC 6177: a /64 at least). IPv4 in IPv6 notation is IPv4, and a zone is no part of an address. Text that is no address
 * (`unix:`) is itself. Hot: IPv4 with all its bits costs one look for ":".
 */
export function networkOf(address: string, ipv4Prefix: number, ipv6Prefix: number): string {
  if (!address.includes(':')) return ipv4Prefix === 32 ? address : ipv4NetworkOf(address, ipv4Prefix);
  if (address.includes('.')) return dottedNetworkOf(address, ipv4Prefix);
  if (!readGroups(address)) return address;
  let text = '';
  for (let i = 0; i * 16 < ipv6Prefix; i += 1) {
    const bits = Math.min(16, ipv6Prefix - i * 16);
    const group = (groups[i] as number) & (0xffff << (16 - bits));
    text += i === 0 ? group.toString(16) : `:${group.toString(16)}`;
  }
  return `${text}/${ipv6Prefix}`;
}

function dottedNetworkOf(address: string, ipv4Prefix: number): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return mapped === null ? address : networkOf(mapped[1] as string, ipv4Prefix, 128);
}

function ipv4NetworkOf(address: string, prefix: number): string {
  const octets = address.split('.');
  if (octets.length !== 4 || !octets.every((octet) => /^\d{1,3}$/.test(octet))) return address;
  const value = octets.reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - prefix);
  const base = Math.floor(value / size) * size;
  return `${[base >>> 24, (base >>> 16) & 255, (base >>> 8) & 255, base & 255].join('.')}/${prefix}`;
}

const COLON = 0x3a;

/** Fills `groups` with an IPv6 address; false for anything else. Character by character: this is every request of every IPv6 client. */
function readGroups(address: string): boolean {
  const zone = address.indexOf('%');
  const end = zone === -1 ? address.length : zone;
  let count = 0;
  /** Groups before "::". */
  let gap = -1;
  let at = 0;
  if (address.charCodeAt(0) === COLON) {
    if (address.charCodeAt(1) !== COLON) return false;
    gap = 0;
    at = 2;
  }
  while (at < end) {
    let value = 0;
    const from = at;
    for (
      let digit = hexValue(address.charCodeAt(at));
      digit >= 0 && at < end;
      digit = hexValue(address.charCodeAt(at))
    ) {
      value = value * 16 + digit;
      at += 1;
    }
    if (at === from || at - from > 4 || count === GROUPS) return false;
    groups[count] = value;
    count += 1;
    if (at === end) break;
    if (address.charCodeAt(at) !== COLON) return false;
    at += 1;
    if (address.charCodeAt(at) === COLON && at < end) {
      if (gap !== -1) return false;
      gap = count;
      at += 1;
    } else if (at === end) return false;
  }
  if (gap === -1) return count === GROUPS;
  if (count === GROUPS) return false;
  groups.copyWithin(GROUPS - (count - gap), gap, count);
  groups.fill(0, gap, GROUPS - (count - gap));
  return true;
}
