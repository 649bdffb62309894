import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';

/** What `node:zlib` makes: it knows how much of its input it has used. */
export type Decoder = ReturnType<typeof createGunzip>;

/** Of what is decoded and not yet taken; what comes waits outside. */
const BUFFERS = { writableHighWaterMark: 16 * 1024, readableHighWaterMark: 64 * 1024, chunkSize: 16 * 1024 };

/** 8 MiB, which no sender may go beyond (RFC 9659 §3); what the library takes otherwise is 128. Brotli has 16 MiB at most. */
const ZSTD_WINDOW = { [constants.ZSTD_d_windowLogMax]: 23 };

/** Codings of request bodies that can be taken off (RFC 9110 §8.4.1), by their names in lower case. */
const DECODERS: Readonly<Record<string, () => unknown>> = {
  gzip: () => createGunzip(BUFFERS),
  'x-gzip': () => createGunzip(BUFFERS),
  deflate: () => createInflate(BUFFERS),
  br: () => createBrotliDecompress(BUFFERS),
  zstd: () => createZstdDecompress({ ...BUFFERS, params: ZSTD_WINDOW }),
};

/** For `Accept-Encoding` of a refusal (RFC 9110 §12.5.3). */
export const DECODABLE = 'gzip, deflate, br, zstd';

/** Makes the decoder of one coding; `null` for an unknown one. */
export function decoderOf(coding: string): (() => Decoder) | null {
  return Object.hasOwn(DECODERS, coding)
    ? ((DECODERS[coding] as unknown as (() => Decoder) | undefined) ?? null)
    : null;
}
