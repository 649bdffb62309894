import { describe, expect, test } from 'vitest';
import { readStreamHead, type StreamLimits } from '../../../src/downstream/http2/request-head.ts';

const limits: StreamLimits = { headerBytes: 1024, headerCount: 5, underscores: 'drop', scheme: 'https' };
const get = [':method', 'GET', ':scheme', 'https', ':authority', 'shop.test', ':path', '/a?b'];

function reasonFor(fields: readonly string[], over: Partial<StreamLimits> = {}): string | null {
  const head = readStreamHead(fields, { ...limits, ...over });
  return 'reason' in head ? head.reason : null;
}

function headOf(fields: readonly string[], over: Partial<StreamLimits> = {}) {
  const head = readStreamHead(fields, { ...limits, ...over });
  if ('reason' in head) throw new Error(head.reason);
  return head;
}

describe('an HTTP/2 request head', () => {
  test('pseudo fields become the request line, the others stay in order', () => {
    expect(headOf([...get, 'x-b', '1', 'x-a', '2', 'x-b', '3'])).toEqual({
      request: {
        method: 'GET',
        target: '/a?b',
        authority: 'shop.test',
        scheme: 'https',
        version: '2',
        headers: ['x-b', '1', 'x-a', '2', 'x-b', '3'],
      },
      protocol: null,
      contentLength: null,
      expectsContinue: false,
    });
  });

  test('RFC 9113 §8.2.3: cookie crumbs become one field', () => {
    expect(headOf([...get, 'cookie', 'a=1', 'x', 'y', 'cookie', 'b=2', 'cookie', 'c=3']).request.headers).toEqual([
      'cookie',
      'a=1; b=2; c=3',
      'x',
      'y',
    ]);
  });

  test('RFC 9113 §8.3.1: without :authority, Host is the authority', () => {
    expect(headOf([':method', 'GET', ':path', '/', 'host', 'Shop.test:8443']).request.authority).toBe('Shop.test:8443');
  });

  test('RFC 9113 §8.3.1: an equal Host beside :authority is fine', () => {
    expect(headOf([...get, 'host', 'SHOP.test']).request.authority).toBe('shop.test');
  });

  test('RFC 8441 §4: an extended CONNECT is a GET with a protocol', () => {
    const head = headOf([':method', 'CONNECT', ':protocol', 'websocket', ':authority', 'a', ':path', '/chat']);
    expect(head).toMatchObject({ protocol: 'websocket', request: { method: 'GET', target: '/chat' } });
  });

  test('RFC 9110 §10.1.1: 100-continue is noticed', () => {
    expect(headOf([...get, 'expect', '100-continue']).expectsContinue).toBe(true);
  });

  test('any token is a method', () => {
    expect(headOf([':method', 'PROPFIND', ':authority', 'a', ':path', '/']).request.method).toBe('PROPFIND');
  });

  test('TE: trailers may stay', () => {
    expect(headOf([...get, 'te', 'trailers']).request.headers).toEqual(['te', 'trailers']);
  });

  test('names with an underscore are dropped, refused or kept', () => {
    expect(headOf([...get, 'x_y', '1', 'z', '2']).request.headers).toEqual(['z', '2']);
    expect(headOf([...get, 'x_y', '1'], { underscores: 'keep' }).request.headers).toEqual(['x_y', '1']);
    expect(reasonFor([...get, 'x_y', '1'], { underscores: 'refuse' })).toBe('underscore-in-field-name');
  });

  test.each([
    ['RFC 9113 §8.3.1: a different Host', [...get, 'host', 'other.test'], 'host-differs-from-authority'],
    ['two Host fields', [...get, 'host', 'shop.test', 'host', 'shop.test'], 'several-hosts'],
    ['neither :authority nor Host', [':method', 'GET', ':path', '/'], 'no-host'],
    ['a malformed :authority', [':method', 'GET', ':path', '/', ':authority', 'u@a'], 'bad-host'],
    ['RFC 9113 §8.2.2: Connection', [...get, 'connection', 'close'], 'connection-specific-field'],
    ['RFC 9113 §8.2.2: Transfer-Encoding', [...get, 'transfer-encoding', 'chunked'], 'connection-specific-field'],
    ['RFC 9113 §8.2.2: Upgrade', [...get, 'upgrade', 'websocket'], 'connection-specific-field'],
    ['RFC 9113 §8.2.2: TE with anything but trailers', [...get, 'te', 'gzip'], 'connection-specific-field'],
    ['two lengths', [...get, 'content-length', '1', 'content-length', '1'], 'bad-content-length'],
    ['a signed length', [...get, 'content-length', '+1'], 'bad-content-length'],
    ['another expectation', [...get, 'expect', 'magic'], 'expectation'],
    ['a fragment', [':method', 'GET', ':authority', 'a', ':path', '/a#b'], 'bad-target'],
    ['an empty path', [':method', 'GET', ':authority', 'a', ':path', ''], 'bad-target'],
    ['an absolute path form', [':method', 'GET', ':authority', 'a', ':path', 'http://b/'], 'bad-target'],
    ['asterisk for GET', [':method', 'GET', ':authority', 'a', ':path', '*'], 'bad-target'],
    ['a byte beyond ASCII', [':method', 'GET', ':authority', 'a', ':path', '/\u00e9'], 'bad-target'],
    ['a method that is no token', [':method', 'G T', ':authority', 'a', ':path', '/'], 'bad-method'],
    ['CONNECT without :protocol', [':method', 'CONNECT', ':authority', 'a:1'], 'connect'],
    [':protocol without CONNECT', [...get, ':protocol', 'websocket'], 'protocol-without-connect'],
    ['too many fields', [...get, 'a', '', 'b', '', 'c', '', 'd', '', 'e', '', 'f', ''], 'too-many-fields'],
    ['too large a head', [...get, 'a', 'x'.repeat(1024)], 'head-too-large'],
  ])('refused: %s', (_name, fields, reason) => {
    expect(reasonFor(fields)).toBe(reason);
  });
});
