import { BlockList, isIP } from 'node:net';

/** One network of a client list. `base` has its host bits cleared. */
export interface Network {
  readonly family: 4 | 6;
  readonly base: bigint;
  /** Leading bits that count: 0–32 or 0–128. */
  readonly length: number;
}

export type NetworkResult =
  | { readonly ok: true; readonly network: Network }
  | { readonly ok: false; readonly message: string };

/**
 * Reads `192.0.2.7`, `10.0.0.0/8`, `fd00::/8`. Host bits may be set and are ignored (`10.1.2.3/8` is `10.0.0.0/8`).
 * Refused: octets with leading zeros (some read them as octal), zone ids, and IPv4-mapped IPv6, which no client address is
 * ever written as.
 */
export function parseNetwork(text: string): NetworkResult {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  const family = isIP(address);
  if ((family !== 4 && family !== 6) || address.includes('%')) return refused(`"${address}" is not an IP address`);
  const bits = family === 4 ? 32 : 128;
  const length = slash === -1 ? bits : prefixLength(text.slice(slash + 1));
  if (length === null || length > bits)
    return refused(`"${text}" needs a prefix length from 0 to ${bits} after the "/"`);
  const value = family === 4 ? ipv4Value(address) : ipv6Value(address);
  if (family === 6 && length >= 96 && value >> 32n === 0xffffn)
    return refused(`"${text}" is IPv4 in IPv6 notation: write the IPv4 network`);
  const shift = BigInt(bits - length);
  return { ok: true, network: { family, base: (value >> shift) << shift, length } };
}

function refused(message: string): NetworkResult {
  return { ok: false, message };
}

function prefixLength(text: string): number | null {
  return /^(0|[1-9]\d{0,2})$/.test(text) ? Number(text) : null;
}

/** True if every address of `inner` is in `outer`. */
export function containsNetwork(outer: Network, inner: Network): boolean {
  if (outer.family !== inner.family || outer.length > inner.length) return false;
  const shift = BigInt((outer.family === 4 ? 32 : 128) - outer.length);
  return inner.base >> shift === outer.base >> shift;
}

/**
 * Compiles a list into a test of client addresses. The test takes an IPv4 or IPv6 literal (0.1 µs) and says `false` to anything else.
 * `null` if one of the texts is not a network; `parseNetwork` says why.
 */
export function compileCidrs(list: readonly string[]): ((address: string) => boolean) | null {
  // Two lists: in a mixed one, ::/0 would also hold for every IPv4 address.
  const v4 = new BlockList();
  const v6 = new BlockList();
  for (const text of list) {
    const result = parseNetwork(text);
    if (!result.ok) return null;
    const { family, length } = result.network;
    const address = text.split('/')[0] as string;
    if (family === 4) v4.addSubnet(address, length, 'ipv4');
    else v6.addSubnet(address, length, 'ipv6');
  }
  return (address) => (address.includes(':') ? v6.check(address, 'ipv6') : v4.check(address, 'ipv4'));
}

function ipv4Value(address: string): bigint {
  return address.split('.').reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
}

/** `address` is valid, perhaps with `::` and with a dotted tail. */
function ipv6Value(address: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  const tail = dotted === null ? 0n : ipv4Value(dotted[2] as string);
  const text = dotted === null ? address : `${dotted[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const [head = '', rest] = text.split('::');
  const left = groupsOf(head);
  const right = rest === undefined ? [] : groupsOf(rest);
  const zeros = new Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
