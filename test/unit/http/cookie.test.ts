import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CookieEdits,
  cookieValue,
  editSetCookie,
  removeCookies,
  setCookieField,
  setCookieValue,
} from '../../../src/http/cookie.ts';

describe('setCookieValue (RFC 6265 §5.2)', () => {
  test.each([
    ['sid=abc', 'abc'],
    ['sid=abc; Path=/; HttpOnly', 'abc'],
    ['  sid = abc ;Path=/', 'abc'],
    ['sid="a=b"', '"a=b"'],
    ['sid=; Max-Age=0', ''],
    ['sid', null],
    ['sid; x=1', null],
    ['xsid=1', null],
    ['SID=1', null],
    ['other=1; sid=2', null],
  ])('of %j is %j', (field, value) => {
    expect(setCookieValue(['X-A', 'sid=9', 'SET-COOKIE', field], 'sid')).toBe(value);
  });

  test('is the last one’s, as browsers keep it', () => {
    expect(setCookieValue(['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'Set-Cookie', 'a=3'], 'a')).toBe('3');
    expect(setCookieValue([], 'a')).toBeNull();
  });
});

describe('cookieValue (RFC 6265 §5.4)', () => {
  test.each([
    ['sid=1', '1'],
    ['a=1; sid=2; b=3', '2'],
    ['a=1;sid=2', '2'],
    ['sid=1; sid=2', '1'],
    ['xsid=1; sid=2', '2'],
    ['a=sid=1; sid=2', '2'],
    ['a=x sid=1; sid=2', '2'],
    ['sidsid=1; sid=2', '2'],
    ['\tsid=\t a b \t; c=1', 'a b'],
    ['sid="%41=b"', '"%41=b"'],
    ['sid=', ''],
    ['sid=;', ''],
    ['sid=\u00c3\u00a0', '\u00c3\u00a0'],
    ['sid', null],
    ['sid; a=1', null],
    ['SID=1', null],
    ['a=1; b=sid=1', null],
    ['', null],
    [';;;=;', null],
  ])('of "%s" the cookie sid is %j', (field, value) => {
    expect(cookieValue(['X-A', 'sid=9', 'COOKIE', field], 'sid')).toBe(value);
  });

  test('all Cookie fields are looked through, the first match wins', () => {
    expect(cookieValue(['Cookie', 'a=1', 'cookie', 'b=2', 'Cookie', 'b=3'], 'b')).toBe('2');
    expect(cookieValue([], 'b')).toBeNull();
    expect(cookieValue(['Cookie', '=x'], '')).toBeNull();
  });

  test('gives what splitting the field into pairs gives', () => {
    const piece = fc.constantFrom('a', 'b', 'ab', '=', ';', ' ', '\t', '; a=', 'x');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.constantFrom('a', 'b', 'ab'), (pieces, name) => {
        const field = pieces.join('');
        const pair = field
          .split(';')
          .map((text) => text.replace(/^[ \t]+/, ''))
          .find((text) => text.startsWith(`${name}=`));
        const value = pair === undefined ? null : pair.slice(name.length + 1).replace(/^[ \t]+|[ \t]+$/g, '');
        expect(cookieValue(['Cookie', field], name)).toBe(value);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('setCookieField (RFC 6265 §4.1)', () => {
  const least = { name: 'sid', value: 'x.y', path: '/', secure: false, httpOnly: false, sameSite: 'lax' } as const;

  test('a session cookie', () => {
    expect(setCookieField(least)).toBe('sid=x.y; Path=/; SameSite=Lax');
  });

  test('everything, with the age in whole seconds', () => {
    const all = {
      ...least,
      domain: 'shop.test',
      secure: true,
      httpOnly: true,
      sameSite: 'none',
      maxAgeMs: 90_999,
    } as const;
    expect(setCookieField(all)).toBe('sid=x.y; Path=/; Domain=shop.test; Max-Age=90; Secure; HttpOnly; SameSite=None');
  });
});

describe('editSetCookie', () => {
  const cases: [string, CookieEdits, string][] = [
    ['a=1', { domain: 'shop.test' }, 'a=1; Domain=shop.test'],
    ['a=1; domain=.Inner.test; path=/', { domain: 'shop.test' }, 'a=1; Domain=shop.test; Path=/'],
    ['a=1; Domain=inner.test; Path=/', { domain: false }, 'a=1; Path=/'],
    ['a=1; Domain=inner.test', { domain: undefined, path: undefined, secure: undefined }, 'a=1; Domain=inner.test'],
    ['a=1; Path=/x', { path: '/y' }, 'a=1; Path=/y'],
    ['a=1', { path: '/y' }, 'a=1; Path=/y'],
    ['a=1; Secure; HttpOnly', { secure: false, httpOnly: false }, 'a=1'],
    ['a=1', { secure: true, httpOnly: true, sameSite: 'none' }, 'a=1; Secure; HttpOnly; SameSite=None'],
    ['a=1; SameSite=None', { sameSite: 'strict' }, 'a=1; SameSite=Strict'],
    ['a=1; Max-Age=-1', { sameSite: 'lax' }, 'a=1; Max-Age=-1; SameSite=Lax'],
    ['=1; Path=/x', { path: '/y' }, '=1; Path=/y'],
    ['flag; Path=/x', { path: '/y' }, 'flag; Path=/y'],
  ];
  test.each(cases)('%s edited by %j is %s', (value, edits, expected) => {
    expect(editSetCookie(value, edits)).toBe(expected);
  });

  test.each([
    ['/api', '/', '/api', '/'],
    ['/api', '/', '/api/', '/'],
    ['/api', '/', '/api/x', '/x'],
    ['/api', '/', '/apix', '/apix'],
    ['/api/', '/shop/', '/api/x', '/shop/x'],
    ['/', '/shop', '/', '/shop'],
    ['/', '/', '/', '/'],
    ['/api', '/shop', '/api/', '/shop/'],
    ['/', '/shop', '/x', '/shop/x'],
    ['/api', '/shop', '/', '/'],
  ])('the prefix edit %s to %s makes Path=%s into Path=%s', (from, to, path, expected) => {
    expect(editSetCookie(`a=1; Path=${path}`, { path: { from, to } })).toBe(`a=1; Path=${expected}`);
  });

  test('a cookie without Path keeps its default path under a prefix edit', () => {
    expect(editSetCookie('a=1', { path: { from: '/', to: '/shop' } })).toBe('a=1');
  });

  test('unknown attributes keep their text, known ones their meaning', () => {
    const value =
      'sid=v; expires=Wed, 09 Jun 2027 10:18:14 GMT; Partitioned; Priority=High; X=a=b; SAMESITE=none; secure; Max-Age=60';
    const attributes = editSetCookie(value, { httpOnly: true }).split('; ');
    expect(attributes[0]).toBe('sid=v');
    expect(attributes.slice(1).sort()).toEqual([
      'Expires=Wed, 09 Jun 2027 10:18:14 GMT',
      'HttpOnly',
      'Max-Age=60',
      'Partitioned',
      'Priority=High',
      'SameSite=None',
      'Secure',
      'X=a=b',
    ]);
  });

  test.each(['"a b%20+c"', 'b=c==', '{"x":[1,2]}', 'caf\u00c3\u00a9\u00c3\u00a0', '%00', '', 'a,b'])(
    'the value %j keeps its bytes',
    (text) => {
      expect(editSetCookie(`sid=${text}; Path=/`, { path: '/x' })).toBe(`sid=${text}; Path=/x`);
    },
  );

  test.each(['', '   ', '=; Path=/', ';', 'a\u0001b=1; Path=/'])(
    'what is no cookie, %j, comes back unchanged',
    (value) => {
      expect(editSetCookie(value, { path: '/x' })).toBe(value);
    },
  );

  test.each([
    ['__Host-a=1; Path=/; Secure', { domain: 'shop.test', path: '/x', secure: false }, '__Host-a=1; Path=/; Secure'],
    ['__Secure-a=1; Path=/; Secure', { path: '/x', secure: false }, '__Secure-a=1; Path=/x; Secure'],
    ['__host-a=1; Path=/; Secure', { httpOnly: true, domain: 'x.test' }, '__host-a=1; Path=/; Secure; HttpOnly'],
  ])('%s keeps what its prefix promises (RFC 6265bis §4.1.3)', (value, edits, expected) => {
    expect(editSetCookie(value, edits)).toBe(expected);
  });

  test('editing twice is editing once', () => {
    const attribute = fc.constantFrom(
      'Path=/a/b',
      'path=x',
      'Domain=.a.test',
      'Secure',
      'HttpOnly',
      'SameSite=Lax',
      'Partitioned',
      'X',
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[!-:<-~]{1,8}$/), fc.array(attribute, { maxLength: 5 }), (pair, attributes) => {
        const edits: CookieEdits = { domain: 'shop.test', path: '/p', secure: true, sameSite: 'none' };
        const once = editSetCookie([pair, ...attributes].join('; '), edits);
        expect(once.split('; ')[0]).toBe(pair);
        expect(editSetCookie(once, edits)).toBe(once);
      }),
    );
  });
});

describe('removeCookies', () => {
  test.each([
    [['Cookie', 'sid=1'], []],
    [
      ['Cookie', 'a=1; sid=1.x; sid.1=y; sid.login.abc=z;b=2'],
      ['Cookie', 'a=1; b=2'],
    ],
    [
      ['cookie', 'a=1;b=2', 'X', 'sid=1', 'Cookie', 'sid=1', 'Cookie', 'c=3; sid'],
      ['cookie', 'a=1;b=2', 'X', 'sid=1', 'Cookie', 'c=3'],
    ],
    [
      ['Cookie', 'sidecar=1;  xsid=2; a=sid'],
      ['Cookie', 'sidecar=1; xsid=2; a=sid'],
    ],
    [
      ['Cookie', ' sid = 1 ; ;a=1'],
      ['Cookie', 'a=1'],
    ],
  ])('%j → %j', (headers, expected) => {
    const draft = [...headers];
    removeCookies(draft, ['sid']);
    expect(draft).toEqual(expected);
  });
});
