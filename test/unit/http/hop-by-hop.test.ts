import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HeaderList } from '../../../src/http/headers.ts';
import { requestEndToEnd, responseEndToEnd } from '../../../src/http/hop-by-hop.ts';

describe('requestEndToEnd (RFC 9110 §7.6.1)', () => {
  test.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authorization',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'HTTP2-Settings',
    'Expect',
    'Client-Cert',
    'Client-Cert-Chain',
    'Client_Cert',
    'client-cert_chain',
  ])('%s is gone, in any case and however often', (name) => {
    const headers = ['Host', 'a', name, 'x', name.toLowerCase(), 'y', 'X-B', '1', name.toUpperCase(), 'z', 'x-b', '2'];
    expect(requestEndToEnd(headers)).toEqual(['Host', 'a', 'X-B', '1', 'x-b', '2']);
  });

  test.each([
    'Proxy-Authenticate',
    'Proxy-Authentication-Info',
    'Vi',
    'Cookie',
    'Accept',
    'Connectix',
    'Xonnection',
    'Client-Name',
    'Client-Certs-Chai',
  ])('%s stays', (name) => {
    expect(requestEndToEnd([name, 'x'])).toEqual([name, 'x']);
  });

  test.each([
    ['X-Secret'],
    ['close, X-Secret'],
    ['x-secret\t,keep-alive'],
    [',, X-SECRET ,'],
    ['keep-alive', 'X-Secret'],
    ['Upgrade, X-Secret, X-Secret'],
  ])('a field that Connection names is gone: %s', (...values) => {
    const headers = [
      ...values.flatMap((value) => ['Connection', value]),
      'X-Secret',
      '1',
      'X-Keep',
      '2',
      'x-SECRET',
      '3',
    ];
    expect(requestEndToEnd(headers)).toEqual(['X-Keep', '2']);
    expect(requestEndToEnd([...headers.slice(-6), ...headers.slice(0, -6)])).toEqual(['X-Keep', '2']);
  });

  test.each([
    'Host',
    'Content-Length',
    'Content-Type',
    'Authorization',
    'Cookie',
    'Origin',
    'Via',
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Anything',
    'X-Real-IP',
  ])('Connection can not take away %s, which the gateway decides by', (name) => {
    expect(requestEndToEnd(['Connection', `close, ${name}`, name, 'x', 'X-B', '1'])).toEqual([name, 'x', 'X-B', '1']);
  });

  test.each([
    ['trailers', true],
    ['Trailers', true],
    ['deflate;q=0.5, trailers', true],
    ['trailers ,gzip', true],
    ['gzip', false],
    ['trailersx', false],
    ['x-trailers, gzip;trailers', false],
    ['', false],
  ])('of "TE: %s" exactly one "TE: trailers" is left: %s (RFC 9110 §10.1.4)', (value, kept) => {
    const headers = ['A', '1', 'te', value, 'B', '2', 'TE', value, 'Connection', 'TE'];
    expect(requestEndToEnd(headers)).toEqual(kept ? ['A', '1', 'TE', 'trailers', 'B', '2'] : ['A', '1', 'B', '2']);
  });

  test('the list that came in is not touched', () => {
    const headers = Object.freeze(['Connection', 'x-a', 'X-A', '1', 'X-B', '2']);
    expect(requestEndToEnd(headers)).not.toBe(headers);
    expect(requestEndToEnd([])).toEqual([]);
  });
});

describe('responseEndToEnd (RFC 9110 §7.6.1)', () => {
  test.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authenticate',
    'Proxy-Authentication-Info',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
  ])('%s is gone', (name) => {
    expect(responseEndToEnd(['X-B', '1', name, 'x', name.toLowerCase(), 'y', 'Set-Cookie', 'a=1'])).toEqual([
      'X-B',
      '1',
      'Set-Cookie',
      'a=1',
    ]);
  });

  test('"TE: trailers" means nothing in a response', () => {
    expect(responseEndToEnd(['TE', 'trailers'])).toEqual([]);
  });

  test('a field that Connection names is gone, but never its framing or freshness', () => {
    const headers = [
      'X-Hop',
      '1',
      'Connection',
      'X-Hop, Content-Length, Set-Cookie, Vary',
      'Content-Length',
      '3',
      'Vary',
      'A',
    ];
    expect(responseEndToEnd(headers)).toEqual(['Content-Length', '3', 'Vary', 'A']);
  });
});

const hopNames = ['Connection', 'Keep-Alive', 'Proxy-Connection', 'Transfer-Encoding', 'Upgrade', 'Trailer', 'TE'];
const endNames = ['Host', 'Content-Length', 'X-A', 'x-a', 'X-B', 'Accept', 'X-Forwarded-For', 'Set-Cookie', 'Te-St'];
const anyCase = (names: readonly string[]) =>
  fc.tuple(fc.constantFrom(...names), fc.constantFrom(0, 1, 2)).map(([name, style]) => {
    if (style === 0) return name;
    return style === 1 ? name.toLowerCase() : name.toUpperCase();
  });
const line = fc.oneof(
  fc.tuple(anyCase(endNames), fc.string({ maxLength: 3 })),
  fc.tuple(anyCase(hopNames), fc.string({ maxLength: 3 })),
  fc.tuple(
    anyCase(['Connection']),
    fc.array(anyCase([...endNames, ...hopNames, 'close']), { maxLength: 4 }).map((names) => names.join(', ')),
  ),
);
const headerLists = fc.array(line, { maxLength: 12 }).map((lines): HeaderList => lines.flat());

function linesOf(headers: HeaderList): [string, string][] {
  return Array.from({ length: headers.length / 2 }, (_, i) => [headers[2 * i] as string, headers[2 * i + 1] as string]);
}

describe.each([
  ['requestEndToEnd', requestEndToEnd],
  ['responseEndToEnd', responseEndToEnd],
])('%s, for any headers', (_, endToEnd) => {
  test('keeps order, case and repeats of everything that is not hop-by-hop', () => {
    fc.assert(
      fc.property(headerLists, (headers) => {
        const named = linesOf(headers)
          .filter(([name]) => name.toLowerCase() === 'connection')
          .flatMap(([, value]) => value.toLowerCase().split(', '));
        const gone = new Set([...hopNames.map((name) => name.toLowerCase()), ...named]);
        for (const name of ['host', 'content-length', 'x-forwarded-for']) gone.delete(name);
        // Set-Cookie is for every recipient, too.
        gone.delete('set-cookie');
        const rest = linesOf(headers).filter(([name]) => !gone.has(name.toLowerCase()));
        expect(linesOf(endToEnd(headers)).filter(([name]) => name !== 'TE')).toEqual(rest);
      }),
      { numRuns: 2000 },
    );
  });

  test('is idempotent', () => {
    fc.assert(
      fc.property(headerLists, (headers) => {
        const once = endToEnd(headers);
        expect(endToEnd(once)).toEqual(once);
      }),
    );
  });
});
