import { randomBytes } from 'node:crypto';
import { type ByteSpan, formatContentRange } from '../http/range.ts';
import { MemoryBody } from './memory-body.ts';
import { type Piece, PiecedBody } from './pieced-body.ts';
import type { StoredBody } from './stored-body.ts';

/**
 * `spans` of `body`, of known length, as multipart/byteranges (RFC 9110 §14.6, RFC 2046 §5.1). `spans` don't overlap, so that it is
 * longer than the body by the heads of its parts at most. Nobody who made the body could know the boundary.
 */
export function byteRanges(
  body: StoredBody,
  spans: readonly ByteSpan[],
  contentType: string | null,
): { readonly boundary: string; readonly body: PiecedBody } {
  const boundary = randomBytes(15).toString('base64url');
  const type = contentType === null ? '' : `Content-Type: ${contentType}\r\n`;
  const pieces: Piece[] = [];
  for (const span of spans) {
    const range = formatContentRange(span, body.length ?? 0);
    const before = pieces.length === 0 ? '' : '\r\n';
    pieces.push(text(`${before}--${boundary}\r\n${type}Content-Range: ${range}\r\n\r\n`), { body, span });
  }
  pieces.push(text(`\r\n--${boundary}--\r\n`));
  return { boundary, body: new PiecedBody(pieces) };
}

/** Field values are latin1. */
function text(value: string): Piece {
  const body = new MemoryBody([Buffer.from(value, 'latin1')]);
  return { body, span: { from: 0, to: body.length } };
}
