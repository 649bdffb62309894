import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';

/** In the order in which they are preferred where a client likes several alike. */
export const CODINGS = ['zstd', 'br', 'gzip'] as const;

export type Coding = (typeof CODINGS)[number];

/** What `node:zlib` makes: a transform that can be told to let out what it has. */
export type Encoder = ReturnType<typeof createGzip>;

/** How one coding is made. */
export interface CodingPlan {
  readonly coding: Coding;
  /** For a body in pieces: its work is done in the thread pool of libuv, in order. */
  create(): Encoder;
  /** For a small body that is there as a whole. Blocks: 16 KiB take 0.05 to 0.15 ms, less than what a stream of its own costs. */
  encode(body: Uint8Array): Uint8Array;
  /** What ends a block, so that whoever has everything up to it can decode it. */
  readonly flush: number;
}

/** Bytes that may wait for the encoder, so that it has work while the next piece comes, and what it has made waits for the client. */
const BUFFERS = { writableHighWaterMark: 128 * 1024, readableHighWaterMark: 64 * 1024 };

/** 512 KiB: what a decoder has to keep (RFC 9659 allows 8 MiB), and most of what the encoder does. */
const ZSTD_WINDOW_LOG = 19;
/** 256 KiB (RFC 7932 §9.1). */
const BROTLI_WINDOW_LOG = 18;

export function codingPlan(coding: Coding, level: number): CodingPlan {
  switch (coding) {
    case 'gzip':
      return {
        coding,
        create: () => createGzip({ ...BUFFERS, level }),
        encode: (body) => gzipSync(body, { level }),
        flush: constants.Z_SYNC_FLUSH,
      };
    case 'br': {
      const params = { [constants.BROTLI_PARAM_QUALITY]: level, [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_LOG };
      return {
        coding,
        create: () => createBrotliCompress({ ...BUFFERS, params }) as unknown as Encoder,
        encode: (body) => brotliCompressSync(body, { params }),
        flush: constants.BROTLI_OPERATION_FLUSH,
      };
    }
    case 'zstd': {
      const params = {
        [constants.ZSTD_c_compressionLevel]: level,
        [constants.ZSTD_c_windowLog]: ZSTD_WINDOW_LOG,
      };
      return {
        coding,
        create: () => createZstdCompress({ ...BUFFERS, params }) as unknown as Encoder,
        encode: (body) => zstdCompressSync(body, { params }),
        flush: constants.ZSTD_e_flush,
      };
    }
  }
}
