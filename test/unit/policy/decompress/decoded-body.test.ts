import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BodySink, BodySource } from '../../../../src/exchange/body.ts';
import { DecodedBody } from '../../../../src/policy/decompress/decoded-body.ts';
import { decoderOf } from '../../../../src/policy/decompress/decoder.ts';
import { BufferSink } from '../../../kit/buffer-sink.ts';
import { until } from '../../../kit/deadline.ts';

const encode = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync };
type Coding = keyof typeof encode;
const CODINGS = Object.keys(encode) as readonly Coding[];
const LIMITS = { bytes: 1024 * 1024, ratio: 1_000 };

/** Gives its pieces as fast as they are taken. */
class Pieces implements BodySource {
  readonly length = null;
  discarded = false;
  #next = 0;
  #into: BodySink | null = null;
  readonly #pieces: readonly Uint8Array[];

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces;
  }

  get untouched(): boolean {
    return this.#next === 0;
  }

  get given(): number {
    return this.#next;
  }

  pipe(into: BodySink): void {
    this.#into = into;
    into.onDrain = () => this.#give();
    this.#give();
  }

  unpipe(): void {
    this.#into = null;
  }

  discard(): void {
    this.discarded = true;
    this.#into = null;
  }

  #give(): void {
    while (this.#into !== null && this.#next < this.#pieces.length) {
      this.#next += 1;
      if (!this.#into.data(this.#pieces[this.#next - 1] as Uint8Array)) return;
    }
    const into = this.#into;
    this.#into = null;
    into?.end(['X', 'y', 'Content-Digest', 'of what came']);
  }
}

function decoded(coding: Coding, pieces: readonly Uint8Array[], limits = LIMITS) {
  const create = decoderOf(coding);
  if (create === null) throw new Error('a coding');
  const source = new Pieces(pieces);
  return { source, body: new DecodedBody(source, create, limits) };
}

function cut(bytes: Buffer, at: readonly number[]): readonly Buffer[] {
  const ends = [...at.map((share) => Math.floor((share * bytes.length) / 100)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}

describe.each(CODINGS)('a request body in %s', (coding) => {
  test('is decoded in whatever pieces it comes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ maxLength: 500 }),
        fc.array(fc.nat({ max: 100 }), { maxLength: 4 }),
        async (text, at) => {
          const { body } = decoded(coding, cut(encode[coding](text), at));
          const into = new BufferSink();
          body.pipe(into);
          await until(() => into.ended, 'the end');
          expect(Buffer.from(into.text, 'latin1').toString()).toBe(text);
          expect(into.trailers).toEqual(['X', 'y']);
        },
      ),
      { seed: 5, numRuns: 20 },
    );
  });

  test('cut off anywhere, or with something behind it, it is malformed', async () => {
    const good = encode[coding]('some form of text, '.repeat(50));
    const bad = [0, 1, 2, 5, 10, good.length - 1].map((end) => good.subarray(0, end));
    for (const bytes of [...bad, Buffer.concat([good, Buffer.from('x')]), Buffer.concat([good, Buffer.alloc(1)])]) {
      for (const pieces of [[bytes], cut(bytes, [50])]) {
        const into = new BufferSink();
        decoded(coding, pieces).body.pipe(into);
        await until(() => into.failure !== null || into.ended, 'an end');
        expect([bytes.length, into.failure?.reason, into.ended]).toEqual([
          bytes.length,
          'body-encoding-malformed',
          false,
        ]);
      }
    }
  });

  test('is taken no faster than its endpoint takes what is decoded, of which no piece is lost', async () => {
    const text = Buffer.alloc(900_000, 'x');
    const { body } = decoded(coding, cut(encode[coding](text), [30, 60]), { bytes: 1024 * 1024, ratio: 100_000 });
    const into = new BufferSink({ takes: 1 });
    body.pipe(into);
    await until(() => into.text.length > 0, 'a piece');
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(into.text.length).toBeLessThan(200_000);
    while (!into.ended) {
      into.drain();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(into.text.length).toBe(900_000);
  });

  test('is untouched until something of it was handed on, and goes on with another sink', async () => {
    const { body, source } = decoded(coding, [encode[coding]('x'.repeat(200_000))]);
    expect(body.untouched).toBe(true);
    const first = new BufferSink({ takes: 1 });
    body.pipe(first);
    await until(() => first.text.length > 0, 'a piece');
    expect(body.untouched).toBe(false);
    body.unpipe();
    const second = new BufferSink();
    body.pipe(second);
    await until(() => second.ended, 'the end');
    expect(first.text.length + second.text.length).toBe(200_000);
    expect(source.given).toBe(1);
  });

  test('stopped, it says nothing more', async () => {
    const { body, source } = decoded(coding, [encode[coding]('x'.repeat(300_000))]);
    const into = new BufferSink();
    body.pipe(into);
    body.discard();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect([into.text, into.ended, into.failure, source.discarded]).toEqual(['', false, null, true]);
  });
});

test.each([
  ['of 8 MiB is room that is given', 0x68, 'a', null],
  ['beyond what senders may ask for is refused, however small the body', 0x70, '', 'body-encoding-malformed'],
])('a window of Zstandard %s', async (_, window, text, reason) => {
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, window, 9, 0, 0, 0x61]);
  const into = new BufferSink();
  decoded('zstd', [frame]).body.pipe(into);
  await until(() => into.failure !== null || into.ended, 'an end');
  expect([into.text, into.failure?.reason ?? null]).toEqual([text, reason]);
});
