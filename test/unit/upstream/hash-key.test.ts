import { describe, expect, test } from 'vitest';
import type { BalanceRequest } from '../../../src/upstream/balance/balancer.ts';
import { type HashKey, readKey } from '../../../src/upstream/balance/hash-key.ts';

const NONE = -1;

function requestOf(given: {
  readonly headers?: readonly string[];
  readonly path?: string;
  readonly query?: string | null;
}): BalanceRequest {
  const { headers = [], path = '/', query = null } = given;
  const request = {
    method: 'GET',
    target: path,
    authority: 'a.test',
    scheme: 'http',
    version: '1.1',
    headers,
  } as const;
  return { clientAddress: '192.0.2.1', facts: { path, query, request }, tried: null };
}

function hashesOf(key: HashKey, requests: readonly Parameters<typeof requestOf>[0][]): readonly number[] {
  return requests.map((request) => readKey(key)(requestOf(request)));
}

describe('the key of a request', () => {
  test('by header is the first field line of that name, in any case', () => {
    const [one, same, other, none, empty] = hashesOf({ header: 'X-User' }, [
      { headers: ['x-user', 'ann', 'X-User', 'bob'] },
      { headers: ['Host', 'a.test', 'X-USER', 'ann'] },
      { headers: ['X-User', 'bob'] },
      { headers: ['X-Users', 'ann'] },
      { headers: ['X-User', ''] },
    ]);
    expect(same).toBe(one);
    expect(other).not.toBe(one);
    expect([none, empty]).toEqual([NONE, NONE]);
  });

  test('by cookie is the value of that cookie alone', () => {
    const [one, same, none] = hashesOf({ cookie: 'sid' }, [
      { headers: ['Cookie', 'sid=7; theme=dark'] },
      { headers: ['Cookie', 'theme=light; sid=7'] },
      { headers: ['Cookie', 'xsid=7'] },
    ]);
    expect(same).toBe(one);
    expect(none).toBe(NONE);
  });

  test.each([
    ['user=7', true],
    ['a=1&user=7&b=2', true],
    ['xuser=1&user=7', true],
    ['user=7&user=8', true],
    ['user&user=7', true],
    ['user=%37', false],
    ['user=70', false],
    ['user=8&user=7', false],
  ])('by query parameter, %s is the one of user=7: %s', (query, same) => {
    const [expected, hash] = hashesOf({ query: 'user' }, [{ query: 'user=7' }, { query }]);
    expect(hash === expected).toBe(same);
  });

  test.each([null, '', 'user', 'user=', 'users=7', 'a=user=7', 'USER=7'])(
    'a query of %s has no parameter user',
    (query) => {
      expect(hashesOf({ query: 'user' }, [{ query }])).toEqual([NONE]);
    },
  );

  test('by path leaves the query out, by uri it does not', () => {
    const requests = [{ path: '/a', query: 'b' }, { path: '/a' }, { path: '/a', query: 'c' }, { path: '/ab' }];
    const [first, ...others] = hashesOf('path', requests);
    expect(others.slice(0, 2)).toEqual([first, first]);
    expect(new Set(hashesOf('uri', requests)).size).toBe(4);
  });

  test('is none for a connection that is forwarded as it is, except its client', () => {
    const stream = { clientAddress: '192.0.2.1', facts: null, tried: null };
    for (const key of ['path', 'uri', { header: 'a' }, { cookie: 'a' }, { query: 'a' }] as const) {
      expect(readKey(key)(stream)).toBe(NONE);
    }
    expect(readKey('client')(stream)).toBe(readKey('client')(requestOf({})));
  });
});
