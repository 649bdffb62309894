import fc from 'fast-check';
import { parseList, Token } from 'structured-headers';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/errors.ts';
import { type CacheStatus, cacheStatus } from '../../../src/http/cache-status.ts';
import { proxyStatus } from '../../../src/http/proxy-status.ts';

/** The one member of a structured list, with tokens as `Token` (RFC 9651). */
function memberOf(field: string): { name: unknown; parameters: Map<string, unknown> } {
  const list = parseList(field);
  expect(list).toHaveLength(1);
  const [name, parameters] = list[0] as unknown as [unknown, Map<string, unknown>];
  return { name, parameters };
}

const us = new Token('headgate');

describe('proxyStatus (RFC 9209 §2)', () => {
  test('names the error as a token', () => {
    expect(proxyStatus('connection_refused')).toBe('headgate; error=connection_refused');
    expect(memberOf(proxyStatus('connection_refused'))).toEqual({
      name: us,
      parameters: new Map([['error', new Token('connection_refused')]]),
    });
  });

  test('adds what the endpoint answered as an integer (§2.1.5)', () => {
    expect(proxyStatus('http_protocol_error', 200)).toBe('headgate; error=http_protocol_error; received-status=200');
    expect(memberOf(proxyStatus('http_protocol_error', 200)).parameters.get('received-status')).toBe(200);
  });

  test('is a structured list whatever the code', () => {
    const codes: ErrorCode[] = ['dns_error', 'tls_alert_received', 'proxy_loop_detected'];
    for (const code of codes) expect(memberOf(proxyStatus(code)).parameters.get('error')).toEqual(new Token(code));
  });
});

describe('cacheStatus (RFC 9211 §2)', () => {
  const cases: [CacheStatus, string][] = [
    [{ result: 'hit' }, 'headgate; hit'],
    [{ result: 'hit', ttlS: 12.9 }, 'headgate; hit; ttl=12'],
    [{ result: 'hit', ttlS: -3 }, 'headgate; hit; ttl=-3'],
    [{ result: 'hit', fwd: 'miss', fwdStatus: 200, stored: true, collapsed: true }, 'headgate; hit'],
    [{ result: 'fwd' }, 'headgate; fwd=miss'],
    [
      { result: 'fwd', fwd: 'uri-miss', fwdStatus: 200, stored: true },
      'headgate; fwd=uri-miss; fwd-status=200; stored',
    ],
    [
      { result: 'fwd', fwd: 'stale', fwdStatus: 304, collapsed: true, ttlS: 60 },
      'headgate; fwd=stale; fwd-status=304; collapsed; ttl=60',
    ],
    [{ result: 'fwd', fwd: 'miss', stored: false, collapsed: false, ttlS: undefined }, 'headgate; fwd=miss'],
    [{ result: 'fwd', fwd: 'bypass', detail: 'no-store' }, 'headgate; fwd=bypass; detail=no-store'],
    [{ result: 'fwd', fwd: 'bypass', detail: 'too "big"' }, 'headgate; fwd=bypass; detail="too \\"big\\""'],
    [{ result: 'fwd', fwd: 'bypass', detail: '' }, 'headgate; fwd=bypass; detail=""'],
    [{ result: 'fwd', fwd: 'bypass', detail: 'é\r\n' }, 'headgate; fwd=bypass; detail="???"'],
  ];
  test.each(cases)('%j is %s', (status, field) => {
    expect(cacheStatus(status)).toBe(field);
  });

  test('is a structured list that says what it was given, whatever the detail', () => {
    const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
    const statuses = fc.record({
      result: fc.constant('fwd' as const),
      fwd: fc.constantFrom('bypass', 'method', 'uri-miss', 'vary-miss', 'miss', 'request', 'stale', 'partial'),
      fwdStatus: optional(fc.integer({ min: 100, max: 599 })),
      ttlS: optional(fc.integer({ min: -1000, max: 2 ** 31 })),
      stored: optional(fc.boolean()),
      collapsed: optional(fc.boolean()),
      detail: optional(fc.string({ unit: 'binary-ascii' })),
    });
    fc.assert(
      fc.property(statuses, (status) => {
        const { name, parameters } = memberOf(cacheStatus(status));
        expect(name).toEqual(us);
        expect(parameters.get('fwd')).toEqual(new Token(status.fwd));
        expect(parameters.get('fwd-status')).toBe(status.fwdStatus);
        expect(parameters.get('ttl')).toBe(status.ttlS);
        expect(parameters.get('stored') ?? false).toBe(status.stored ?? false);
        expect(parameters.get('collapsed') ?? false).toBe(status.collapsed ?? false);
        expect(parameters.get('detail')?.toString()).toBe(status.detail?.replace(/[^ -~]/g, '?'));
      }),
      { numRuns: 1000 },
    );
  });
});
