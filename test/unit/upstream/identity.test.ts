import { describe, expect, test } from 'vitest';
import { placeOf } from '../../../src/upstream/endpoint.ts';
import { connectionKey, endpointId, probeId } from '../../../src/upstream/identity.ts';
import { limits, plainTls } from './endpoints.ts';

const tls = { serverName: 'a.test', ca: null, insecure: false };
const probe = {
  type: 'http',
  method: 'GET',
  headers: [],
  body: null,
  service: '',
  failingIntervalMs: 1_000,
  jitter: 0.2,
  target: '/',
  host: 'a.test',
  expect: [200, '300-399'],
  intervalMs: 5_000,
  timeoutMs: 2_000,
  rise: 2,
  fall: 3,
  start: 'up',
} as const;

describe('identity of live state', () => {
  test('an endpoint is its pool and its origin', () => {
    expect(endpointId('shop', 'http://10.0.0.1:3000')).toBe('shop@http://10.0.0.1:3000');
    expect(endpointId('shop', 'http://a')).not.toBe(endpointId('cart', 'http://a'));
  });

  test.each([
    ['serverName', { ...tls, serverName: 'b.test' }],
    ['ca', { ...tls, ca: 'PEM' }],
    ['insecure', { ...tls, insecure: true }],
    ['client certificate', { ...tls, identity: { certificate: 'PEM', key: 'PEM' } }],
  ])('connections made with another %s are not shared', (_, other) => {
    expect(connectionKey('https://a.test', { tls: other, proxyProtocol: null })).not.toBe(
      connectionKey('https://a.test', { tls, proxyProtocol: null }),
    );
  });

  test('connections that begin with a PROXY header are not shared with others', () => {
    const keys = [null, 'v1', 'v2'].map((version) =>
      connectionKey('http://a.test', { tls: null, proxyProtocol: version as 'v1' | 'v2' | null }),
    );
    expect(new Set(keys).size).toBe(3);
  });

  test('connections with equal TLS settings are shared, whatever pool they are of', () => {
    expect(connectionKey('https://a.test', { tls: { ...tls }, proxyProtocol: null })).toBe(
      connectionKey('https://a.test', { tls, proxyProtocol: null }),
    );
    expect(connectionKey('http://a.test', { tls: null, proxyProtocol: null })).toBe('http://a.test');
  });

  test.each(
    Object.entries({
      type: 'grpc',
      method: 'HEAD',
      target: '/health',
      headers: ['X-Check', '1'],
      body: 'contains ok',
      service: 'shop',
      failingIntervalMs: 1,
      jitter: 0,
      host: 'b.test',
      expect: [200],
      intervalMs: 1,
      timeoutMs: 1,
      rise: 9,
      fall: 9,
      start: 'down',
    }),
  )('a check with another %s is another check', (key, value) => {
    const connection = connectionKey('http://a.test', { tls: null, proxyProtocol: null });
    expect(probeId(connection, { ...probe, [key]: value })).not.toBe(probeId(connection, probe));
  });

  test('the same check over other TLS settings is another check', () => {
    const insecure = connectionKey('https://a.test', { tls: { ...tls, insecure: true }, proxyProtocol: null });
    expect(probeId(insecure, probe)).not.toBe(
      probeId(connectionKey('https://a.test', { tls, proxyProtocol: null }), probe),
    );
    expect(probeId(insecure, { ...probe, expect: [...probe.expect] })).toBe(probeId(insecure, probe));
  });
});

describe('the place of an endpoint', () => {
  test.each([
    [{ secure: false, host: '10.0.0.1', port: 3000 }, 'http://10.0.0.1:3000', '10.0.0.1:3000'],
    [{ secure: false, host: 'API.Example.com', port: 80 }, 'http://api.example.com', 'api.example.com'],
    [{ secure: true, host: 'a.test', port: 443 }, 'https://a.test', 'a.test'],
    [{ secure: true, host: 'a.test', port: 80 }, 'https://a.test:80', 'a.test:80'],
    [{ secure: false, host: '::1', port: 3000 }, 'http://[::1]:3000', '[::1]:3000'],
    [{ secure: false, host: 'fe80::1%eth0', port: 3000 }, 'http://[fe80::1%eth0]:3000', '[fe80::1]:3000'],
    [{ socketPath: '/run/App.sock' }, 'unix:/run/App.sock', 'localhost'],
  ])('%j has the origin %s and the authority %s', (address, origin, authority) => {
    const place = placeOf('shop', { address, tls: plainTls, limits });
    expect(place).toMatchObject({ origin, authority, id: `shop@${origin}` });
    expect(place.destination.host).toBe('host' in address ? address.host.toLowerCase() : 'localhost');
  });

  test('a plain endpoint has no TLS, an https one verifies its own host unless another name is given', () => {
    const secure = { secure: true, host: 'a.test', port: 443 };
    const named = { serverName: 'inner.test', ca: 'PEM', insecure: false };
    expect(placeOf('p', { address: { ...secure, secure: false }, tls: named, limits }).destination.tls).toBeNull();
    expect(placeOf('p', { address: secure, tls: plainTls, limits }).destination.tls?.serverName).toBe('a.test');
    expect(placeOf('p', { address: secure, tls: named, limits }).destination.tls).toEqual(named);
  });
});
