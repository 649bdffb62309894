import { describe, expect, test } from 'vitest';
import {
  addressOf,
  examineFields,
  type RequestLine,
  refuseHead,
  tunnelProtocol,
  withoutUnderscored,
} from '../../../src/downstream/http1/checks.ts';

const line: RequestLine = { method: 'GET', target: '/', major: 1, minor: 1 };
const http10: RequestLine = { ...line, minor: 0 };

function reasonFor(fields: readonly string[], request: RequestLine = line): string | null {
  return refuseHead(request, examineFields(fields))?.reason ?? null;
}

describe('a request head that Node accepts', () => {
  test.each([
    ['RFC 9112 §3.2: one Host', ['Host', 'shop.test'], line, null],
    ['RFC 9112 §3.2: two Host fields', ['Host', 'a', 'hOST', 'b'], line, 'several-hosts'],
    ['RFC 9112 §3.2: two equal Host fields', ['Host', 'a', 'Host', 'a'], line, 'several-hosts'],
    ['RFC 9112 §3.2: no Host', ['Accept', '*/*'], line, 'no-host'],
    ['RFC 9112 §3.2: an empty Host', ['Host', ''], line, 'bad-host'],
    ['HTTP/1.0 needs no Host', [], http10, null],
    ['HTTP/1.0 with two Host fields', ['Host', 'a', 'Host', 'b'], http10, 'several-hosts'],
    ['RFC 9112 §6.1: chunked alone', ['Host', 'a', 'Transfer-Encoding', 'Chunked'], line, null],
    ['RFC 9112 §6.1: gzip, chunked', ['Host', 'a', 'Transfer-Encoding', 'gzip, chunked'], line, 'transfer-coding'],
    [
      'RFC 9112 §6.1: chunked, chunked',
      ['Host', 'a', 'Transfer-Encoding', 'chunked, chunked'],
      line,
      'transfer-coding',
    ],
    ['RFC 9112 §6.1: chunked with a tab', ['Host', 'a', 'Transfer-Encoding', 'chunked\t'], line, 'transfer-coding'],
    [
      'RFC 9112 §6.1: two Transfer-Encoding lines',
      ['Host', 'a', 'Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'],
      line,
      'transfer-coding',
    ],
    [
      'RFC 9112 §6.1: Transfer-Encoding in HTTP/1.0',
      ['Transfer-Encoding', 'chunked'],
      http10,
      'transfer-encoding-in-http-1.0',
    ],
    [
      'RFC 9112 §6.3: length and coding together',
      ['Host', 'a', 'Content-Length', '3', 'Transfer-Encoding', 'chunked'],
      line,
      'length-and-transfer-encoding',
    ],
    ['RFC 9110 §8.6: a length of digits', ['Host', 'a', 'Content-Length', '42'], line, null],
    ['RFC 9110 §8.6: a signed length', ['Host', 'a', 'Content-Length', '+2'], line, 'bad-content-length'],
    ['RFC 9110 §8.6: a list of lengths', ['Host', 'a', 'Content-Length', '2, 2'], line, 'bad-content-length'],
    ['a length beyond 15 digits', ['Host', 'a', 'Content-Length', '1234567890123456'], line, 'bad-content-length'],
    ['RFC 9110 §10.1.1: 100-continue', ['Host', 'a', 'Expect', '100-Continue'], line, null],
    ['RFC 9110 §10.1.1: another expectation', ['Host', 'a', 'Expect', 'x100-continue'], line, 'expectation'],
    ['RFC 9110 §10.1.1: an expectation in HTTP/1.0 is ignored', ['Expect', 'magic'], http10, null],
    ['RFC 9112 §2.3: HTTP/2.0 on an HTTP/1 connection', ['Host', 'a'], { ...line, major: 2, minor: 0 }, 'http-version'],
    ['RFC 9112 §2.3: HTTP/1.2', ['Host', 'a'], { ...line, minor: 2 }, 'http-version'],
    ['HTTP/0.9', [], { ...line, major: 0, minor: 9 }, 'http-version'],
    ['RFC 9110 §9.3.6: CONNECT', ['Host', 'a'], { ...line, method: 'CONNECT' }, 'connect'],
  ])('%s', (_name, fields, request, reason) => {
    expect(reasonFor(fields, request)).toBe(reason);
  });

  test('every refusal has the status that its rule demands', () => {
    const status = (fields: readonly string[], request = line): number | undefined =>
      refuseHead(request, examineFields(fields))?.status;
    expect(status(['Host', 'a', 'Transfer-Encoding', 'gzip'])).toBe(501);
    expect(status(['Transfer-Encoding', 'chunked'], http10)).toBe(400);
    expect(status([], { ...line, major: 2, minor: 0 })).toBe(505);
    expect(status(['Host', 'a', 'Expect', 'x'])).toBe(417);
    expect(status([])).toBe(400);
  });
});

