import { describe, expect, test } from 'vitest';
import { updateFromHead } from '../../../src/cache/head-update.ts';
import type { CacheRequest } from '../../../src/cache/key.ts';
import { lookup } from '../../../src/cache/lookup.ts';
import { MemoryBody } from '../../../src/cache/memory-body.ts';
import { entryWithPart, partStorability, restOf, type StorablePart } from '../../../src/cache/partial.ts';
import { MAX_PARTS, missingOf, type Part, PartialBody, withPart } from '../../../src/cache/partial-body.ts';
import type { CacheStore } from '../../../src/cache/store.ts';
import type { ResponseHead } from '../../../src/exchange/response-sink.ts';
import type { HeaderList } from '../../../src/http/headers.ts';
import { BufferSink } from '../../kit/buffer-sink.ts';
import { at, entryOf, get, ok, policy, SECOND, smallStore, T0 } from './origin.ts';

const FRESH = ['Cache-Control', 'max-age=60', 'ETag', '"v1"'];
const LAST_MODIFIED = 'Fri, 20 Nov 2026 12:00:00 GMT';
const RANGE = get(['Range', 'bytes=0-3']);

function piece(text: string, from: number): Part {
  return { from, to: from + text.length, body: new MemoryBody([...text].map((letter) => Buffer.from(letter))) };
}

function read(body: PartialBody, from: number, to: number): string {
  const sink = new BufferSink();
  body.read({ from, to }).pipe(sink);
  return sink.text;
}

function spans(parts: readonly Part[]): readonly (readonly [number, number])[] {
  return parts.map(({ from, to }) => [from, to] as const);
}

describe('parts of one body (RFC 9110 §15.3.7.3)', () => {
  test.each<[string, readonly [string, number][], readonly (readonly [number, number])[]]>([
    [
      'apart',
      [
        ['01', 0],
        ['56', 5],
      ],
      [
        [0, 2],
        [5, 7],
      ],
    ],
    [
      'in the wrong order',
      [
        ['56', 5],
        ['01', 0],
      ],
      [
        [0, 2],
        [5, 7],
      ],
    ],
    [
      'adjacent',
      [
        ['01', 0],
        ['23', 2],
      ],
      [[0, 4]],
    ],
    [
      'overlapping',
      [
        ['0123', 0],
        ['2345', 2],
      ],
      [[0, 6]],
    ],
    [
      'one inside of the other',
      [
        ['012345', 0],
        ['23', 2],
      ],
      [[0, 6]],
    ],
    [
      'one around the other',
      [
        ['23', 2],
        ['012345', 0],
      ],
      [[0, 6]],
    ],
    [
      'one over several',
      [
        ['12', 1],
        ['56', 5],
        ['012345678', 0],
      ],
      [[0, 9]],
    ],
  ])('%s', (_name, pieces, expected) => {
    let parts: readonly Part[] = [];
    for (const [text, from] of pieces) parts = withPart(parts, piece(text, from));
    expect(spans(parts)).toEqual(expected);
    const body = new PartialBody(10, parts);
    for (const [from, to] of expected) expect(read(body, from, to)).toBe('0123456789'.slice(from, to));
    // Every byte is there once, and accounted.
    const chunks = parts.flatMap((each) => each.body.chunks);
    expect(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0)).toBe(
      expected.reduce((sum, [from, to]) => sum + to - from, 0),
    );
    expect(body.heldBytes).toBeGreaterThan(chunks.length);
  });

  test('what is not there can not be read, and what is missing is known', () => {
    const body = new PartialBody(10, [piece('01', 0), piece('56', 5)]);
    for (const [from, to] of [
      [1, 3],
      [2, 5],
      [0, 7],
    ] as const)
      expect(() => read(body, from, to)).toThrow(/there are none/);
    expect(missingOf(body.parts, { from: 0, to: 10 })).toEqual([
      { from: 2, to: 5 },
      { from: 7, to: 10 },
    ]);
    expect(missingOf(body.parts, { from: 5, to: 7 })).toEqual([]);
  });

  test('beyond a bound the smallest is let go of', () => {
    let parts: readonly Part[] = [];
    for (let i = 0; i <= MAX_PARTS; i += 1) parts = withPart(parts, piece(i === 7 ? 'a' : 'ab', i * 10));
    expect(parts.length).toBe(MAX_PARTS);
    expect(parts.some(({ from }) => from === 70)).toBe(false);
  });
});

