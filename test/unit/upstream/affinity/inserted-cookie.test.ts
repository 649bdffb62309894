import { describe, expect, test } from 'vitest';
import { InsertedCookie } from '../../../../src/upstream/affinity/inserted-cookie.ts';
import type { SignedCookieOptions } from '../../../../src/upstream/affinity/signed-cookie.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import { endpointId } from '../../../../src/upstream/identity.ts';
import { endpointsOf, setHealth } from '../endpoints.ts';

const SECRET = 'a secret of sixteen or more';
const NEWER = 'a newer secret of sixteen or more';
const options: SignedCookieOptions = {
  cookie: 'headgate',
  secrets: [SECRET],
  path: '/',
  domain: null,
  secure: 'auto',
  httpOnly: true,
  sameSite: 'lax',
  maxAgeMs: null,
};
const endpoints = endpointsOf([1, 1, 0]);
const [first, second] = endpoints as readonly [Endpoint, Endpoint];
const affinity = cookiesWith({});

function cookiesWith(changes: Partial<SignedCookieOptions>, members: readonly Endpoint[] = endpoints): InsertedCookie {
  return new InsertedCookie({ ...options, ...changes }, members);
}

/** The Set-Cookie of a first answer. */
function given(cookies: InsertedCookie, endpoint: Endpoint, overTls = false): string {
  return cookies.answered(endpoint, { session: null, headers: [], overTls }) ?? '';
}

function sessionAt(cookies: InsertedCookie, endpoint: Endpoint): string {
  return /=([^;]*)/.exec(given(cookies, endpoint))?.[1] ?? '';
}

describe('the affinity cookie', () => {
  test('names its endpoint and no other, also one that gets no new traffic', () => {
    for (const endpoint of endpoints) expect(affinity.pick(sessionAt(affinity, endpoint), null, false)).toBe(endpoint);
    expect(sessionAt(affinity, first)).not.toBe(sessionAt(affinity, second));
  });

  test('is 32 characters that tell no address, no pool and no order', () => {
    const value = sessionAt(affinity, first);
    expect(value).toMatch(/^[A-Za-z0-9_-]{32}$/);
    const decoded = Buffer.from(value, 'base64url').toString('latin1');
    for (const secret of ['10.0.0.1', '3000', 'shop']) expect(decoded).not.toContain(secret);
  });

  test('is found among other cookies, and not given again while it is right', () => {
    const value = sessionAt(affinity, first);
    expect(affinity.sessionOf(['Cookie', `a=b; headgate=${value}; c=d`])).toBe(value);
    expect(affinity.sessionOf(['Cookie', `xheadgate=${value}`])).toBeNull();
    const answer = { headers: [], overTls: false };
    expect(affinity.answered(first, { ...answer, session: value })).toBeNull();
    expect(affinity.answered(first, { ...answer, session: 'forged' })).not.toBeNull();
    expect(affinity.answered(second, { ...answer, session: value })).toBe(given(affinity, second));
  });

  test('is understood by every gateway with the same secret, whatever else its configuration says', () => {
    const elsewhere = cookiesWith({ cookie: 'other', sameSite: 'strict' }, endpoints.toReversed());
    expect(elsewhere.pick(sessionAt(affinity, first), null, false)).toBe(first);
  });

  test('means nothing to a gateway with another secret', () => {
    expect(cookiesWith({ secrets: [NEWER] }).pick(sessionAt(affinity, first), null, false)).toBeNull();
  });

  test('of the same origin in another pool is another cookie', () => {
    const elsewhere = { ...first, id: endpointId('cart', first.origin) };
    expect(cookiesWith({}, [elsewhere]).pick(sessionAt(affinity, first), null, false)).toBeNull();
  });

  test('is refused when a single character was changed, cut off or added', () => {
    const value = sessionAt(affinity, first);
    for (let i = 0; i < value.length; i += 1) {
      const other = value[i] === 'A' ? 'B' : 'A';
      expect(affinity.pick(value.slice(0, i) + other + value.slice(i + 1), null, false)).toBeNull();
    }
    for (const forged of ['', value.slice(0, -1), `${value}A`, `${value}=`, '__proto__', first.id])
      expect(affinity.pick(forged, null, false)).toBeNull();
  });

  test('of an endpoint that was removed is unknown, and one that is removed meanwhile gives none', () => {
    const left = cookiesWith({}, [second]);
    expect(left.pick(sessionAt(affinity, first), null, false)).toBeNull();
    expect(left.answered(first, { session: null, headers: [], overTls: false })).toBeNull();
  });

  test('carries the attributes that configuration asks for (RFC 6265 §4.1)', () => {
    const value = sessionAt(affinity, first);
    expect(given(affinity, first)).toBe(`headgate=${value}; Path=/; HttpOnly; SameSite=Lax`);
    const everything = {
      path: '/shop',
      domain: 'a.test',
      httpOnly: false,
      sameSite: 'none',
      maxAgeMs: 90_500,
    } as const;
    expect(given(cookiesWith({ ...everything, cookie: 'sid', secure: 'always' }), first)).toBe(
      `sid=${value}; Path=/shop; Domain=a.test; Max-Age=90; Secure; SameSite=None`,
    );
  });

  test.each([
    ['auto', 'lax', true, true],
    ['auto', 'lax', false, false],
    ['always', 'lax', false, true],
    ['never', 'lax', true, false],
    ['auto', 'none', false, true],
  ] as const)('with secure: %s, sameSite: %s and TLS %s has Secure: %s', (secure, sameSite, overTls, expected) => {
    expect(given(cookiesWith({ secure, sameSite }), first, overTls).includes('; Secure')).toBe(expected);
  });
});

