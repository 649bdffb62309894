import { describe, expect, test } from 'vitest';
import { matchesVary, varyFields } from '../../../src/cache/key.ts';
import { type KeyPolicy, keyCookie, keyParts, selectingFields } from '../../../src/cache/key-policy.ts';
import type { HeaderList } from '../../../src/http/headers.ts';
import { get } from './origin.ts';

const nothing: KeyPolicy = { id: '', query: null, headers: [], cookies: [], encodings: null, compresses: false };
const tenant: KeyPolicy = { ...nothing, headers: ['x-tenant'] };
const lang: KeyPolicy = { ...nothing, cookies: [keyCookie('lang')] };

function same(policy: KeyPolicy, a: HeaderList, b: HeaderList): boolean {
  return keyParts(a, policy) === keyParts(b, policy);
}

describe('fields in the key', () => {
  test.each<[string, HeaderList, HeaderList, boolean]>([
    ['the same value', ['X-Tenant', 'a'], ['x-tenant', ' a '], true],
    ['another value', ['X-Tenant', 'a'], ['X-Tenant', 'b'], false],
    ['absent is not empty', [], ['X-Tenant', ''], false],
    ['other fields', ['X-Other', 'a'], [], true],
    ['two lines are one list', ['X-Tenant', 'a', 'X-Tenant', 'b'], ['X-Tenant', 'a,b'], true],
    ['kept from the endpoint is absent', ['X-Tenant', 'a', 'Connection', 'x-tenant'], [], true],
    ['the spelling that a CGI endpoint takes for it', ['X_Tenant', 'a'], [], false],
    ['the same beside the field', ['X-Tenant', 'a', 'X_Tenant', 'b'], ['X-Tenant', 'a'], false],
  ])('%s', (_name, a, b, expected) => {
    expect(same(tenant, a, b)).toBe(expected);
  });

  test('no value can look like two', () => {
    const two: KeyPolicy = { ...nothing, headers: ['a', 'b'] };
    expect(same(two, ['A', '1\n1:2', 'B', '3'], ['A', '1', 'B', '2\n1:3'])).toBe(false);
    expect(same(two, ['A', 'x'], ['B', 'x'])).toBe(false);
  });
});

describe('cookies in the key', () => {
  test.each<[string, HeaderList, HeaderList, boolean]>([
    ['the same value', ['Cookie', 'lang=de'], ['cookie', 'a=1;  lang=de ; b=2'], true],
    ['another value', ['Cookie', 'lang=de'], ['Cookie', 'lang=fr'], false],
    ['other cookies', ['Cookie', 'lang=de; id=1'], ['Cookie', 'lang=de; id=2'], true],
    ['a longer name', ['Cookie', 'xlang=de; lang2=de; x-lang=1'], [], true],
    ['a shorter one within another cookie', ['Cookie', 'a=lang'], [], true],
    ['absent is not empty', [], ['Cookie', 'lang='], false],
    ['the second counts too', ['Cookie', 'lang=de'], ['Cookie', 'lang=de; lang=fr'], false],
    ['and so does the order', ['Cookie', 'lang=fr; lang=de'], ['Cookie', 'lang=de; lang=fr'], false],
    ['some readers ignore case', ['Cookie', 'lang=de; LANG=fr'], ['Cookie', 'lang=de'], false],
    ['some split at commas', ['Cookie', 'x=1,lang=fr; lang=de'], ['Cookie', 'lang=de'], false],
    ['some allow blanks', ['Cookie', 'lang =fr; lang=de'], ['Cookie', 'lang=de'], false],
    ['some know quotes', ['Cookie', 'a="; lang=fr"; lang=de'], ['Cookie', 'lang=de'], false],
    ['two lines', ['Cookie', 'lang=de', 'Cookie', 'lang=fr'], ['Cookie', 'lang=de'], false],
  ])('%s', (_name, a, b, expected) => {
    expect(same(lang, a, b)).toBe(expected);
  });

  test('a second value of one is no value of the next', () => {
    const two: KeyPolicy = { ...nothing, cookies: [keyCookie('a'), keyCookie('b')] };
    expect(same(two, ['Cookie', 'a=1; a=2; b=3'], ['Cookie', 'a=1; b=2; b=3'])).toBe(false);
  });

  test('a name with characters that mean something in a pattern', () => {
    const odd: KeyPolicy = { ...nothing, cookies: [keyCookie('a.b*$')] };
    expect(same(odd, ['Cookie', 'a.b*$=1'], ['Cookie', 'a.b*$=2'])).toBe(false);
    expect(same(odd, ['Cookie', 'axb*$=1'], [])).toBe(true);
  });
});

describe('codings', () => {
  const narrow: KeyPolicy = { ...nothing, encodings: ['br', 'gzip'] };

  test.each<[HeaderList, string]>([
    [[], 'identity'],
    [['Accept-Encoding', 'gzip, deflate, br, zstd'], 'br'],
    [['Accept-Encoding', 'gzip', 'accept-encoding', 'br'], 'br'],
    [['Accept-Encoding', 'deflate'], 'identity'],
  ])('%j selects %s', (headers, coding) => {
    const vary = varyFields(['Vary', 'Accept-Encoding'], get(selectingFields(headers, narrow)));
    if (typeof vary === 'string') throw new Error(vary);
    expect(vary).toMatchObject([{ raw: coding }]);
    expect(matchesVary(vary, get(selectingFields(['Accept-Encoding', coding], narrow)))).toBe(true);
  });

  test('fields are not copied for a route that says nothing of codings', () => {
    const headers = ['Accept-Encoding', 'gzip'];
    expect(selectingFields(headers, tenant)).toBe(headers);
  });
});
