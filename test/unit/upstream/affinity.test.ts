import { describe, expect, test } from 'vitest';
import { Affinity, type AffinityOptions } from '../../../src/upstream/affinity.ts';
import type { Endpoint } from '../../../src/upstream/endpoint.ts';
import { endpointId } from '../../../src/upstream/identity.ts';
import { endpointsOf } from './endpoints.ts';

const options: AffinityOptions = {
  cookie: 'headgate',
  secret: 'a secret of sixteen or more',
  path: '/',
  domain: null,
  secure: 'auto',
  httpOnly: true,
  sameSite: 'lax',
  maxAgeMs: null,
};
const endpoints = endpointsOf([1, 1, 0]);
const [first, second] = endpoints as readonly [Endpoint, Endpoint];
const affinity = new Affinity(options, endpoints);

function setCookieWith(changes: Partial<AffinityOptions>, overTls: boolean): string {
  return new Affinity({ ...options, ...changes }, endpoints).setCookie(first, overTls);
}

describe('the affinity cookie', () => {
  test('names its endpoint and no other, also one that gets no new traffic', () => {
    for (const endpoint of endpoints) expect(affinity.endpointOf(affinity.cookieFor(endpoint))).toBe(endpoint);
    expect(affinity.cookieFor(first)).not.toBe(affinity.cookieFor(second));
  });

  test('is 32 characters that tell no address, no pool and no order', () => {
    const value = affinity.cookieFor(first);
    expect(value).toMatch(/^[A-Za-z0-9_-]{32}$/);
    const decoded = Buffer.from(value, 'base64url').toString('latin1');
    for (const secret of ['10.0.0.1', '3000', 'shop']) expect(decoded).not.toContain(secret);
  });

  test('is understood by every gateway with the same secret, whatever else its configuration says', () => {
    const elsewhere = new Affinity({ ...options, cookie: 'other', sameSite: 'strict' }, endpoints.toReversed());
    expect(elsewhere.endpointOf(affinity.cookieFor(first))).toBe(first);
  });

  test('means nothing to a gateway with another secret', () => {
    const foreign = new Affinity({ ...options, secret: 'another secret altogether' }, endpoints);
    expect(foreign.endpointOf(affinity.cookieFor(first))).toBeNull();
  });

  test('of the same origin in another pool is another cookie', () => {
    const elsewhere = { ...first, id: endpointId('cart', first.origin) };
    expect(new Affinity(options, [elsewhere]).endpointOf(affinity.cookieFor(first))).toBeNull();
  });

  test('is refused when a single character was changed, cut off or added', () => {
    const value = affinity.cookieFor(first);
    for (let i = 0; i < value.length; i += 1) {
      const other = value[i] === 'A' ? 'B' : 'A';
      expect(affinity.endpointOf(value.slice(0, i) + other + value.slice(i + 1))).toBeNull();
    }
    for (const forged of ['', value.slice(0, -1), `${value}A`, `${value}=`, '__proto__', first.id])
      expect(affinity.endpointOf(forged)).toBeNull();
  });

  test('of an endpoint that was removed is unknown', () => {
    expect(new Affinity(options, [second]).endpointOf(affinity.cookieFor(first))).toBeNull();
  });

  test('carries the attributes that configuration asks for (RFC 6265 §4.1)', () => {
    const value = affinity.cookieFor(first);
    expect(affinity.setCookie(first, false)).toBe(`headgate=${value}; Path=/; HttpOnly; SameSite=Lax`);
    const everything = {
      path: '/shop',
      domain: 'a.test',
      httpOnly: false,
      sameSite: 'none',
      maxAgeMs: 90_500,
    } as const;
    expect(setCookieWith({ ...everything, cookie: 'sid', secure: 'always' }, false)).toBe(
      `sid=${value}; Path=/shop; Domain=a.test; Max-Age=90; Secure; SameSite=None`,
    );
  });

  test.each([
    ['auto', true, true],
    ['auto', false, false],
    ['always', false, true],
    ['never', true, false],
  ] as const)('with secure: %s and TLS %s has Secure: %s', (secure, overTls, expected) => {
    expect(setCookieWith({ secure }, overTls).includes('; Secure')).toBe(expected);
  });

  test('cannot be made for an endpoint of another pool', () => {
    expect(() => new Affinity(options, [second]).cookieFor(first)).toThrow(first.id);
  });
});
