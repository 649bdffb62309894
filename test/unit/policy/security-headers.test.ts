import { describe, expect, test } from 'vitest';
import type { HeaderDraft } from '../../../src/http/headers.ts';
import { PRESETS, type SecurityHeadersConfig, securityHeaders } from '../../../src/policy/security-headers.ts';
import { asking } from './asking.ts';

function edited(
  config: Partial<SecurityHeadersConfig>,
  sent: readonly string[] = [],
  facts: Parameters<typeof asking>[1] = {},
  headers: readonly string[] = [],
  status = 200,
): HeaderDraft {
  const draft = sent.slice();
  const policy = securityHeaders({ preset: 'none', override: false, remove: [], ...config });
  policy.edit(draft, asking(headers, facts), status);
  return draft;
}

describe('securityHeaders', () => {
  test('presets have values that could be sent, and whatever refuses frames says so twice', () => {
    for (const [preset, fields] of Object.entries(PRESETS)) {
      for (const value of Object.values(fields))
        expect([preset, value]).toEqual([preset, expect.stringMatching(/^[\x20-\x7e]+$/)]);
      expect(fields.frameOptions === 'DENY').toBe(
        fields.contentSecurityPolicy?.includes("frame-ancestors 'none'") === true,
      );
    }
    expect(edited({ preset: 'basic' })).toEqual([
      ...['X-Content-Type-Options', 'nosniff', 'X-Frame-Options', 'SAMEORIGIN'],
      ...['Referrer-Policy', 'strict-origin-when-cross-origin'],
      ...['Content-Security-Policy', "frame-ancestors 'self'"],
    ]);
  });

  test('fills in what the endpoint does not say', () => {
    const sent = ['x-frame-options', 'DENY', 'Content-Security-Policy', "default-src 'self'"];
    expect(edited({ preset: 'basic' }, sent)).toEqual([
      ...sent,
      ...['X-Content-Type-Options', 'nosniff', 'Referrer-Policy', 'strict-origin-when-cross-origin'],
    ]);
  });

  test('says nothing in a 304 that could replace something stricter that the browser has stored of the endpoint', () => {
    const etag = ['ETag', '"v1"'];
    expect(edited({ preset: 'basic' }, etag, {}, [], 304)).toEqual([...etag, 'X-Content-Type-Options', 'nosniff']);
    const config = { contentSecurityPolicy: "default-src 'self'", override: true };
    expect(edited(config, etag, {}, [], 304)).toEqual([...etag, 'Content-Security-Policy', "default-src 'self'"]);
  });

  test('replaces what the endpoint says where that is wanted, however often it says it', () => {
    const sent = ['X-Frame-Options', 'ALLOWALL', 'X-A', '1', 'x-frame-options', 'SAMEORIGIN'];
    expect(edited({ frameOptions: 'DENY', override: true }, sent)).toEqual(['X-Frame-Options', 'DENY', 'X-A', '1']);
  });

  test('has other values, fields besides, and some left out', () => {
    const config = {
      preset: 'api',
      frameOptions: false,
      contentSecurityPolicy: false,
      crossOriginResourcePolicy: 'cross-origin',
      contentSecurityPolicyReportOnly: "default-src 'none'",
    } as const;
    expect(edited(config)).toEqual([
      ...['X-Content-Type-Options', 'nosniff', 'Referrer-Policy', 'no-referrer'],
      ...['Content-Security-Policy-Report-Only', "default-src 'none'"],
      ...['Cross-Origin-Resource-Policy', 'cross-origin'],
    ]);
  });

  test('removes what is nobody’s business, in whatever case', () => {
    const sent = ['server', 'x', 'Server', 'y', 'X-A', '1'];
    expect(edited({ remove: ['Server', 'X-Powered-By'] }, sent)).toEqual(['X-A', '1']);
  });
});

describe('hsts of a route', () => {
  const FIELD = 'Strict-Transport-Security';
  const hsts = { maxAge: 86_400_000, includeSubDomains: true, preload: false };
  const plain = { request: { scheme: 'http' }, client: { tls: null, trusted: false } } as const;

  test('takes the place of the listener’s', () => {
    expect(edited({ hsts }, [FIELD, 'max-age=1'])).toEqual([FIELD, 'max-age=86400; includeSubDomains']);
    expect(edited({ hsts: null }, [FIELD, 'max-age=1'])).toEqual([]);
    expect(edited({}, [FIELD, 'max-age=1'])).toEqual([FIELD, 'max-age=1']);
  });

  test('is never said over plain HTTP, nor is an endpoint’s (RFC 6797 §7.2)', () => {
    expect(edited({ hsts }, [FIELD, 'max-age=1'], plain)).toEqual([]);
    const lied = ['X-Forwarded-Proto', 'https'];
    expect(edited({ hsts }, [], plain, lied)).toEqual([]);
  });

  test('is said where a trusted proxy has terminated TLS', () => {
    const behind = { request: { scheme: 'http' }, client: { tls: null, trusted: true } } as const;
    expect(edited({ hsts }, [], behind, ['X-Forwarded-Proto', 'https'])).toEqual([
      ...[FIELD, 'max-age=86400; includeSubDomains'],
    ]);
  });
});