function judge(headers: HeaderList, request: CacheRequest = RANGE, byUs = false): string {
  const verdict = partStorability(
    { status: 206, headers: ['Date', 'Sat, 21 Nov 2026 12:00:00 GMT', ...headers] },
    { request, byUs },
    policy,
    at(T0),
  );
  return verdict.store ? 'stored' : verdict.why;
}

describe('may a 206 be stored (RFC 9111 §3.3)?', () => {
  const PART = ['Content-Range', 'bytes 0-3/10'];
  test.each<[string, HeaderList, string]>([
    ['with a strong tag', [...FRESH, ...PART], 'stored'],
    ['and its length', [...FRESH, ...PART, 'Content-Length', '4'], 'stored'],
    ['and another length', [...FRESH, ...PART, 'Content-Length', '5'], 'content-range'],
    ['with a weak tag', ['Cache-Control', 'max-age=60', 'ETag', 'W/"v1"', ...PART], 'weak-validator'],
    ['with what is no tag', ['Cache-Control', 'max-age=60', 'ETag', 'v1', ...PART], 'weak-validator'],
    [
      'RFC 9110 §8.8.2.2 with a strong date',
      ['Cache-Control', 'max-age=60', 'Last-Modified', LAST_MODIFIED, ...PART],
      'stored',
    ],
    [
      'with a date of the same second',
      ['Cache-Control', 'max-age=60', 'Last-Modified', 'Sat, 21 Nov 2026 12:00:00 GMT', ...PART],
      'weak-validator',
    ],
    [
      'with a weak tag and a strong date',
      ['Cache-Control', 'max-age=60', 'ETag', 'W/"v1"', 'Last-Modified', LAST_MODIFIED, ...PART],
      'weak-validator',
    ],
    ['of an unknown whole', [...FRESH, 'Content-Range', 'bytes 0-3/*'], 'content-range'],
    ['without a Content-Range', FRESH, 'content-range'],
    ['private', ['Cache-Control', 'private', 'ETag', '"v1"', ...PART], 'private'],
    ['with a cookie', [...FRESH, ...PART, 'Set-Cookie', 'a=b'], 'set-cookie'],
    ['heuristically fresh, as a 200 is', ['ETag', '"v1"', 'Last-Modified', LAST_MODIFIED, ...PART], 'stored'],
  ])('%s', (_name, headers, expected) => {
    expect(judge(headers)).toBe(expected);
  });

  test('only as an answer to a range', () => {
    expect(judge([...FRESH, ...PART], get())).toBe('partial');
    expect(judge([...FRESH, ...PART], get(), true)).toBe('stored');
  });
});

/** Stores the bytes from `from` on of a response with `headers`. */
function store(
  into: CacheStore,
  text: string,
  from: number,
  { headers = FRESH, total = 10, atMs = T0 }: { headers?: HeaderList; total?: number; atMs?: number } = {},
): boolean {
  const head: ResponseHead = ok(
    [...headers, 'Content-Range', `bytes ${from}-${from + text.length - 1}/${total}`],
    atMs,
    206,
  );
  const part = partStorability(head, { request: RANGE, byUs: false }, policy, at(atMs)) as StorablePart;
  const entry = entryWithPart({ store: into, request: RANGE, policy, part, times: at(atMs) }, [Buffer.from(text)]);
  return entry !== null && into.set(entry);
}

