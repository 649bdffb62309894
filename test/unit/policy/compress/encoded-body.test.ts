import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientGone } from '../../../../src/errors.ts';
import { CODINGS, codingPlan } from '../../../../src/policy/compress/coding.ts';
import { EncodedBody, ONE_GO_BYTES } from '../../../../src/policy/compress/encoded-body.ts';
import { until } from '../../../kit/deadline.ts';

const LEVELS = { zstd: 3, br: 4, gzip: 6 };
const decode = { zstd: zstdDecompressSync, br: brotliDecompressSync, gzip: gunzipSync };

/** Takes what comes while it has room. */
class Taker {
  onDrain: (() => void) | null = null;
  readonly chunks: Buffer[] = [];
  trailers: readonly string[] | null | undefined;
  failed = 0;
  hasRoom = true;

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  data(chunk: Uint8Array): boolean {
    if (this.trailers !== undefined || this.failed > 0) throw new Error('Nothing may follow the end of a body');
    this.chunks.push(Buffer.from(chunk));
    return this.hasRoom;
  }

  end(trailers: readonly string[] | null): void {
    this.trailers = trailers;
  }

  fail(): void {
    this.failed += 1;
  }

  drain(): void {
    this.hasRoom = true;
    this.onDrain?.();
  }
}

function encoding(coding: (typeof CODINGS)[number]) {
  const into = new Taker();
  const counted = { over: 0 };
  const body = new EncodedBody(into, codingPlan(coding, LEVELS[coding]), () => {
    counted.over += 1;
  });
  return { into, body, counted };
}

let seed = 1;

/** Nothing that compresses, and never the same (xorshift, Marsaglia 2003). */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i += 1) {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    bytes[i] = seed;
  }
  return bytes;
}

describe.each(CODINGS)('a body on its way through %s', (coding) => {
  test('comes out as it went in, in whatever pieces it comes', async () => {
    const pieces = fc.array(
      fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(noise(30_000), Buffer.alloc(0))),
      {
        maxLength: 6,
      },
    );
    await fc.assert(
      fc.asyncProperty(pieces, fc.boolean(), async (chunks, pauses) => {
        const { into, body, counted } = encoding(coding);
        for (const chunk of chunks) {
          if (!body.data(chunk)) await new Promise<void>((resolve) => (body.onDrain = resolve));
          if (pauses) await new Promise((resolve) => setImmediate(resolve));
        }
        body.end(['X', 'y']);
        await until(() => into.trailers !== undefined, 'the end');
        expect(decode[coding](into.bytes).equals(Buffer.concat(chunks))).toBe(true);
        expect([into.trailers, counted.over]).toEqual([['X', 'y'], 1]);
      }),
      { seed: 11, numRuns: 25 },
    );
  });

  test('is there at once where it is small and complete, and in one piece', () => {
    const { into, body, counted } = encoding(coding);
    body.data(noise(ONE_GO_BYTES - 1));
    body.data(Buffer.from('x'));
    body.end(null);
    expect([into.chunks.length, into.trailers, counted.over]).toEqual([1, null, 1]);
    expect(decode[coding](into.bytes).length).toBe(ONE_GO_BYTES);
  });

  test('stops its feeder while nobody takes what is made, and goes on after', async () => {
    const { into, body } = encoding(coding);
    into.hasRoom = false;
    let given = 0;
    const more = { wanted: true };
    body.onDrain = () => {
      more.wanted = true;
    };
    // As long as it takes more; each time the thread pool has got through.
    for (let idle = 0; idle < 20 && given < 99; ) {
      if (more.wanted) {
        more.wanted = body.data(noise(64 * 1024));
        given += 1;
        idle = 0;
      } else {
        await new Promise((resolve) => setTimeout(resolve, 1));
        idle += 1;
      }
    }
    expect(given).toBeLessThan(16);
    const held = given;
    into.drain();
    await until(() => more.wanted, 'room');
    body.end(null);
    await until(() => into.trailers !== undefined, 'the end');
    expect(decode[coding](into.bytes).length).toBe(held * 64 * 1024);
  });

  test('lets go when it is stopped in the middle of its work, and says nothing more', async () => {
    const { into, body, counted } = encoding(coding);
    body.data(noise(500_000));
    body.stop();
    body.stop();
    body.data(Buffer.from('x'));
    body.end(null);
    body.fail(clientGone());
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([into.chunks.length, into.trailers, into.failed, counted.over]).toEqual([0, undefined, 0, 1]);
  });

  test('tells of a failure once, and does not end', () => {
    const { into, body, counted } = encoding(coding);
    body.data(noise(100_000));
    body.fail(clientGone());
    body.fail(clientGone());
    expect([into.failed, into.trailers, counted.over]).toEqual([1, undefined, 1]);
  });
});
