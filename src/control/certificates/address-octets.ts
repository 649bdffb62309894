import { isIP } from 'node:net';

/** The 4 or 16 octets of an address that `isIP` knows, in network order; a zone id (`%eth0`) does not count. */
export function addressOctets(address: string): Buffer {
  if (isIP(address) === 4) return octetsOf4(address);
  const [plain = ''] = address.split('%');
  const dotted = /[\d.]+$/.exec(plain)?.[0] ?? '';
  // `::ffff:192.0.2.1`: the last four octets may be written as IPv4 (RFC 4291 §2.2).
  const hex = dotted.includes('.')
    ? plain.slice(0, -dotted.length) +
      octetsOf4(dotted)
        .toString('hex')
        .replace(/^(....)/, '$1:')
    : plain;
  const [before = '', after] = hex.split('::');
  const left = groupsOf(before);
  const right = groupsOf(after ?? '');
  const zeros = Array<number>(8 - left.length - right.length).fill(0);
  return Buffer.from([...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 0xff]));
}

function octetsOf4(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}
