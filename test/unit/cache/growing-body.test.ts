import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FillMemory } from '../../../src/cache/fill-memory.ts';
import { GrowingBody } from '../../../src/cache/growing-body.ts';
import { CHUNK_BYTES } from '../../../src/cache/memory-body.ts';
import type { ByteSpan } from '../../../src/cache/stored-body.ts';
import { GatewayError } from '../../../src/errors.ts';
import type { BodySink, BodySource } from '../../../src/exchange/body.ts';

const cut = new GatewayError('http_response_incomplete', { blame: 'upstream', status: 502, reason: 'cut' });

/** A client that takes `room` bytes, and then no more until `drain`. */
class Client implements BodySink {
  onDrain: (() => void) | null = null;
  readonly source: BodySource;
  readonly span: ByteSpan | null;
  readonly parts: Uint8Array[] = [];
  bytes = 0;
  over: 'end' | 'fail' | 'left' | null = null;
  #room: number;
  #waits = false;

  constructor(body: GrowingBody, span: ByteSpan | null, room: number) {
    this.span = span;
    this.#room = room;
    this.source = body.read(span);
    this.source.pipe(this);
  }

  data(chunk: Uint8Array): boolean {
    if (this.over !== null || this.#waits) throw new Error('Data out of order');
    this.parts.push(chunk);
    this.bytes += chunk.byteLength;
    this.#room -= chunk.byteLength;
    this.#waits = this.#room <= 0;
    return !this.#waits;
  }

  end(): void {
    if (this.over !== null) throw new Error('Ended twice');
    this.over = 'end';
  }

  fail(): void {
    if (this.over !== null) throw new Error('Ended twice');
    this.over = 'fail';
  }

  drain(room: number): void {
    if (this.over !== null || !this.#waits) return;
    this.#room = room;
    this.#waits = false;
    this.onDrain?.();
  }

  leave(): void {
    if (this.over !== null) return;
    this.over = 'left';
    this.source.discard();
  }

  get text(): string {
    return Buffer.concat(this.parts).toString('latin1');
  }
}

const ROOM = 2 ** 40;

function bodyOf(over: { announcedBytes?: number; limitBytes?: number; memory?: FillMemory } = {}): GrowingBody {
  return new GrowingBody({
    announcedBytes: over.announcedBytes ?? null,
    limitBytes: over.limitBytes ?? ROOM,
    memory: over.memory ?? null,
  });
}

function finish(body: GrowingBody): void {
  body.seal(null);
  body.endReaders();
}

const PATTERN = Buffer.from(Array.from({ length: 2 * 251 }, (_, i) => i % 251));

/** Bytes that tell where they belong. */
function numbered(from: number, count: number): Buffer {
  return Buffer.alloc(count, PATTERN.subarray(from % 251, (from % 251) + 251));
}

describe('readers of a body that is still arriving', () => {
  test('get what is there at once, and the rest as it comes', () => {
    const body = bodyOf();
    const first = new Client(body, null, ROOM);
    body.append(Buffer.from('ab'));
    const second = new Client(body, null, ROOM);
    expect([first.text, second.text]).toEqual(['ab', 'ab']);
    body.append(Buffer.from('cd'));
    expect([first.text, second.text, first.over]).toEqual(['abcd', 'abcd', null]);
    finish(body);
    expect([first.over, second.over]).toEqual(['end', 'end']);
  });

  test('that are slow hold up neither the feeder nor the others', () => {
    const body = bodyOf();
    const slow = new Client(body, null, 1);
    const fast = new Client(body, null, ROOM);
    for (let i = 0; i < 100; i += 1) expect(body.append(Buffer.alloc(60_000, 97))).toBe(true);
    expect([slow.bytes, fast.bytes]).toEqual([60_000, 6_000_000]);
    finish(body);
    expect([slow.over, fast.over]).toEqual([null, 'end']);
    slow.drain(ROOM);
    expect([slow.bytes, slow.over]).toEqual([6_000_000, 'end']);
  });

  test('see that it is cut short, also those who have everything that came', () => {
    const body = bodyOf();
    const behind = new Client(body, null, 1);
    const level = new Client(body, null, ROOM);
    body.append(Buffer.from('ab'));
    body.append(Buffer.from('cd'));
    body.fail(cut);
    expect([behind.over, level.over]).toEqual(['fail', 'fail']);
    behind.drain(ROOM);
    expect(behind.text).toBe('ab');
    expect(new Client(body, null, ROOM).over).toBe('fail');
  });

  test('of a part of it end where the part ends', () => {
    const body = bodyOf({ announcedBytes: 10 });
    const part = new Client(body, { from: 3, to: 5 }, ROOM);
    body.append(Buffer.from('012'));
    expect(part.text).toBe('');
    body.append(Buffer.from('3456'));
    expect([part.text, part.over, body.readers]).toEqual(['34', 'end', 0]);
  });

  test('who leave are told of as soon as nobody is left, unless it is complete', () => {
    const body = bodyOf();
    let deserted = 0;
    body.onDeserted = () => {
      deserted += 1;
    };
    const clients = [new Client(body, null, ROOM), new Client(body, null, 1)];
    for (const client of clients) client.leave();
    expect(deserted).toBe(1);
    const last = new Client(body, null, 1);
    body.append(Buffer.from('ab'));
    body.append(Buffer.from('ab'));
    finish(body);
    last.leave();
    expect(deserted).toBe(1);
  });

  test('the end is theirs with its trailers; who comes later gets none', () => {
    const body = bodyOf();
    const seen: unknown[] = [];
    const sink = { onDrain: null, data: () => true, fail: () => {} };
    body.read(null).pipe({ ...sink, end: (trailers) => void seen.push(trailers) });
    body.seal(['X-Sum', '1']);
    body.endReaders();
    body.read(null).pipe({ ...sink, end: (trailers) => void seen.push(trailers) });
    expect(seen).toEqual([['X-Sum', '1'], null]);
  });
});

describe('a body that outgrows its limit', () => {
  test('is dropped when nobody reads it', () => {
    const memory = new FillMemory(ROOM);
    const body = bodyOf({ limitBytes: 10, memory });
    body.append(Buffer.alloc(10));
    expect(memory.usedBytes).toBeGreaterThan(0);
    expect(body.append(Buffer.alloc(1))).toBe(true);
    expect([body.outgrown, body.isReadable, body.heldBytes, memory.usedBytes]).toEqual(['too-large', false, 0, 0]);
    finish(body);
    expect(body.chunks).toBeNull();
  });

  test('goes on to those who read it, at the pace of the slowest, and holds little', () => {
    const body = bodyOf({ limitBytes: 100_000 });
    let resumed = 0;
    body.onDrain = () => {
      resumed += 1;
    };
    const slow = new Client(body, null, 1);
    const fast = new Client(body, null, ROOM);
    let appended = 0;
    while (body.append(numbered(appended, 10_000))) appended += 10_000;
    appended += 10_000;
    expect(body.heldBytes).toBeLessThan(300_000);
    expect(new Client(body, null, ROOM).over).toBe('fail');
    expect([fast.bytes, slow.bytes, resumed]).toEqual([appended, 10_000, 0]);
    slow.drain(ROOM);
    expect([slow.bytes, resumed, body.heldBytes]).toEqual([appended, 1, 0]);
    finish(body);
    expect([slow.over, fast.over, slow.text === fast.text]).toEqual(['end', 'end', true]);
    expect(fast.text).toBe(numbered(0, appended).toString('latin1'));
  });

  test('has plain back-pressure for one reader', () => {
    const body = bodyOf({ limitBytes: 10 });
    const only = new Client(body, null, 11);
    expect(body.append(Buffer.alloc(10))).toBe(true);
    expect(body.append(Buffer.alloc(10))).toBe(false);
    let resumed = 0;
    body.onDrain = () => {
      resumed += 1;
    };
    only.drain(1);
    expect(resumed).toBe(1);
    expect(body.append(Buffer.alloc(10))).toBe(false);
  });

  test('goes on when the one who held it up leaves', () => {
    const body = bodyOf({ limitBytes: 10 });
    const slow = new Client(body, null, 1);
    const fast = new Client(body, null, ROOM);
    while (body.append(Buffer.alloc(10_000)));
    let resumed = 0;
    body.onDrain = () => {
      resumed += 1;
    };
    slow.leave();
    expect([resumed, body.heldBytes, fast.over]).toEqual([1, 0, null]);
  });
});

describe('memory for all bodies together', () => {
  test('a body that gets none goes on to its reader, and is not kept', () => {
    const memory = new FillMemory(5_000);
    const body = bodyOf({ memory });
    const reader = new Client(body, null, ROOM);
    body.append(numbered(0, 4_000));
    body.append(numbered(4_000, 4_000));
    expect([body.outgrown, reader.bytes, memory.usedBytes]).toEqual(['fills-full', 8_000, 0]);
    expect(reader.text).toBe(numbered(0, 8_000).toString('latin1'));
  });

  test('is kept by a complete body only as long as somebody reads it', () => {
    const memory = new FillMemory(ROOM);
    const body = bodyOf({ memory });
    const slow = new Client(body, null, 1);
    body.append(Buffer.alloc(10));
    body.append(Buffer.alloc(10));
    finish(body);
    expect(memory.usedBytes).toBeGreaterThan(0);
    slow.drain(ROOM);
    expect(memory.usedBytes).toBe(0);
  });
});

type Step =
  | { readonly kind: 'append'; readonly bytes: number }
  | { readonly kind: 'join'; readonly from: number; readonly to: number | null; readonly room: number }
  | { readonly kind: 'drain'; readonly who: number; readonly room: number }
  | { readonly kind: 'leave'; readonly who: number };

const size = fc.oneof(fc.nat({ max: 50 }), fc.integer({ min: 3_000, max: 150_000 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), bytes: size }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('join' as const),
      from: size,
      to: fc.option(size),
      room: size,
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('drain' as const), who: fc.nat({ max: 9 }), room: size }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), who: fc.nat({ max: 9 }) }) },
);

