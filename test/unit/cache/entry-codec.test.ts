import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CacheEntry } from '../../../src/cache/entry.ts';
import { decodeHead, encodeHead } from '../../../src/cache/entry-codec.ts';
import { entryOf, ok } from './origin.ts';

const page: CacheEntry = entryOf(ok(['Cache-Control', 'max-age=60', 'ETag', '"v1"']));

const text = fc.string({ unit: 'binary', maxLength: 40 });
const ms = fc.double({ min: 0, max: 1e15, noNaN: true }).map((value) => value + 0);
const heads = fc.record({
  key: text,
  partition: text,
  vary: fc.array(fc.record({ name: text, raw: fc.option(text), normalised: fc.option(text) }), { maxLength: 4 }),
  status: fc.integer({ min: 200, max: 599 }),
  headers: fc.array(fc.tuple(text, text), { maxLength: 8 }).map((fields) => fields.flat()),
  receivedAtMs: ms,
  dateMs: ms,
  initialAgeMs: ms,
  freshMs: ms,
  validateAlways: fc.boolean(),
  mustRevalidate: fc.boolean(),
  etag: fc.option(text),
  lastModifiedMs: fc.option(ms),
  hasSetCookie: fc.boolean(),
  tags: text,
});

test('a head that was written down is read as it was (property)', () => {
  fc.assert(
    fc.property(heads, (head) => {
      const entry: CacheEntry = { ...page, ...head };
      const written = encodeHead(entry) ?? '';
      const read = decodeHead(written);
      expect(read).toMatchObject(head);
      expect(encodeHead({ ...page, ...read })).toBe(written);
    }),
    { numRuns: 500, seed: 7 },
  );
});

test('whatever is read, it is a head with every field of its kind, or nothing (property)', () => {
  const written = JSON.parse(encodeHead(page) ?? '') as unknown[];
  const changed = fc
    .tuple(fc.nat({ max: written.length - 1 }), fc.jsonValue())
    .map(([at, value]) => JSON.stringify(written.with(at, value)));
  fc.assert(
    fc.property(fc.oneof(changed, fc.json(), fc.string()), (line) => {
      const head = decodeHead(line);
      if (head === null) return;
      expect(encodeHead({ ...page, ...head })).not.toBeNull();
    }),
    { numRuns: 2000, seed: 7 },
  );
});

test('what JSON has no word for is not written', () => {
  for (const change of [{ freshMs: Number.POSITIVE_INFINITY }, { dateMs: Number.NaN }, { status: 103 }]) {
    expect(encodeHead({ ...page, ...change })).toBeNull();
  }
});

test('a response of which only parts are there is not written', () => {
  expect(encodeHead({ ...page, parts: [{ from: 0, to: 1 }] })).toBeNull();
});
