import { expect, test } from 'vitest';
import { requestTrailers, responseTrailers } from '../../../src/http/trailers.ts';

test.each([
  ...['Connection', 'Content-Length', 'Host', 'HTTP2-Settings', 'Keep-Alive', 'Proxy-Authenticate', 'Proxy-Connection'],
  ...[
    'Proxy-Authentication-Info',
    'Proxy-Authorization',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'transfer-encoding',
    'Upgrade',
  ],
])('RFC 9110 §6.5.1: %s is no trailer', (name) => {
  expect(responseTrailers([name, 'x'])).toBeNull();
  expect(requestTrailers(['X-Sum', '9', name, 'x'])).toEqual(['X-Sum', '9']);
});

test.each([
  'Forwarded',
  'X-Forwarded-For',
  'x-forwarded-host',
  'X-Real-IP',
  'Client-Cert',
  'Client_Cert_Chain',
  'X_Forwarded_For',
])('RFC 7239 §8.1: %s is not for a client to say in its trailers', (name) => {
  expect(requestTrailers([name, 'x'])).toBeNull();
  expect(responseTrailers([name, 'x'])).toEqual([name, 'x']);
});

test('RFC 9110 §6.5: other trailers keep their order, case and repeats', () => {
  const trailers = ['grpc-status', '0', 'X-A', '1', 'x-a', '2', '__proto__', 'x'];
  expect(responseTrailers(trailers)).toEqual(trailers);
  expect(requestTrailers(trailers)).toEqual(trailers);
});
