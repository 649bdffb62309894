import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { requestTraits, usability } from '../../../src/cache/demands.ts';
import { makeEntry } from '../../../src/cache/entry.ts';
import { remainingMs } from '../../../src/cache/freshness.ts';
import { MemoryBody } from '../../../src/cache/memory-body.ts';
import { type Storability, storability } from '../../../src/cache/storability.ts';
import type { HeaderList } from '../../../src/http/headers.ts';
import { at, get, ok, policy, SECOND, T0 } from './origin.ts';

const MINUTE = 60;

/** Pieces of caching fields, joined to anything: no number above a minute, nothing that lifts a prohibition. */
const garbage = fc
  .array(
    fc.constantFrom(
      ...[
        'max-age',
        '=',
        '5',
        '-',
        '"',
        '\\',
        ',',
        ' ',
        '\t',
        ';',
        '(',
        ')',
        '?1',
        '*',
        'x',
        'é',
        '\u0000',
        '0',
        'no-cache',
      ],
      ...[
        'no-store',
        'private',
        'public',
        'must-revalidate',
        'stale-if-error',
        ', ',
        'max-age=5',
        'Sat, 21 Nov',
        'GMT',
      ],
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join('').replace(/\d{2,}/g, '5'));

const fieldName = fc.constantFrom(
  ...[
    'Cache-Control',
    'CDN-Cache-Control',
    'Expires',
    'Age',
    'Vary',
    'ETag',
    'Last-Modified',
    'Pragma',
    'Content-Length',
  ],
);

const fields = fc.array(fc.tuple(fieldName, garbage), { maxLength: 6 }).map((pairs) => pairs.flat());

function verdictOf(headers: HeaderList): Storability {
  return storability(get(), ok(headers), policy, T0);
}

describe('malformed fields fall to the safe side (RFC 9111 §4.2.1)', () => {
  test('what comes behind a stated freshness makes it shorter, or nothing', () => {
    fc.assert(
      fc.property(fields, (rest) => {
        const verdict = verdictOf(['Cache-Control', `max-age=${MINUTE}`, ...rest]);
        if (verdict.store) expect(verdict.freshMs).toBeLessThanOrEqual(MINUTE * SECOND);
      }),
      { numRuns: 5000, seed: 9111 },
    );
  });

  test.each(['no-store', 'private'])('nothing behind it takes %s back', (prohibition) => {
    const untargeted = fields.filter((rest) => !rest.includes('CDN-Cache-Control'));
    fc.assert(
      fc.property(untargeted, (rest) => {
        expect(verdictOf(['Cache-Control', `max-age=60, ${prohibition}`, ...rest]).store).toBe(false);
      }),
      { numRuns: 2000, seed: 9111 },
    );
  });

  test('a targeted field with one wrong character leaves it to Cache-Control', () => {
    fc.assert(
      fc.property(garbage, (rest) => {
        const verdict = verdictOf(['Cache-Control', 'no-store', 'CDN-Cache-Control', `max-age=60, ${rest},`]);
        expect(verdict.store).toBe(false);
      }),
      { numRuns: 2000, seed: 9213 },
    );
  });

  test('an Expires that is no date is past', () => {
    fc.assert(
      fc.property(garbage, (text) => {
        const verdict = verdictOf(['ETag', '"v1"', 'Expires', text]);
        expect(verdict.store && verdict.freshMs).toBe(0);
      }),
      { numRuns: 2000, seed: 9111 },
    );
  });

  test('an entry made of anything has a finite age, and is never fresh for longer than it says', () => {
    fc.assert(
      fc.property(fields, fc.nat(200), (headers, afterS) => {
        const head = ok(headers);
        const verdict = verdictOf(headers);
        if (!verdict.store) return;
        const entry = makeEntry({ request: get(), head, verdict, times: at(T0), body: new MemoryBody([]) });
        const left = remainingMs(entry, T0 + afterS * SECOND);
        expect(Number.isFinite(left)).toBe(true);
        expect(left).toBeLessThanOrEqual(verdict.freshMs - afterS * SECOND);
      }),
      { numRuns: 5000, seed: 9111 },
    );
  });

  test('whatever a client demands, it gets nothing that is stale without asking for it', () => {
    const head = ok(['Cache-Control', 'max-age=60', 'ETag', '"v1"']);
    const verdict = verdictOf(head.headers);
    if (!verdict.store) throw new Error('Not storable');
    const entry = makeEntry({ request: get(), head, verdict, times: at(T0), body: new MemoryBody([]) });
    fc.assert(
      fc.property(garbage, (text) => {
        const { demands } = requestTraits(['Cache-Control', text]);
        expect(usability(entry, demands, T0 + 61 * SECOND)).not.toBe('usable');
      }),
      { numRuns: 2000, seed: 9111 },
    );
  });
});
