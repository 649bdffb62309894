import type { BodySource } from '../exchange/body.ts';
import { CHUNK_BYTES, MemoryBody } from './memory-body.ts';
import type { ByteSpan, StoredBody } from './stored-body.ts';

/** Some bytes of a body, in memory of their own. */
export interface Part extends ByteSpan {
  readonly body: MemoryBody;
}

/** Parts kept of one body: beyond them the smallest is let go of. Players seek, but not forever. */
export const MAX_PARTS = 32;

/** What there is of a body in memory: parts in order, with a gap between each and the next. */
export class PartialBody implements StoredBody {
  readonly length: number;
  readonly chunks = null;
  readonly parts: readonly Part[];

  /** `length`: bytes of the whole. */
  constructor(length: number, parts: readonly Part[]) {
    this.length = length;
    this.parts = parts;
  }

  get heldBytes(): number {
    let bytes = 0;
    for (const { body } of this.parts) bytes += body.heldBytes + CHUNK_BYTES;
    return bytes;
  }

  /** `span` lies inside of one part: `CacheEntry.parts` tells which there are. */
  read(span: ByteSpan | null): BodySource {
    const { from, to } = span ?? { from: 0, to: this.length };
    const part = this.parts.find((each) => each.from <= from && to <= each.to);
    if (part === undefined) throw new Error(`Cannot read bytes ${from} to ${to}: there are none`);
    return part.body.read({ from: from - part.from, to: to - part.from });
  }
}

/** `parts` and `part`, which are of one and the same version, in one list; what is there twice is kept once. */
export function withPart(parts: readonly Part[], part: Part): readonly Part[] {
  const all = [...parts];
  for (const span of missingOf(parts, part)) all.push(cut(part, span));
  all.sort((a, b) => a.from - b.from);
  const joined: Part[] = [];
  for (const next of all) {
    const last = joined[joined.length - 1];
    if (last === undefined || last.to !== next.from) joined.push(next);
    else joined[joined.length - 1] = join(last, next);
  }
  if (joined.length > MAX_PARTS) joined.splice(smallest(joined), 1);
  return joined;
}

/** What of `span` lies in none of `parts`, in order. */
export function missingOf(parts: readonly ByteSpan[], span: ByteSpan): readonly ByteSpan[] {
  const missing: ByteSpan[] = [];
  let { from } = span;
  for (const part of parts) {
    if (part.to <= from) continue;
    if (part.from >= span.to) break;
    if (part.from > from) missing.push({ from, to: part.from });
    from = part.to;
  }
  if (from < span.to) missing.push({ from, to: span.to });
  return missing;
}

function join(a: Part, b: Part): Part {
  return { from: a.from, to: b.to, body: new MemoryBody([...a.body.chunks, ...b.body.chunks]) };
}

/** Chunks at the edge are copied: a slice would keep all of its memory, and be accounted for less. */
function cut(part: Part, { from, to }: ByteSpan): Part {
  if (from === part.from && to === part.to) return part;
  const chunks: Uint8Array[] = [];
  let at = part.from;
  for (const chunk of part.body.chunks) {
    const first = Math.max(from - at, 0);
    const last = Math.min(to - at, chunk.byteLength);
    at += chunk.byteLength;
    if (first >= last) continue;
    chunks.push(first === 0 && last === chunk.byteLength ? chunk : copyOf(chunk.subarray(first, last)));
  }
  return { from, to, body: new MemoryBody(chunks) };
}

function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(bytes.byteLength);
  copy.set(bytes);
  return copy;
}

function smallest(parts: readonly Part[]): number {
  let index = 0;
  for (const [i, { from, to }] of parts.entries()) {
    const best = parts[index] as Part;
    if (to - from < best.to - best.from) index = i;
  }
  return index;
}
