import { describe, expect, test } from 'vitest';
import { lookup } from '../../../src/cache/lookup.ts';
import { forwardReport, hitReport, revalidatedReport, unsatisfiableReport } from '../../../src/cache/status.ts';
import { storability } from '../../../src/cache/storability.ts';
import type { HeaderList } from '../../../src/http/headers.ts';
import { entryOf, get, ok, policy, SECOND, smallStore, T0 } from './origin.ts';

const store = smallStore();
store.set(entryOf(ok(['Cache-Control', 'max-age=60', 'ETag', '"v1"'])));

function forwarded(request: ReturnType<typeof get>, response: HeaderList, afterMs = 0): string {
  const found = lookup(store, request, policy, T0 + afterMs);
  if (found.kind === 'hit' || found.kind === 'unsatisfiable') throw new Error(found.kind);
  const head = ok(response, T0 + afterMs);
  const verdict = found.kind === 'bypass' ? null : storability(request, head, policy, T0 + afterMs);
  return forwardReport({ lookup: found, status: 200, verdict }).header;
}

describe('Cache-Status (RFC 9211)', () => {
  test.each<[string, ReturnType<typeof get>, HeaderList, number, string]>([
    ['stored', get([], { path: '/b' }), ['Cache-Control', 'max-age=5'], 0, 'fwd=uri-miss; fwd-status=200; stored'],
    [
      'not stored, and why',
      get([], { path: '/b' }),
      ['Cache-Control', 'no-store'],
      0,
      'fwd=uri-miss; fwd-status=200; detail=no-store',
    ],
    ['outdated', get(), ['Cache-Control', 'max-age=5'], 60 * SECOND, 'fwd=stale; fwd-status=200; stored'],
    [
      'the client insists',
      get(['Cache-Control', 'no-cache']),
      ['Cache-Control', 'private'],
      0,
      'fwd=request; fwd-status=200; detail=private',
    ],
    ['not asked', get(['If-Match', '"v1"']), [], 0, 'fwd=bypass; fwd-status=200; detail=precondition'],
    ['another method', get([], { method: 'POST' }), [], 0, 'fwd=method; fwd-status=200'],
  ])('%s', (_name, request, response, afterMs, expected) => {
    expect(forwarded(request, response, afterMs)).toBe(`headgate; ${expected}`);
  });

  test('a hit tells the freshness left, rounded down', () => {
    const found = lookup(store, get(), policy, T0 + 100);
    expect(found.kind === 'hit' && hitReport(found).header).toBe('headgate; hit; ttl=59');
  });

  test('a confirmed response is neither a hit nor a new one', () => {
    const found = lookup(store, get(), policy, T0 + 60 * SECOND);
    if (found.kind !== 'revalidate') throw new Error(found.kind);
    expect(revalidatedReport(found, { stored: true, freshMs: 60 * SECOND, ageMs: 0 }).header).toBe(
      'headgate; fwd=stale; fwd-status=304; stored; ttl=60',
    );
  });

  test('a 504 for only-if-cached', () => {
    expect(unsatisfiableReport.header).toBe('headgate; detail=only-if-cached');
  });
});