describe('keys that rotate', () => {
  test('the first signs, and all are understood', () => {
    const rotated = cookiesWith({ secrets: [NEWER, SECRET] });
    const old = sessionAt(affinity, first);
    expect(rotated.pick(old, null, false)).toBe(first);
    expect(sessionAt(rotated, first)).toBe(sessionAt(cookiesWith({ secrets: [NEWER] }), first));
    expect(rotated.answered(first, { session: old, headers: [], overTls: false })).toBe(given(rotated, first));
  });

  test('one that is not yet in use is understood, so that gateways can be told of it one after the other', () => {
    const told = cookiesWith({ secrets: [SECRET, NEWER] });
    const newer = cookiesWith({ secrets: [NEWER, SECRET] });
    expect(told.pick(sessionAt(newer, second), null, false)).toBe(second);
    expect(newer.pick(sessionAt(told, second), null, false)).toBe(second);
  });
});

describe('a session', () => {
  test('stays at an endpoint that drains or has weight 0, and leaves one that is disabled, down (but for a panic), or was tried', () => {
    const [one, two, none] = endpointsOf([1, 1, 0]) as readonly [Endpoint, Endpoint, Endpoint];
    const cookies = cookiesWith({}, [one, two, none]);
    const session = sessionAt(cookies, one);
    expect(cookies.pick(sessionAt(cookies, none), null, false)).toBe(none);
    one.live.standing = 'draining';
    expect(cookies.pick(session, null, false)).toBe(one);
    expect(cookies.pick(session, [one], false)).toBeNull();
    one.live.standing = 'disabled';
    expect(cookies.pick(session, null, false)).toBeNull();
    one.live.standing = 'enabled';
    setHealth(one, false);
    expect(cookies.pick(session, null, false)).toBeNull();
    expect(cookies.pick(session, null, true)).toBe(one);
    one.live.tripped = true;
    expect(cookies.pick(session, null, true)).toBeNull();
    one.live.tripped = false;
    setHealth(one, true);
    expect(cookies.pick(session, null, false)).toBe(one);
  });
});
