import { describe, expect, test } from 'vitest';
import type { HeaderList } from '../../../../src/http/headers.ts';
import { type ResponseListener, ResponseReader } from '../../../../src/transport/h1/response-reader.ts';

const PIECE = 20_000;

/** Hears chunks, and keeps those that it does not let go of. */
class Reader implements ResponseListener {
  letsGo = true;
  readonly memory: ArrayBufferLike[] = [];
  readonly kept: Buffer[] = [];
  onChunk: (() => void) | null = null;

  interim(): void {}
  head(_status: number, _headers: HeaderList): void {}

  data(chunk: Buffer): boolean {
    this.memory.push(chunk.buffer);
    this.onChunk?.();
    if (!this.letsGo) this.kept.push(chunk);
    return true;
  }

  whole(): void {}
  broken(): void {}
}

function responding(listener: Reader): (fill: number, bytes?: number) => void {
  const reader = new ResponseReader(65_536);
  reader.expect('GET', listener);
  const head = Buffer.from('HTTP/1.1 200 OK\r\n\r\n');
  reader.take(head, head.length);
  return (fill, bytes = PIECE) => reader.take(Buffer.alloc(bytes, fill), bytes);
}

describe('memory of large pieces of a body', () => {
  test('is used again when their listener has let go of them', () => {
    const listener = new Reader();
    const receive = responding(listener);
    for (let i = 0; i < 3; i += 1) receive(i);
    expect(new Set(listener.memory).size).toBe(1);
  });

  test('is not lent to a listener that keeps them', () => {
    const listener = new Reader();
    listener.letsGo = false;
    const receive = responding(listener);
    for (let i = 0; i < 3; i += 1) receive(i);
    expect(listener.kept.map((chunk) => [chunk.length, chunk[0], chunk.at(-1)])).toEqual(
      [0, 1, 2].map((i) => [PIECE, i, i]),
    );
  });

  test('stays with a listener that could not let go after all', () => {
    const listener = new Reader();
    const receive = responding(listener);
    listener.onChunk = () => {
      listener.letsGo = listener.memory.length !== 2;
    };
    for (let i = 0; i < 5; i += 1) {
      receive(i);
      listener.letsGo = true;
    }
    expect(listener.kept.map((chunk) => [chunk[0], chunk.at(-1)])).toEqual([[1, 1]]);
    const [first, second, ...rest] = listener.memory;
    expect(second).toBe(first);
    expect(rest.every((memory) => memory !== second)).toBe(true);
    expect(new Set(rest).size).toBe(1);
  });

  test('is that of their own for small ones', () => {
    const listener = new Reader();
    const receive = responding(listener);
    receive(1, 40_000);
    receive(2, 1_000);
    expect(listener.memory[1]).not.toBe(listener.memory[0]);
  });
});
