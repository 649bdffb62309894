import { expect, test } from 'vitest';
import { cookiesWithout, type TokenPlaceConfig, tokenPlace } from '../../../../src/policy/auth/token-place.ts';
import { variables } from '../exchange-facts.ts';

function found(
  from: TokenPlaceConfig | readonly TokenPlaceConfig[],
  headers: readonly string[],
  query: string | null = null,
) {
  const places = Array.isArray(from) ? from : [from as TokenPlaceConfig];
  const result = tokenPlace(places)(variables({ request: { headers }, query }));
  return result.kind === 'one' ? result.token : result.kind;
}

const HEADER = { header: 'X-Token' };
const COOKIE = { cookie: 'id' };
const QUERY = { query: 'access_token' };

test.each<[string, TokenPlaceConfig | readonly TokenPlaceConfig[], readonly string[], string | null, string]>([
  ['Authorization: Bearer', 'bearer', ['Authorization', 'Bearer a.b.c'], null, 'a.b.c'],
  ['any case of the scheme, and blanks', 'bearer', ['authorization', 'BEARER   a.b.c '], null, 'a.b.c'],
  ['Bearer with nothing behind it', 'bearer', ['Authorization', 'Bearer'], null, ''],
  ['another scheme', 'bearer', ['Authorization', 'Basic YTpi'], null, 'none'],
  ['a scheme that begins so', 'bearer', ['Authorization', 'Bearerer a.b.c'], null, 'none'],
  ['no field', 'bearer', [], null, 'none'],
  ['two fields', 'bearer', ['Authorization', 'Bearer a', 'authorization', 'Bearer b'], null, 'many'],
  ['a scheme beside the token', 'bearer', ['Authorization', 'Basic a', 'Authorization', 'Bearer b'], null, 'many'],
  ['a field of its own', HEADER, ['x-token', 'a.b.c'], null, 'a.b.c'],
  ['the same with a scheme', HEADER, ['X-Token', 'Bearer a.b.c'], null, 'a.b.c'],
  ['the same twice', HEADER, ['X-Token', 'a', 'X-Token', 'a'], null, 'many'],
  ['a cookie', COOKIE, ['Cookie', 'a=1; id=a.b.c; z'], null, 'a.b.c'],
  ['a cookie in quotes', COOKIE, ['Cookie', 'id="a.b.c"'], null, 'a.b.c'],
  ['an empty cookie', COOKIE, ['Cookie', 'id='], null, 'none'],
  ['a cookie whose name only ends so', COOKIE, ['Cookie', 'xid=a'], null, 'none'],
  ['two cookies', COOKIE, ['Cookie', 'id=a; id=b'], null, 'many'],
  ['two cookies in two fields', COOKIE, ['Cookie', 'id=a', 'cookie', 'id=b'], null, 'many'],
  ['a parameter', QUERY, [], 'x=1&access_token=a.b.c', 'a.b.c'],
  ['a parameter, escaped', QUERY, [], 'access%5Ftoken=a%2Eb.c', 'a.b.c'],
  ['two parameters', QUERY, [], 'access_token=a&access_token=b', 'many'],
  ['no query', QUERY, [], null, 'none'],
  ['the first of two places', ['bearer', COOKIE], ['Authorization', 'Bearer a', 'Cookie', 'id=b'], null, 'a'],
  ['the second of two places', ['bearer', COOKIE], ['Cookie', 'id=b'], null, 'b'],
  ['neither of two places', ['bearer', COOKIE], ['Cookie', 'x=b'], null, 'none'],
])('%s', (_, from, headers, query, expected) => {
  expect(found(from, headers, query)).toBe(expected);
});

test('a cookie is taken out of the others', () => {
  expect(cookiesWithout(['Cookie', 'a=1;  id=x; b=2', 'X', 'y', 'cookie', 'c=3; ID=z'], ['id', 'no'])).toBe(
    'a=1; b=2; c=3; ID=z',
  );
  expect(cookiesWithout(['Cookie', 'id=x'], ['id'])).toBe('');
});
