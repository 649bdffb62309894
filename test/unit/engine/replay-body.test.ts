import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReplayMemory } from '../../../src/engine/kept-chunks.ts';
import { ReplayBody } from '../../../src/engine/replay-body.ts';
import { clientGone, type GatewayError } from '../../../src/errors.ts';
import type { BodySink, BodySource } from '../../../src/exchange/body.ts';
import type { HeaderList } from '../../../src/http/headers.ts';

/** A body that a test pushes piece by piece; like a downstream's, it delivers only while somebody has piped it. */
class Pushed implements BodySource {
  readonly length = null;
  untouched = true;
  paused = false;
  #sink: BodySink | null = null;

  get isPiped(): boolean {
    return this.#sink !== null;
  }

  pipe(into: BodySink): void {
    this.#sink = into;
    into.onDrain = () => {
      this.paused = false;
    };
  }

  unpipe(): void {
    this.#sink = null;
  }

  discard(): void {
    this.#sink = null;
  }

  push(text: string | Uint8Array): void {
    this.untouched = false;
    if (this.#sink?.data(typeof text === 'string' ? Buffer.from(text) : text) === false) this.paused = true;
  }

  end(trailers: HeaderList | null = null): void {
    this.#sink?.end(trailers);
    this.#sink = null;
  }

  fail(cause: GatewayError): void {
    this.#sink?.fail(cause);
    this.#sink = null;
  }
}

class Taken implements BodySink {
  onDrain: (() => void) | null = null;
  text = '';
  end_: HeaderList | null | undefined;
  failure: GatewayError | null = null;
  /** Pieces that it takes before it says `false`. */
  room = Number.POSITIVE_INFINITY;

  data(chunk: Uint8Array): boolean {
    this.text += Buffer.from(chunk).toString('latin1');
    this.room -= 1;
    return this.room > 0;
  }

  end(trailers: HeaderList | null): void {
    this.end_ = trailers;
  }

  fail(cause: GatewayError): void {
    this.failure = cause;
  }
}

function stage(limitBytes = 100, memory = new ReplayMemory(1_000)) {
  const source = new Pushed();
  return { source, memory, body: new ReplayBody(source, limitBytes, memory) };
}

describe('a body that is kept', () => {
  test('is delivered from its beginning to whoever comes after, and goes on where it was', () => {
    const { source, body } = stage();
    const first = new Taken();
    body.pipe(first);
    source.push('ab');
    source.push('cd');
    body.unpipe();
    expect([first.text, body.untouched, source.isPiped]).toEqual(['abcd', true, false]);
    const second = new Taken();
    body.pipe(second);
    source.push('ef');
    source.end(['X-Sum', '6']);
    expect([second.text, second.end_, first.text, body.delivered]).toEqual(['abcdef', ['X-Sum', '6'], 'abcd', true]);
  });

  test('that had ended is delivered again with its trailers', () => {
    const { source, body } = stage();
    body.pipe(new Taken());
    source.push('abc');
    source.end(['X-Sum', '3']);
    const again = new Taken();
    body.pipe(again);
    expect([again.text, again.end_]).toEqual(['abc', ['X-Sum', '3']]);
  });

  test('waits for a sink that is full, while it is delivered again and afterwards', () => {
    const { source, body } = stage();
    body.pipe(new Taken());
    for (const piece of ['a', 'b', 'c']) source.push(piece);
    body.unpipe();
    const slow = new Taken();
    slow.room = 2;
    body.pipe(slow);
    expect([slow.text, source.isPiped]).toEqual(['ab', false]);
    slow.room = 2;
    slow.onDrain?.();
    expect([slow.text, source.isPiped]).toEqual(['abc', true]);
    source.push('d');
    expect([slow.text, source.paused]).toEqual(['abcd', true]);
    slow.room = 9;
    slow.onDrain?.();
    expect(source.paused).toBe(false);
  });

  test('that outgrows its bound is gone once it was sent, and gives its memory back', () => {
    const { source, body, memory } = stage(4);
    const sink = new Taken();
    body.pipe(sink);
    source.push('abcd');
    expect([body.untouched, memory.leftBytes]).toEqual([true, 996]);
    source.push('e');
    expect([body.untouched, memory.leftBytes, sink.text]).toEqual([false, 1_000, 'abcde']);
  });

  test('is not kept while other bodies have taken all the memory', () => {
    const { source, body } = stage(100, new ReplayMemory(3));
    body.pipe(new Taken());
    source.push('abcd');
    expect(body.untouched).toBe(false);
  });

  test('that comes in very small pieces is not kept: they would cost more than their bytes', () => {
    const { source, body, memory } = stage(100_000, new ReplayMemory(100_000));
    body.pipe(new Taken());
    for (let i = 0; i < 256; i += 1) source.push('x');
    expect(body.untouched).toBe(true);
    source.push('x');
    expect([body.untouched, memory.leftBytes]).toEqual([false, 100_000]);
  });

  test('does not keep the buffers that its pieces lie in', () => {
    const { source, body } = stage();
    const large = Buffer.alloc(64 * 1024, 'z');
    body.pipe(new Taken());
    source.push(large.subarray(0, 3));
    large.fill('!');
    const again = new Taken();
    body.unpipe();
    body.pipe(again);
    expect(again.text).toBe('zzz');
  });

  test('that was cut short fails for whoever comes after, and keeps nothing', () => {
    const { source, body, memory } = stage();
    const first = new Taken();
    body.pipe(first);
    source.push('ab');
    source.fail(clientGone());
    const second = new Taken();
    body.pipe(second);
    expect([first.failure?.reason, second.failure?.reason, memory.leftBytes]).toEqual([
      'client-gone',
      'client-gone',
      1_000,
    ]);
  });

  test('is released when nobody will want it again, after the sink has all that was kept', () => {
    const { source, body, memory } = stage();
    body.pipe(new Taken());
    for (const piece of ['a', 'b', 'c']) source.push(piece);
    body.unpipe();
    const slow = new Taken();
    slow.room = 1;
    body.pipe(slow);
    body.release();
    expect([slow.text, memory.leftBytes]).toEqual(['a', 997]);
    slow.room = 9;
    slow.onDrain?.();
    expect([slow.text, memory.leftBytes, source.isPiped]).toEqual(['abc', 1_000, true]);
    source.push('d');
    source.end();
    expect([slow.text, slow.end_]).toEqual(['abcd', null]);
  });

  test('is whole for the last sink and the memory is given back, whatever happens on the way', () => {
    const piece = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme-ascii' });
    const steps = fc.array(fc.oneof(piece, fc.constant({ retry: true }), fc.constant({ release: true })), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 80 }), (all, limit, room) => {
        const { source, body, memory } = stage(limit, new ReplayMemory(room));
        let sink = new Taken();
        let sent = '';
        body.pipe(sink);
        for (const step of all) {
          if (typeof step === 'string') {
            sent += step;
            source.push(step);
          } else if ('release' in step) body.release();
          else if (body.untouched) {
            body.unpipe();
            sink = new Taken();
            body.pipe(sink);
          }
        }
        source.end();
        expect(sink.text).toBe(sent);
        body.release();
        expect(memory.leftBytes).toBe(room);
      }),
      { seed: 4, numRuns: 1_000 },
    );
  });
});