test('whatever comes in whatever order, each reader gets exactly its bytes, and no memory is left over (property)', () => {
  let clean = 0;
  let windows = 0;
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }),
      fc.record({
        limitBytes: fc.constantFrom(ROOM, 200_000),
        fails: fc.boolean(),
        budget: fc.constantFrom(ROOM, 300_000),
      }),
      (steps, { limitBytes, fails, budget }) => {
        const memory = new FillMemory(budget);
        const body = bodyOf({ limitBytes, memory });
        const clients: Client[] = [];
        let sent = 0;
        let paused = false;
        body.onDrain = () => {
          paused = false;
        };
        for (const each of steps) {
          if (each.kind === 'append' && !paused) {
            paused = !body.append(numbered(sent, each.bytes));
            sent += each.bytes;
          } else if (each.kind === 'join' && body.isReadable) {
            const span = each.to === null ? null : { from: each.from, to: each.from + each.to };
            clients.push(new Client(body, span, each.room));
          } else if (each.kind === 'drain') clients[each.who]?.drain(each.room);
          else if (each.kind === 'leave') clients[each.who]?.leave();
          // Nobody is paused for nothing.
          if (paused) expect(clients.some((client) => client.over === null)).toBe(true);
          if (body.outgrown === null)
            expect(body.heldBytes).toBeLessThan(sent + 65_536 + CHUNK_BYTES * (3 + sent / 65_536));
        }
        if (body.outgrown !== null) windows += 1;
        if (fails) body.fail(cut);
        else finish(body);
        for (const client of clients) for (let i = 0; i < 200 && client.over === null; i += 1) client.drain(1_000_000);
        const whole = numbered(0, sent);
        for (const { span, text, over } of clients) {
          const mine = span === null ? whole : whole.subarray(span.from, span.to);
          const got = Buffer.from(text, 'latin1');
          expect(got.equals(mine.subarray(0, got.byteLength))).toBe(true);
          if (over === 'end') {
            clean += 1;
            expect(got.byteLength).toBe(mine.byteLength);
          }
          if (over === 'fail') expect(fails).toBe(true);
          expect(over).not.toBeNull();
        }
        expect(body.readers).toBe(0);
        expect(memory.usedBytes).toBe(0);
        if (body.chunks !== null) expect(Buffer.concat(body.chunks).equals(whole)).toBe(true);
      },
    ),
    { numRuns: 200, seed: 20261121 },
  );
  // A property of ends and windows that never saw one would prove nothing.
  expect(clean).toBeGreaterThan(100);
  expect(windows).toBeGreaterThan(20);
});
