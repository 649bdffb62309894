/** One element of a DER encoding (X.690): its tag octet and where its content lies. */
export interface Der {
  /** Class, constructed bit and number as one octet: 0x30 is SEQUENCE. Tags of more than one octet are not read. */
  readonly tag: number;
  readonly content: Buffer;
  /** Tag and length included: what signatures and digests are over. */
  readonly whole: Buffer;
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
} as const;

/** `[n]`, constructed. */
export function contextTag(number: number): number {
  return 0xa0 | number;
}

/** The bytes are no DER, or not the structure that was expected. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/**
 * The one element that `bytes` hold; something behind it is refused. Nothing is copied, nesting is followed only as far as the
 * caller asks, so the work is bounded by the input's length.
 */
export function readDer(bytes: Buffer, tag?: number): Der {
  const element = elementAt(bytes, 0);
  if (element.whole.length !== bytes.length) throw new DerError('there is something behind the end');
  return expectTag(element, tag);
}

/** The elements inside a constructed one, or inside an OCTET STRING that holds DER. */
export function childrenOf({ content }: Der): readonly Der[] {
  const children: Der[] = [];
  for (let at = 0; at < content.length; ) {
    const child = elementAt(content, at);
    children.push(child);
    at += child.whole.length;
  }
  return children;
}

/** Child number `index`, which must be there and have this tag. */
export function childOf(parent: Der, index: number, tag?: number): Der {
  return expectTag(childrenOf(parent)[index], tag);
}

export function expectTag(element: Der | undefined, tag?: number): Der {
  if (element === undefined) throw new DerError('something is missing');
  if (tag !== undefined && element.tag !== tag) throw new DerError(`tag ${element.tag} stands in place of ${tag}`);
  return element;
}

/** `1.2.840.113549` of an OBJECT IDENTIFIER. */
export function oidOf(element: Der): string {
  const { content } = expectTag(element, tags.oid);
  const arcs: number[] = [];
  let arc = 0;
  for (const octet of content) {
    arc = arc * 128 + (octet & 0x7f);
    if ((octet & 0x80) !== 0) continue;
    if (arcs.length === 0) arcs.push(Math.min(2, Math.floor(arc / 40)));
    arcs.push(arcs.length === 1 ? arc - 40 * (arcs[0] as number) : arc);
    arc = 0;
  }
  return arcs.join('.');
}

/** A small non-negative INTEGER or ENUMERATED, such as a version or a count. */
export function smallNumberOf({ content }: Der): number {
  if (content.length === 0 || content.length > 4 || (content[0] as number) > 0x7f)
    throw new DerError('not a small number');
  return content.readUIntBE(0, content.length);
}

function elementAt(bytes: Buffer, at: number): Der {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw new DerError('not DER');
  let length = first;
  let start = at + 2;
  if (first >= 0x80) {
    const octets = first & 0x7f;
    // 0x80 is the indefinite length of BER; 4 octets are 4 GiB already.
    if (octets === 0 || octets > 4 || start + octets > bytes.length) throw new DerError('not DER');
    length = bytes.readUIntBE(start, octets);
    start += octets;
  }
  if (start + length > bytes.length) throw new DerError('cut short');
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) };
}
