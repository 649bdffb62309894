import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PrefixMemory } from '../../../src/engine/prefix-memory.ts';
import { PrefixedBody } from '../../../src/engine/prefixed-body.ts';
import { clientGone } from '../../../src/errors.ts';
import type { BodySink, BodySource } from '../../../src/exchange/body.ts';
import type { HeaderList } from '../../../src/http/headers.ts';
import { BufferSink } from '../../kit/buffer-sink.ts';

/** A body that a test pushes piece by piece. */
class Pushed implements BodySource {
  readonly length: number | null = null;
  readonly untouched = false;
  readonly log: string[] = [];
  sink: BodySink | null = null;

  pipe(into: BodySink): void {
    this.sink = into;
    into.onDrain = () => this.log.push('drained');
  }

  unpipe(): void {
    this.sink = null;
    this.log.push('unpiped');
  }

  discard(): void {
    this.sink = null;
    this.log.push('discarded');
  }
}

function stage(prefix: string, rest: { readonly ended: boolean; readonly trailers?: HeaderList } = { ended: false }) {
  const source = new Pushed();
  let passed = 0;
  const { ended, trailers = null } = rest;
  const body = new PrefixedBody(Buffer.from(prefix), source, { ended, trailers }, () => {
    passed += 1;
  });
  return { source, body, passed: () => passed };
}

describe('a body whose beginning was read', () => {
  test('is that, and then the rest', () => {
    const { source, body, passed } = stage('abc');
    const sink = new BufferSink();
    expect([body.untouched, passed()]).toEqual([true, 0]);
    body.pipe(sink);
    expect([sink.text, body.untouched, passed()]).toEqual(['abc', false, 1]);
    source.sink?.data(Buffer.from('def'));
    source.sink?.end(null);
    expect([sink.text, sink.ended]).toEqual(['abcdef', true]);
  });

  test('stays whole while nobody has taken anything', () => {
    const { body } = stage('abc');
    body.unpipe();
    const sink = new BufferSink();
    body.pipe(sink);
    expect(sink.text).toBe('abc');
  });

  test('asks the source for nothing before the sink has room again', () => {
    const { source, body } = stage('abc');
    const sink = new BufferSink({ takes: 1 });
    body.pipe(sink);
    expect(source.sink).toBeNull();
    sink.drain();
    expect(source.sink).not.toBeNull();
    expect(source.sink?.data(Buffer.from('d'))).toBe(false);
    sink.drain();
    expect(source.log).toEqual(['drained']);
  });

  test('ends with the trailers that came with it, and not within the call that it is piped by', async () => {
    const { body } = stage('abc', { ended: true, trailers: ['X-Sum', '1'] });
    const ends: (HeaderList | null)[] = [];
    const sink = new BufferSink();
    sink.end = (trailers?: HeaderList | null) => void ends.push(trailers ?? null);
    body.pipe(sink);
    expect(ends).toEqual([]);
    await Promise.resolve();
    expect(ends).toEqual([['X-Sum', '1']]);
    body.pipe(sink);
    await Promise.resolve();
    expect(ends).toHaveLength(1);
  });

  test('that is empty ends for each who asks', async () => {
    const { body, passed } = stage('', { ended: true });
    expect(passed()).toBe(1);
    for (const sink of [new BufferSink(), new BufferSink()]) {
      body.pipe(sink);
      await Promise.resolve();
      expect([sink.text, sink.ended, body.untouched]).toEqual(['', true, true]);
    }
  });

  test('fails as its source does, now and later', () => {
    const { source, body } = stage('abc');
    const [sink, late] = [new BufferSink(), new BufferSink()];
    body.pipe(sink);
    const cause = clientGone();
    source.sink?.fail(cause);
    body.pipe(late);
    expect([sink.failure, late.failure]).toEqual([cause, cause]);
  });

  test('that was let go is nothing any more, and never its end alone', () => {
    const { body, passed } = stage('abc');
    body.release();
    body.release();
    const sink = new BufferSink();
    body.pipe(sink);
    expect([passed(), sink.text, sink.failure?.reason]).toEqual([1, '', 'client-gone']);
  });

  test('that is dropped has its source dropped', () => {
    const { source, body, passed } = stage('abc');
    body.discard();
    expect([source.log, passed()]).toEqual([['discarded'], 1]);
  });
});

describe('memory for beginnings of bodies', () => {
  const waiter = (bytes: number, log: string[]) => ({ bytes, granted: () => void log.push(String(bytes)) });

  test('who finds no room waits, and nobody is overtaken', () => {
    const memory = new PrefixMemory(100);
    const log: string[] = [];
    for (const bytes of [60, 50, 10]) memory.take(waiter(bytes, log));
    expect([log, memory.takenBytes, memory.waiting]).toEqual([['60'], 60, 2]);
    memory.giveBack(60);
    expect([log, memory.takenBytes, memory.waiting]).toEqual([['60', '50', '10'], 60, 0]);
  });

  test('who leaves makes way', () => {
    const memory = new PrefixMemory(100);
    const log: string[] = [];
    memory.take(waiter(60, log));
    const large = waiter(50, log);
    memory.take(large);
    memory.take(waiter(10, log));
    memory.leave(large);
    memory.leave(large);
    expect([log, memory.takenBytes]).toEqual([['60', '10'], 70]);
  });

  test('one that is larger than all gets its turn alone', () => {
    const memory = new PrefixMemory(10);
    const log: string[] = [];
    memory.take(waiter(50, log));
    memory.take(waiter(5, log));
    expect(log).toEqual(['50']);
    memory.giveBack(50);
    expect(log).toEqual(['50', '5']);
    memory.take(waiter(20, log));
    memory.adopt(100);
    expect(log).toEqual(['50', '5', '20']);
  });

  test('any number that need nothing after all get their turn one after the other', () => {
    const memory = new PrefixMemory(10);
    memory.take({ bytes: 10, granted: () => {} });
    const order: number[] = [];
    for (let i = 0; i < 20_000; i += 1) {
      const granted = (): void => {
        order.push(i);
        memory.giveBack(10);
      };
      memory.take({ bytes: 10, granted });
    }
    memory.giveBack(10);
    expect([order.length, order.at(-1), memory.waiting, memory.takenBytes]).toEqual([20_000, 19_999, 0, 0]);
  });

  test('whatever comes and goes, no more is held than there is, and in the end nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat({ max: 5 })), { maxLength: 40 }),
        (steps) => {
          const memory = new PrefixMemory(100);
          const held: number[] = [];
          for (const [bytes, give] of steps) {
            memory.take({ bytes, granted: () => void held.push(bytes) });
            expect(memory.takenBytes).toBeLessThanOrEqual(100);
            expect(memory.takenBytes).toBe(held.reduce((sum, one) => sum + one, 0));
            for (let i = 0; i < give && held.length > 0; i += 1) memory.giveBack(held.shift() as number);
          }
          while (held.length > 0) memory.giveBack(held.shift() as number);
          expect([memory.takenBytes, memory.waiting]).toEqual([0, 0]);
        },
      ),
      { seed: 20_261_121, numRuns: 200 },
    );
  });
});
