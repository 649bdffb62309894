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
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return networkOf(mapped[1] as string, ipv4Prefix, ipv6Prefix);
  if (!readGroups(address)) return address;
  let text = '';
  for (let i = 0; i * 16 < ipv6Prefix; i += 1) {
    const bits = Math.min(16, ipv6Prefix - i * 16);
    const group = (groups[i] as number) & (0xffff << (16 - bits));
    text += i === 0 ? group.toString(16) : `:${group.toString(16)}`;
  }
  return `${text}/${ipv6Prefix}`;
}

function ipv4NetworkOf(address: string, prefix: number): string {
  const octets = address.split('.');
  if (octets.length !== 4 || !octets.every((octet) => /^\d{1,3}$/.test(octet))) return address;
  const value = octets.reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - prefix);
  const base = Math.floor(value / size) * size;
  return `${[base >>> 24, (base >>> 16) & 255, (base >>> 8) & 255, base & 255].join('.')}/${prefix}`;
}

/** Fills `groups` with an IPv6 address; false for anything else. */
function readGroups(address: string): boolean {
  const zone = address.indexOf('%');
  const [head = '', tail, ...rest] = (zone === -1 ? address : address.slice(0, zone)).split('::');
  if (rest.length > 0) return false;
  groups.fill(0);
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const given = before.length + after.length;
  if (tail === undefined ? given !== GROUPS : given >= GROUPS) return false;
  return fill(before, 0) && fill(after, GROUPS - after.length);
}

function fill(texts: readonly string[], from: number): boolean {
  for (let i = 0; i < texts.length; i += 1) {
    if (!/^[0-9a-f]{1,4}$/i.test(texts[i] as string)) return false;
    groups[from + i] = Number.parseInt(texts[i] as string, 16);
  }
  return true;
}
