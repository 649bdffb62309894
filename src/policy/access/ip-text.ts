import { hexValue, isDigit } from '../../http/octets.ts';

/*
 * Hot file: the address of every client of a route with lists is read here, and every line of those lists. Addresses are words of 32 bits
 * in an array of the caller's, most significant first, so that nothing is allocated.
 */

const DOT = 0x2e;
const COLON = 0x3a;
const ZERO = 0x30;
const GROUPS = 8;

const groups = new Uint16Array(GROUPS);
const tail = new Uint32Array(1);

/**
 * Reads the address that `text` holds from `from` to `to`: IPv4 into `into[0]`, IPv6 (RFC 4291 §2.2) into `into[0]` to `into[3]`. Returns
 * the family, or 0 for what is no address: octets with leading zeros, which some read as octal, and zones too.
 */
export function readIp(text: string, from: number, to: number, into: Uint32Array): 0 | 4 | 6 {
  for (let at = from; at < to && at < from + 5; at += 1) {
    const code = text.charCodeAt(at);
    if (code === COLON) return readIpv6(text, from, to, into) ? 6 : 0;
    if (code === DOT) return readIpv4(text, from, to, into) ? 4 : 0;
  }
  return 0;
}

function readIpv4(text: string, from: number, to: number, into: Uint32Array): boolean {
  let value = 0;
  let at = from;
  for (let octets = 0; octets < 4; octets += 1) {
    if (octets > 0) {
      if (text.charCodeAt(at) !== DOT || at >= to) return false;
      at += 1;
    }
    const start = at;
    let octet = 0;
    while (at < to && at < start + 3 && isDigit(text.charCodeAt(at))) {
      octet = octet * 10 + text.charCodeAt(at) - ZERO;
      at += 1;
    }
    if (at === start || octet > 255 || (at > start + 1 && text.charCodeAt(start) === ZERO)) return false;
    value = value * 256 + octet;
  }
  into[0] = value;
  return at === to;
}

function readIpv6(text: string, from: number, to: number, into: Uint32Array): boolean {
  let at = from;
  let count = 0;
  // Groups before the `::`; -1 without one.
  let gap = -1;
  if (text.charCodeAt(at) === COLON) {
    if (to - at < 2 || text.charCodeAt(at + 1) !== COLON) return false;
    gap = 0;
    at += 2;
  }
  while (at < to) {
    if (count === GROUPS) return false;
    const start = at;
    let value = 0;
    for (let digit = digitAt(text, at, to); digit !== -1 && at < start + 4; digit = digitAt(text, at, to)) {
      value = value * 16 + digit;
      at += 1;
    }
    if (at === start) return false;
    if (at < to && text.charCodeAt(at) === DOT) {
      if (count > GROUPS - 2 || !readIpv4(text, start, to, tail)) return false;
      groups[count] = (tail[0] as number) >>> 16;
      groups[count + 1] = (tail[0] as number) & 0xffff;
      count += 2;
      break;
    }
    groups[count] = value;
    count += 1;
    if (at === to) break;
    if (text.charCodeAt(at) !== COLON) return false;
    at += 1;
    if (at === to) return false;
    if (text.charCodeAt(at) === COLON) {
      if (gap !== -1) return false;
      gap = count;
      at += 1;
    }
  }
  if (gap === -1 ? count !== GROUPS : count === GROUPS) return false;
  spread(into, count, gap === -1 ? count : gap);
  return true;
}

function digitAt(text: string, at: number, to: number): number {
  return at < to ? hexValue(text.charCodeAt(at)) : -1;
}

/** The groups before the gap stand at the begin, those behind it at the end. */
function spread(into: Uint32Array, count: number, gap: number): void {
  for (let word = 0; word < 4; word += 1) {
    into[word] = ((groupAt(2 * word, count, gap) << 16) | groupAt(2 * word + 1, count, gap)) >>> 0;
  }
}

function groupAt(place: number, count: number, gap: number): number {
  if (place < gap) return groups[place] as number;
  const behind = place - (GROUPS - count);
  return behind < gap ? 0 : (groups[behind] as number);
}
