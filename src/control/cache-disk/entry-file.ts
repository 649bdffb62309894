import type { EntryHead } from '../../cache/entry-codec.ts';
import { CHANGE, CREATE, FILE_MODE, type FileHandle, type FileSystem, READ, readFully } from './file-system.ts';
import {
  bodyEnd,
  decodeFileHead,
  decodeRenewal,
  type FileLayout,
  MAX_RENEWAL_BYTES,
  SEGMENT_BYTES,
  segmentCheck,
} from './format.ts';

/** Written with one call, at most about this much. */
const WRITE_BYTES = 4 * SEGMENT_BYTES;
/** Holds nearly every head. */
const FIRST_READ_BYTES = 4096;

/** A body that is all in memory, and the beginning of the file that it goes to. */
export interface FileContent {
  readonly id: string;
  readonly fileHead: Buffer;
  readonly chunks: readonly Uint8Array[];
}

/** Writes a new file. Rejects with an error of the system; what was begun is left there. Nothing is copied. */
export async function writeEntryFile(fs: FileSystem, path: string, content: FileContent): Promise<void> {
  const file = await fs.open(path, CREATE, FILE_MODE);
  try {
    let parts: Uint8Array[] = [content.fileHead];
    let bytes = content.fileHead.byteLength;
    let index = 0;
    for (const pieces of segmentsOf(content.chunks)) {
      parts.push(segmentCheck(content.id, index, pieces), ...pieces);
      index += 1;
      bytes += SEGMENT_BYTES;
      if (bytes < WRITE_BYTES) continue;
      await writeFully(file, parts);
      parts = [];
      bytes = 0;
    }
    if (parts.length > 0) await writeFully(file, parts);
  } finally {
    await file.close();
  }
}

/** The same bytes in pieces that make up 64 KiB together, the last time less. */
function* segmentsOf(chunks: readonly Uint8Array[]): Iterable<readonly Uint8Array[]> {
  let pieces: Uint8Array[] = [];
  let room = SEGMENT_BYTES;
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.byteLength; ) {
      const piece = chunk.subarray(from, from + room);
      pieces.push(piece);
      from += piece.byteLength;
      room -= piece.byteLength;
      if (room > 0) continue;
      yield pieces;
      pieces = [];
      room = SEGMENT_BYTES;
    }
  }
  if (pieces.length > 0) yield pieces;
}

async function writeFully(file: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  let total = 0;
  for (const part of parts) total += part.byteLength;
  const { bytesWritten } = await file.writev(parts);
  // What a full disk leaves of a write; the next one would have said so.
  if (bytesWritten !== total) throw Object.assign(new Error('Cannot write all bytes'), { code: 'ENOSPC' });
}

/** Puts a newer head behind the body. Interrupted, it leaves a file that is not read again. */
export async function writeRenewal(
  fs: FileSystem,
  path: string,
  at: { readonly layout: FileLayout; readonly renewal: Buffer },
): Promise<void> {
  const file = await fs.open(path, CHANGE);
  try {
    const end = bodyEnd(at.layout);
    const { bytesWritten } = await file.write(at.renewal, 0, at.renewal.byteLength, end);
    if (bytesWritten !== at.renewal.byteLength) {
      throw Object.assign(new Error('Cannot write all bytes'), { code: 'ENOSPC' });
    }
    await file.truncate(end + bytesWritten);
  } finally {
    await file.close();
  }
}

/** What a file says before its body is looked at. */
export interface FoundFile {
  readonly layout: FileLayout;
  readonly head: EntryHead;
  readonly fileBytes: number;
}

/** Reads the head of a file, the newer one if it has two. `null` for no file of ours, or a torn one. Rejects with errors of the system. */
export async function readEntryFile(fs: FileSystem, path: string, id: string): Promise<FoundFile | null> {
  const file = await fs.open(path, READ);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return null;
    const found = await readHead(file, id);
    if (found === null) return null;
    const end = bodyEnd(found.layout);
    if (stats.size < end) return null;
    if (stats.size === end) return { ...found, fileBytes: end };
    const renewal = Buffer.allocUnsafe(Math.min(stats.size - end, MAX_RENEWAL_BYTES));
    const bytes = await readFully(file, renewal, end);
    const head = decodeRenewal(id, renewal.subarray(0, bytes));
    return head === null ? null : { layout: found.layout, head, fileBytes: stats.size };
  } finally {
    await file.close();
  }
}

async function readHead(
  file: FileHandle,
  id: string,
): Promise<{ readonly layout: FileLayout; readonly head: EntryHead } | null> {
  const first = Buffer.allocUnsafe(FIRST_READ_BYTES);
  let bytes = first.subarray(0, await readFully(file, first, 0));
  let found = decodeFileHead(id, bytes);
  if (found !== null && found.kind === 'more') {
    const all = Buffer.allocUnsafe(found.bytes);
    bytes = all.subarray(0, await readFully(file, all, 0));
    found = decodeFileHead(id, bytes);
  }
  return found === null || found.kind === 'more' ? null : found;
}
