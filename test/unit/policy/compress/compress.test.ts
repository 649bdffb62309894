import { describe, expect, test } from 'vitest';
import { codingPlan } from '../../../../src/policy/compress/coding.ts';
import { compressTransform } from '../../../../src/policy/compress/compress.ts';
import { COMPRESSIBLE, mediaTypeTest } from '../../../../src/policy/compress/compressible.ts';
import { Compressions } from '../../../../src/policy/compress/compressions.ts';
import { BufferSink } from '../../../kit/buffer-sink.ts';
import { asking } from '../asking.ts';

function compressing(atOnce = 2) {
  const compressions = new Compressions('compress route shop', atOnce);
  const transform = compressTransform({
    codings: [codingPlan('br', 4), codingPlan('gzip', 6)],
    isCompressible: mediaTypeTest(COMPRESSIBLE),
    minBytes: 100,
    compressions,
  });
  const answer = (
    status: number,
    headers: readonly string[],
    more: { readonly asks?: readonly string[]; readonly hasBody?: boolean } = {},
  ) => {
    const { asks = [], hasBody = true } = more;
    const made = transform.transform({ status, headers }, asking(asks), {
      hasBody,
      acceptEncoding: 'gzip',
      ifNoneMatch: null,
    });
    return made === null ? 'as it is' : { head: made.head.headers, isCompressed: made.through !== null, made };
  };
  return { transform, compressions, answer };
}

const TEXT = ['Content-Type', 'text/plain'];

describe('which responses are compressed', () => {
  test.each<[what: string, status: number, headers: readonly string[], compressed: boolean]>([
    ['of unknown length', 200, TEXT, true],
    ['as large as the least', 200, [...TEXT, 'Content-Length', '100'], true],
    ['smaller', 200, [...TEXT, 'Content-Length', '99'], false],
    ['empty', 200, [...TEXT, 'Content-Length', '0'], false],
    ['an error', 404, TEXT, true],
    ['one of the endpoint', 503, TEXT, true],
    ['no content', 204, TEXT, false],
    ['a reset', 205, TEXT, false],
    ['with parameters, in any case', 200, ['content-type', 'Application/JSON ; charset=utf-8'], true],
    ['by its suffix', 200, ['Content-Type', 'application/problem+json'], true],
    ['a drawing', 200, ['Content-Type', 'image/svg+xml'], true],
    ['WebAssembly', 200, ['Content-Type', 'application/wasm'], true],
    ['a font', 200, ['Content-Type', 'font/ttf'], true],
    ['a font that is compressed', 200, ['Content-Type', 'font/woff2'], false],
    ['an archive', 200, ['Content-Type', 'application/zip'], false],
    ['gRPC-Web', 200, ['Content-Type', 'application/grpc-web+proto'], false],
    ['without a type', 200, [], false],
    ['encoded to nothing', 200, [...TEXT, 'Content-Encoding', ''], false],
    [
      'no-transform in a second line',
      200,
      [...TEXT, 'Cache-Control', 'public', 'Cache-Control', 'NO-TRANSFORM'],
      false,
    ],
    ['a length that is none', 200, [...TEXT, 'Content-Length', 'x'], true],
  ])('%s', (_, status, headers, compressed) => {
    const answer = compressing().answer(status, headers);
    expect(answer !== 'as it is' && answer.isCompressed).toBe(compressed);
  });

  test('a tag that is weak stays so, and Vary * says all there is to say', () => {
    const answer = compressing().answer(200, [...TEXT, 'ETag', 'W/"a"', 'Vary', '*']);
    expect(answer === 'as it is' ? [] : answer.head).toEqual([
      ...TEXT,
      'ETag',
      'W/"a"',
      'Vary',
      '*',
      'Content-Encoding',
      'gzip',
    ]);
  });

  test('the head of HEAD takes no place of a body', () => {
    const { answer, compressions } = compressing(1);
    const head = answer(200, TEXT, { hasBody: false });
    expect([head === 'as it is' ? [] : head.head, compressions.running]).toEqual([
      [...TEXT, 'Content-Encoding', 'gzip', 'Vary', 'Accept-Encoding'],
      0,
    ]);
  });

  test('a body gives its place back however it ends', () => {
    const { answer, compressions } = compressing(2);
    const begin = () => {
      const answered = answer(200, TEXT);
      return answered === 'as it is' ? null : (answered.made.through?.(new BufferSink()) ?? null);
    };
    const first = begin();
    const second = begin();
    expect([compressions.running, begin()]).toEqual([2, null]);
    first?.end(null);
    second?.stop();
    second?.stop();
    expect(compressions.status()).toEqual({ running: 0, atOnce: 2, compressed: 2, passedUncompressed: 1 });
  });
});
