import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fill } from '../../../src/cache/fill.ts';
import { lookup } from '../../../src/cache/lookup.ts';
import type { CacheStore } from '../../../src/cache/store.ts';
import type { HeaderList } from '../../../src/http/headers.ts';
import { getHeader } from '../../../src/http/headers.ts';
import { runs } from '../../kit/whole.ts';
import { allowed, at, get, ok, policy, smallStore, T0, textOf } from './origin.ts';

const MINUTE: HeaderList = ['Cache-Control', 'max-age=60'];

function fillOf(store: CacheStore, headers: HeaderList = MINUTE, objectBytes = policy.objectBytes): Fill {
  const request = get();
  const head = ok(headers);
  return new Fill({
    store,
    request,
    head,
    verdict: allowed(request, head),
    times: at(T0),
    epoch: store.epoch,
    objectBytes,
  });
}

function stored(store: CacheStore) {
  const result = lookup(store, get(), policy, T0);
  return result.kind === 'hit' ? result.entry : null;
}

describe('storing a body (RFC 9111 §3.3)', () => {
  test('a body that ends cleanly is stored, whole and in order', () => {
    const store = smallStore();
    const fill = fillOf(store);
    for (const text of ['first ', 'second ', 'third']) fill.data(Buffer.from(text));
    expect(fill.end(null)).toBe('stored');
    expect(textOf(stored(store)?.body ?? null)).toBe('first second third');
  });

  test('nothing can be found before the end', () => {
    const store = smallStore();
    fillOf(store).data(Buffer.from('half'));
    expect(stored(store)).toBeNull();
  });

  test('a body cut short is not stored', () => {
    const store = smallStore();
    const fill = fillOf(store);
    fill.data(Buffer.from('half'));
    fill.abort();
    expect(fill.end(null)).toBe('aborted');
    expect(store.entries).toBe(0);
  });

  test.each([
    ['shorter', '1234'],
    ['longer', '123456'],
  ])('a body %s than its Content-Length is not stored', (_name, body) => {
    const store = smallStore();
    const fill = fillOf(store, [...MINUTE, 'Content-Length', '5']);
    fill.data(Buffer.from(body));
    expect(fill.end(null)).toBe('incomplete');
    expect(store.entries).toBe(0);
  });

  test('a body that grows over the limit is dropped at once, and what follows is not kept', () => {
    const store = smallStore();
    const fill = fillOf(store, MINUTE, 10);
    fill.data(Buffer.alloc(10));
    expect(fill.result).toBeNull();
    fill.data(Buffer.alloc(1));
    expect(fill.result).toBe('too-large');
    fill.data(Buffer.alloc(1));
    expect(fill.end(null)).toBe('too-large');
    expect(store.entries).toBe(0);
  });

  test('the bytes are copied: the transport may use its buffer again', () => {
    const store = smallStore();
    const fill = fillOf(store);
    const pooled = Buffer.from('hello');
    fill.data(pooled);
    pooled.fill('x');
    fill.end(null);
    expect(textOf(stored(store)?.body ?? null)).toBe('hello');
  });

  test('any chunking gives the same bytes, in memory that is all used (property)', () => {
    const chunks = fc.array(
      fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 60_000, maxLength: 150_000, size: 'max' })),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(chunks, fc.boolean(), (parts, announced) => {
        const whole = Buffer.concat(parts);
        const store = smallStore(4 * 1024 * 1024);
        const fill = fillOf(
          store,
          announced ? [...MINUTE, 'Content-Length', String(whole.byteLength)] : MINUTE,
          2 ** 30,
        );
        for (const part of parts) fill.data(part);
        expect(fill.end(null)).toBe(whole.byteLength > 1024 * 1024 + 65_536 ? 'refused' : 'stored');
        const kept = stored(store)?.body.chunks;
        if (kept === undefined || kept === null) return;
        expect(Buffer.concat(kept).equals(whole)).toBe(true);
        for (const chunk of kept) {
          expect(chunk.byteLength).toBeGreaterThan(0);
          expect(chunk.buffer.byteLength).toBe(chunk.byteLength);
        }
        expect(kept.length).toBeLessThanOrEqual(Math.ceil(whole.byteLength / 65_536) + 1);
      }),
      { numRuns: runs(60) },
    );
  });

  test('§4.4 an answer to a request from before an invalidation is not stored after it', () => {
    const store = smallStore();
    const fill = fillOf(store);
    fill.data(Buffer.from('before'));
    store.delete('http://shop.test/a');
    expect(fill.end(null)).toBe('invalidated');
    const next = fillOf(store);
    next.data(Buffer.from('after'));
    expect(next.end(null)).toBe('stored');
  });

  test('a purge of everything reaches what is under way', () => {
    const store = smallStore();
    const fill = fillOf(store);
    store.clear();
    expect(fill.end(null)).toBe('invalidated');
  });
});

describe('the stored head (RFC 9111 §3.1)', () => {
  function headersOf(headers: HeaderList): HeaderList {
    const store = smallStore();
    fillOf(store, [...MINUTE, ...headers]).end(null);
    return stored(store)?.headers ?? [];
  }

  test.each(['Connection', 'Keep-Alive', 'Proxy-Authenticate', 'Proxy-Authentication-Info', 'Upgrade', 'Age'])(
    '%s is not stored',
    (name) => {
      expect(getHeader(headersOf([name, '1']), name.toLowerCase())).toBeNull();
    },
  );

  test('fields that Connection names are not stored', () => {
    expect(getHeader(headersOf(['Connection', 'x-hop', 'X-Hop', '1']), 'x-hop')).toBeNull();
  });

  test('§5.2.2.4 a field that no-cache names is not stored', () => {
    const headers = headersOf(['Cache-Control', 'no-cache="X-User"', 'X-User', 'eve', 'X-Else', '1']);
    expect(getHeader(headers, 'x-user')).toBeNull();
    expect(getHeader(headers, 'x-else')).toBe('1');
  });

  test('order, case and repeats of everything else stay', () => {
    const headers = headersOf(['X-b', '1', 'LINK', '<a>', 'x-B', '2']);
    expect(headers.slice(4, 10)).toEqual(['X-b', '1', 'LINK', '<a>', 'x-B', '2']);
  });

  test('RFC 9110 §6.6.1 a response without a readable Date gets the time of receipt', () => {
    const store = smallStore();
    const request = get();
    const head = { status: 200, headers: [...MINUTE, 'Date', 'yesterday'] };
    const verdict = allowed(request, head);
    new Fill({ store, request, head, verdict, times: at(T0), epoch: 0, objectBytes: 10 }).end(null);
    expect(getHeader(stored(store)?.headers ?? [], 'date')).toBe('Sat, 21 Nov 2026 12:00:00 GMT');
  });

  test('RFC 9110 §8.6 the length that was counted is the length that is served', () => {
    expect(getHeader(headersOf([]), 'content-length')).toBe('0');
  });
});
