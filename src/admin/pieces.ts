import { Readable } from 'node:stream';
import { constants, createGzip } from 'node:zlib';
import { firstAccepted } from '../http/accept-encoding.ts';

/** Less than this is not worth a client's time: it fits into a few packets. In characters. */
const WORTH_GZIP = 16 * 1024;

/**
 * A text in pieces as a stream, compressed for a client that accepts it if it is long: a large scrape becomes a fortieth. One piece at a
 * time and outside of the event loop, as fast as the client takes it. What breaks the stream ends the answer, visibly.
 */
export function streamOf(
  pieces: readonly string[],
  acceptEncoding: string | null,
): { readonly stream: Readable; readonly encoding: 'gzip' | 'identity' } {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const source = Readable.from(pieces, { objectMode: false });
  if (length < WORTH_GZIP || firstAccepted(['gzip'], acceptEncoding) !== 'gzip') {
    return { stream: source, encoding: 'identity' };
  }
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  source.pipe(gzip);
  gzip.once('close', () => source.destroy());
  return { stream: gzip, encoding: 'gzip' };
}