function found(from: CacheStore, headers: HeaderList, afterMs = 0, method = 'GET'): string {
  const result = lookup(from, get(headers, { method }), policy, T0 + afterMs);
  return 'why' in result ? `${result.kind} ${result.why}` : result.kind;
}

describe('stored parts (RFC 9111 §3.3, §3.4)', () => {
  test.each<[string, HeaderList, number, string]>([
    ['inside', ['Range', 'bytes=3-5'], 0, 'hit'],
    ['exactly', ['Range', 'bytes=2-6'], 0, 'hit'],
    ['beyond', ['Range', 'bytes=2-7'], 0, 'miss partial'],
    ['before', ['Range', 'bytes=0-3'], 0, 'miss partial'],
    ['the end', ['Range', 'bytes=-3'], 0, 'miss partial'],
    ['stale', ['Range', 'bytes=3-5'], 60, 'revalidate stale'],
    ['beyond the whole', ['Range', 'bytes=10-'], 0, 'hit'],
    ['a client that has it', ['If-None-Match', '"v1"'], 0, 'hit'],
    ['a client that has another', ['If-None-Match', '"v0"'], 0, 'miss partial'],
    ['of another version', ['Range', 'bytes=3-5', 'If-Range', '"v0"'], 0, 'miss partial'],
    ['everything, with two gaps', [], 0, 'miss partial'],
    ['only-if-cached, inside', ['Range', 'bytes=3-5', 'Cache-Control', 'only-if-cached'], 0, 'hit'],
    ['only-if-cached, everything', ['Cache-Control', 'only-if-cached'], 0, 'unsatisfiable'],
  ])('%s', (_name, headers, afterSeconds, expected) => {
    const parts = smallStore();
    expect(store(parts, '23456', 2)).toBe(true);
    expect(found(parts, headers, afterSeconds * SECOND)).toBe(expected);
  });

  test('a HEAD is not answered from parts', () => {
    const parts = smallStore();
    store(parts, '0123', 0);
    expect(found(parts, [], 0, 'HEAD')).toBe('miss partial');
  });

  test('one gap is asked for by Range and If-Range, fresh or stale', () => {
    const parts = smallStore();
    store(parts, '0123', 0);
    expect([found(parts, []), found(parts, [], 61 * SECOND)]).toEqual(['complete partial', 'complete partial']);
    const [entry] = parts.get('http://shop.test/a');
    expect(entry === undefined ? null : restOf(entry)).toEqual({
      span: { from: 4, to: 10 },
      conditional: ['Range', 'bytes=4-', 'If-Range', '"v1"'],
    });
  });

  test('without a strong tag nothing is completed', () => {
    const parts = smallStore();
    store(parts, '0123', 0, { headers: ['Cache-Control', 'max-age=60', 'Last-Modified', LAST_MODIFIED] });
    expect(found(parts, [])).toBe('miss partial');
    expect(found(parts, ['Range', 'bytes=0-1'])).toBe('hit');
  });

  test.each<[string, { headers?: HeaderList; total?: number }]>([
    ['another tag', { headers: ['Cache-Control', 'max-age=60', 'ETag', '"v2"'] }],
    ['another length of the whole', { total: 11 }],
    ['a date in place of the tag', { headers: ['Cache-Control', 'max-age=60', 'Last-Modified', LAST_MODIFIED] }],
  ])('%s is another version, which takes the place of the first', (_name, other) => {
    const parts = smallStore();
    store(parts, '0123', 0);
    store(parts, '456', 4, other);
    expect(found(parts, ['Range', 'bytes=0-1'])).toBe('miss partial');
    expect(found(parts, ['Range', 'bytes=4-5'])).toBe('hit');
    expect(parts.entries).toBe(1);
  });

  test('all parts together are no part any more', () => {
    const parts = smallStore();
    store(parts, '0123', 0);
    store(parts, '6789', 6);
    store(parts, '345678', 3);
    const [entry] = parts.get('http://shop.test/a');
    expect([entry?.parts, entry?.status, entry?.body.length]).toEqual([null, 200, 10]);
    expect(Buffer.concat(entry?.body.chunks ?? []).toString()).toBe('0123456789');
    expect(found(parts, [])).toBe('hit');
    // Of the whole, a part is nothing new.
    expect(store(parts, '01', 0)).toBe(false);
    expect(found(parts, [])).toBe('hit');
  });

  test('an invalidation takes parts like everything else', () => {
    const parts = smallStore();
    store(parts, '0123', 0);
    expect(parts.delete('http://shop.test/a')).toBe(1);
    expect(found(parts, ['Range', 'bytes=0-1'])).toBe('miss uri-miss');
  });
});