describe('RFC 9112 §3.2: request targets', () => {
  test.each([
    ['origin form', 'GET', '/a%2Fb?q=1', 'shop.test', { target: '/a%2Fb?q=1', authority: 'shop.test' }],
    ['a port in Host', 'GET', '/', 'shop.test:8080', { target: '/', authority: 'shop.test:8080' }],
    [
      '§3.2.2: absolute form replaces Host',
      'GET',
      'http://evil.test/x?y',
      'a',
      { target: '/x?y', authority: 'evil.test' },
    ],
    ['§3.2.2: absolute form without a path', 'GET', 'http://a', 'a', { target: '/', authority: 'a' }],
    ['§3.2.4: absolute form without a path for OPTIONS', 'OPTIONS', 'http://a', 'a', { target: '*', authority: 'a' }],
    ['§3.2.4: asterisk for OPTIONS', 'OPTIONS', '*', 'a', { target: '*', authority: 'a' }],
    ['HTTP/1.0 without a Host', 'GET', '/', '', { target: '/', authority: '' }],
  ])('%s', (_name, method, raw, host, expected) => {
    expect(addressOf(method, raw, host, '')).toEqual(expected);
  });

  test.each([
    ['asterisk for GET', 'GET', '*', 'a', 'bad-target'],
    ['authority form', 'GET', 'a:80', 'a', 'bad-target'],
    ['another scheme', 'GET', 'ftp://a/', 'a', 'bad-target'],
    ['a fragment', 'GET', '/a#b', 'a', 'bad-target'],
    ['a byte beyond ASCII', 'GET', '/\u00e9', 'a', 'bad-target'],
    ['a control byte', 'GET', '/\u0001', 'a', 'bad-target'],
    ['nothing', 'GET', '', 'a', 'bad-target'],
    ['user information in Host', 'GET', '/', 'u@a', 'bad-host'],
    ['a space in Host', 'GET', '/', 'a b', 'bad-host'],
    ['a path in Host', 'GET', '/', 'a/b', 'bad-host'],
    ['a malformed Host beside an absolute form', 'GET', 'http://a/', 'a b/@c', 'bad-host'],
  ])('refused: %s', (_name, method, raw, host, reason) => {
    expect(addressOf(method, raw, host, '')).toMatchObject({ status: 400, reason });
  });

  test('a Host that was valid before is not examined again', () => {
    expect(addressOf('GET', '/', 'not examined', 'not examined')).toEqual({ target: '/', authority: 'not examined' });
  });
});

describe('field names with an underscore', () => {
  test('are noticed in any field', () => {
    expect(examineFields(['Host', 'a', 'X_Forwarded_For', '1']).underscored).toBe(true);
    expect(examineFields(['Host', 'a_b', 'X-A', '_']).underscored).toBe(false);
    expect(examineFields(['Host', 'a', 'Client-Cert', ':']).clientCert).toBe(true);
    expect(examineFields(['Host', 'a', 'Client-Certificate', ':']).clientCert).toBe(false);
  });

  test('are taken out, the others keep order and case', () => {
    expect(withoutUnderscored(['HOST', 'a', 'X_Y', '1', 'x-y', '2', 'x-y', '3'])).toEqual([
      'HOST',
      'a',
      'x-y',
      '2',
      'x-y',
      '3',
    ]);
  });
});

describe('RFC 9110 §7.8: upgrades', () => {
  test.each([
    ['a WebSocket', ['Upgrade', 'websocket'], line, 'websocket'],
    ['any other protocol, as sent', ['Upgrade', 'MyProto/2'], line, 'MyProto/2'],
    ['h2c is served as HTTP/1.1', ['Upgrade', 'h2c', 'HTTP2-Settings', 'AAMAAABk'], line, null],
    ['TLS is served as HTTP/1.1', ['Upgrade', 'TLS/1.0'], line, null],
    ['a list is served as HTTP/1.1', ['Upgrade', 'websocket, h2c'], line, null],
    ['a request with a body is not switched', ['Upgrade', 'websocket', 'Content-Length', '3'], line, null],
    ['an empty body does not matter', ['Upgrade', 'websocket', 'Content-Length', '0'], line, 'websocket'],
    ['nor is one with chunks', ['Upgrade', 'websocket', 'Transfer-Encoding', 'chunked'], line, null],
    ['HTTP/1.0 has no upgrades', ['Upgrade', 'websocket'], http10, null],
    ['nothing asked', [], line, null],
  ])('%s', (_name, fields, request, protocol) => {
    expect(tunnelProtocol(request, examineFields(fields))).toBe(protocol);
  });
});
