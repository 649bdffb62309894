import { crc32 } from 'node:zlib';
import { decodeHead, type EntryHead, headFormat } from '../../cache/entry-codec.ts';

/*
 * The file of one response:
 *
 *   0   8   "HGCACHE1"
 *   8   8   id: the file's name
 *   16  4   length of the head
 *   20  4   CRC-32 of the names of the head's fields: who knows others, is of another version
 *   24  6   length of the body
 *   30  2   0
 *   32  4   CRC-32 of bytes 0 to 31 and of the head
 *   36      head, JSON
 *           segments of the body: CRC-32 (4), then 64 KiB, the last one less
 *           nothing, or a newer head: length (4), CRC-32 (4), JSON
 *
 * All numbers are big-endian. Each checksum begins with the id and the place, so that nothing that is whole in itself passes for
 * something else.
 */

const MAGIC = Buffer.from('HGCACHE1', 'latin1');
const FORMAT = crc32(headFormat);
const HEAD_OFFSET = 36;
const RENEWAL_OFFSET = 8;

/** Of body that are checked, and read, together. */
export const SEGMENT_BYTES = 64 * 1024;
/** A head above this is not written, and none is read: limits on fields keep real ones below it. */
export const MAX_HEAD_BYTES = 256 * 1024;
const MAX_BODY_BYTES = 2 ** 48 - 1;
const CHECK_BYTES = 4;

/** Where the parts of one file are. */
export interface FileLayout {
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly bodyOffset: number;
  readonly bodyBytes: number;
}

/** The beginning of a file, up to the body; `null` for what is too large to be written. */
export function encodeFileHead(id: string, head: string, bodyBytes: number): Buffer | null {
  const text = Buffer.from(head, 'utf8');
  if (text.byteLength > MAX_HEAD_BYTES || bodyBytes > MAX_BODY_BYTES) return null;
  const bytes = Buffer.alloc(HEAD_OFFSET + text.byteLength);
  MAGIC.copy(bytes);
  bytes.write(id, 8, 'hex');
  bytes.writeUInt32BE(text.byteLength, 16);
  bytes.writeUInt32BE(FORMAT, 20);
  bytes.writeUIntBE(bodyBytes, 24, 6);
  text.copy(bytes, HEAD_OFFSET);
  bytes.writeUInt32BE(checkOfHead(bytes), 32);
  return bytes;
}

/** What the first bytes of a file say: as much of it as they are, or how many more it takes, or `null` for no file of ours. */
export type FileHead =
  | { readonly kind: 'whole'; readonly layout: FileLayout; readonly head: EntryHead }
  | { readonly kind: 'more'; readonly bytes: number };

/** Reads what `encodeFileHead` wrote. Whatever `bytes` are, it never throws. */
export function decodeFileHead(id: string, bytes: Buffer): FileHead | null {
  if (bytes.byteLength < HEAD_OFFSET || !bytes.subarray(0, MAGIC.byteLength).equals(MAGIC)) return null;
  if (bytes.toString('hex', 8, 16) !== id || bytes.readUInt32BE(20) !== FORMAT) return null;
  const length = bytes.readUInt32BE(16);
  if (length > MAX_HEAD_BYTES) return null;
  const bodyOffset = HEAD_OFFSET + length;
  if (bytes.byteLength < bodyOffset) return { kind: 'more', bytes: bodyOffset };
  const whole = bytes.subarray(0, bodyOffset);
  if (bytes.readUInt32BE(32) !== checkOfHead(whole)) return null;
  const head = decodeHead(whole.toString('utf8', HEAD_OFFSET));
  if (head === null) return null;
  return { kind: 'whole', layout: { id, bodyOffset, bodyBytes: bytes.readUIntBE(24, 6) }, head };
}

/** Its own four bytes are left out. */
function checkOfHead(bytes: Buffer): number {
  return crc32(bytes.subarray(HEAD_OFFSET), crc32(bytes.subarray(0, 32)));
}

/** Where the body ends. */
export function bodyEnd({ bodyOffset, bodyBytes }: FileLayout): number {
  return bodyOffset + bodyBytes + segmentCount(bodyBytes) * CHECK_BYTES;
}

export function segmentCount(bodyBytes: number): number {
  return Math.ceil(bodyBytes / SEGMENT_BYTES);
}

/** Where segment `index` is, its checksum before it. */
export function segmentPlace(
  { bodyOffset, bodyBytes }: FileLayout,
  index: number,
): { readonly at: number; readonly bytes: number } {
  const before = index * SEGMENT_BYTES;
  const bytes = Math.min(SEGMENT_BYTES, bodyBytes - before) + CHECK_BYTES;
  return { at: bodyOffset + before + index * CHECK_BYTES, bytes };
}

/** The body's part of a segment as it is in the file, or `null` when it is not what was written there. */
export function openSegment(id: string, index: number, bytes: Buffer): Buffer | null {
  const data = bytes.subarray(CHECK_BYTES);
  return bytes.readUInt32BE(0) === crc32(data, segmentSeed(id, index)) ? data : null;
}

/** The checksum that goes before a segment, which consists of `pieces`. */
export function segmentCheck(id: string, index: number, pieces: readonly Uint8Array[]): Buffer {
  let check = segmentSeed(id, index);
  for (const piece of pieces) check = crc32(piece, check);
  const bytes = Buffer.allocUnsafe(CHECK_BYTES);
  bytes.writeUInt32BE(check);
  return bytes;
}

function segmentSeed(id: string, index: number): number {
  return crc32(`${id} ${index}`);
}

/** A head that takes the place of the first one. Follows the body; `null` for one that is too large. */
export function encodeRenewal(id: string, head: string): Buffer | null {
  const text = Buffer.from(head, 'utf8');
  if (text.byteLength > MAX_HEAD_BYTES) return null;
  const bytes = Buffer.alloc(RENEWAL_OFFSET + text.byteLength);
  bytes.writeUInt32BE(text.byteLength);
  bytes.writeUInt32BE(crc32(text, crc32(`${id} renewal`)), 4);
  text.copy(bytes, RENEWAL_OFFSET);
  return bytes;
}

/** What follows the body; `null` when it is no head. */
export function decodeRenewal(id: string, bytes: Buffer): EntryHead | null {
  if (bytes.byteLength < RENEWAL_OFFSET) return null;
  const length = bytes.readUInt32BE(0);
  if (bytes.byteLength < RENEWAL_OFFSET + length) return null;
  const text = bytes.subarray(RENEWAL_OFFSET, RENEWAL_OFFSET + length);
  if (bytes.readUInt32BE(4) !== crc32(text, crc32(`${id} renewal`))) return null;
  return decodeHead(text.toString('utf8'));
}

/** Longest that may follow a body. */
export const MAX_RENEWAL_BYTES = RENEWAL_OFFSET + MAX_HEAD_BYTES;