describe('a HEAD updates what is stored for GET (RFC 9111 §4.3.5)', () => {
  const MINUTE = ['Cache-Control', 'max-age=60', 'ETag', '"v1"', 'Last-Modified', LAST_MODIFIED, 'X-A', '1'];

  function afterHead(headers: HeaderList, status = 200): string {
    const one = smallStore();
    one.set(entryOf(ok(MINUTE)));
    const request = get([], { method: 'HEAD' });
    const atMs = T0 + 90 * SECOND;
    updateFromHead(one, { request, head: ok(headers, atMs, status), policy, times: at(atMs), epoch: one.epoch });
    const [entry] = one.get('http://shop.test/a');
    const field = entry?.headers[entry.headers.indexOf('X-A') + 1];
    return `${found(one, [], 90 * SECOND)} ${field}`;
  }

  test.each<[string, HeaderList, number, string]>([
    ['nothing but freshness', ['Cache-Control', 'max-age=30'], 200, 'hit 1'],
    ['the same tag', ['ETag', '"v1"', 'X-A', '2'], 200, 'hit 2'],
    ['the same date and length', ['Last-Modified', LAST_MODIFIED, 'Content-Length', '5', 'X-A', '2'], 200, 'hit 2'],
    ['another tag', ['ETag', '"v2"', 'X-A', '2'], 200, 'revalidate stale 1'],
    ['another date', ['Last-Modified', 'Sat, 21 Nov 2026 12:00:00 GMT'], 200, 'revalidate stale 1'],
    ['another length', ['ETag', '"v1"', 'Content-Length', '6'], 200, 'revalidate stale 1'],
    ['what forbids to store it', ['ETag', '"v1"', 'Cache-Control', 'private'], 200, 'revalidate stale 1'],
    ['gone', ['Cache-Control', 'max-age=60'], 410, 'revalidate stale 1'],
    ['in trouble', ['Cache-Control', 'max-age=60'], 503, 'revalidate stale 1'],
  ])('%s', (_name, headers, status, expected) => {
    expect(afterHead(headers, status)).toBe(expected);
  });

  test.each([
    [200, ['ETag', '"v2"'], 'revalidate stale'],
    [404, [], 'revalidate stale'],
    [503, [], 'hit'],
    [304, [], 'hit'],
  ] as const)('%i with %j while it is fresh', (status, headers, expected) => {
    const one = smallStore();
    one.set(entryOf(ok(MINUTE)));
    const atMs = T0 + 10 * SECOND;
    updateFromHead(one, {
      request: get([], { method: 'HEAD' }),
      head: ok(headers, atMs, status),
      policy,
      times: at(atMs),
      epoch: one.epoch,
    });
    expect(found(one, [], 10 * SECOND)).toBe(expected);
  });

  test('what was invalidated while the HEAD was under way is not made fresh by it', () => {
    const one = smallStore();
    const { epoch } = one;
    one.delete('http://shop.test/a');
    one.set(entryOf(ok(MINUTE)));
    const atMs = T0 + 90 * SECOND;
    updateFromHead(one, {
      request: get([], { method: 'HEAD' }),
      head: ok(MINUTE, atMs),
      policy,
      times: at(atMs),
      epoch,
    });
    expect(found(one, [], 90 * SECOND)).toBe('revalidate stale');
  });
});
