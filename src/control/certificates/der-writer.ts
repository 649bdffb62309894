/** What DER needs to write certificates (ITU-T X.690): every function returns one complete element. Nothing is checked but lengths. */

const TAGS = { integer: 0x02, bitString: 0x03, octetString: 0x04, oid: 0x06, utf8: 0x0c, sequence: 0x30, set: 0x31 };

/** Any element: a tag octet, the length, and `parts` one after the other. Up to 2^32 − 1 octets. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag]), lengthOctets(length), ...parts]);
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return element(TAGS.sequence, ...parts);
}

export function setOf(...parts: readonly Uint8Array[]): Buffer {
  return element(TAGS.set, ...parts);
}

/** `[number] EXPLICIT` around `parts` (X.690 §8.14); the number is below 31. */
export function explicit(number: number, ...parts: readonly Uint8Array[]): Buffer {
  return element(0xa0 | number, ...parts);
}

/** `[number] IMPLICIT` of a primitive type with `content`; the number is below 31. */
export function implicit(number: number, content: Uint8Array): Buffer {
  return element(0x80 | number, content);
}

/** A non-negative integer from its big-endian magnitude, in the fewest octets (X.690 §8.3). */
export function integer(magnitude: Uint8Array): Buffer {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start += 1;
  const shortest = magnitude.subarray(start);
  // The first bit is the sign.
  return (shortest[0] ?? 0) > 0x7f || shortest.length === 0
    ? element(TAGS.integer, Buffer.from([0]), shortest)
    : element(TAGS.integer, shortest);
}

export function boolean(value: boolean): Buffer {
  return Buffer.from([0x01, 0x01, value ? 0xff : 0x00]);
}

/** `unused` low bits of the last octet do not count. */
export function bitString(content: Uint8Array, unused = 0): Buffer {
  return element(TAGS.bitString, Buffer.from([unused]), content);
}

export function octetString(content: Uint8Array): Buffer {
  return element(TAGS.octetString, content);
}

export function utf8String(text: string): Buffer {
  return element(TAGS.utf8, Buffer.from(text, 'utf8'));
}

/** An object identifier from its dotted form: `2.5.29.17`. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(TAGS.oid, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** UTCTime up to 2049, GeneralizedTime from then on, as RFC 5280 §4.1.2.5 wants it; whole seconds. */
export function time(epochMs: number): Buffer {
  const digits = new Date(epochMs)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:T]/g, '');
  return digits < '2050' ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits));
}

function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(length);
  const shortest = octets.subarray(octets.findIndex((octet) => octet !== 0));
  return Buffer.concat([Buffer.from([0x80 | shortest.length]), shortest]);
}

/** Seven bits an octet, all but the last with the high bit set (X.690 §8.19.2). */
function base128(value: number): number[] {
  const octets = [value & 0x7f];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128))
    octets.unshift(0x80 | (rest & 0x7f));
  return octets;
}
