import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ApiKeyOptions, apiKeyAuthenticator } from '../../../../src/policy/auth/api-key.ts';
import { type ApiKey, apiKeyTable } from '../../../../src/policy/auth/api-key-table.ts';
import type { AuthResult } from '../../../../src/policy/auth/authenticator.ts';
import { takeParameter } from '../../../../src/policy/query-parameter.ts';
import { policyRequest } from './scene.ts';

const NOW = Date.UTC(2026, 0, 1);

function entry(key: string, over: Partial<ApiKey> & Pick<ApiKey, 'name'>): [string, ApiKey] {
  const digest = createHash('sha256').update(key).digest('hex');
  return [digest, { expiresAt: null, disabled: false, claims: {}, ...over }];
}

const keys = apiKeyTable(
  new Map([
    entry('good', { name: 'ci', claims: { team: 'a' } }),
    entry('old', { name: 'old', expiresAt: NOW }),
    entry('young', { name: 'young', expiresAt: NOW + 1 }),
    entry('off', { name: 'off', disabled: true }),
  ]),
);

function authenticator(over: Partial<ApiKeyOptions> = {}) {
  return apiKeyAuthenticator({
    ...{ realm: 'shop', keys: () => keys, header: 'X-API-Key', scheme: null, query: null },
    ...{ forwardCredentials: false, now: () => NOW },
    ...over,
  });
}

function said(result: AuthResult): string {
  if (result.kind === 'known') return result.identity.user;
  return result.kind === 'refused' ? `${result.error.status} ${result.error.reason}` : result.kind;
}

const BOTH = { query: 'api key', scheme: 'Bearer', header: 'Authorization' } as const;

describe('a key', () => {
  test.each([
    [{}, [], null, '401 credentials-missing', false],
    [{}, ['x-api-key', ' good '], null, 'ci', true],
    [{}, ['X-Api-Key', 'good'], 'api%20key=good', 'ci', true],
    [{}, ['x-api-key', 'old'], null, '401 api-key-expired', true],
    [{}, ['x-api-key', 'young'], null, 'young', true],
    [{}, ['x-api-key', 'off'], null, '401 api-key-disabled', true],
    [{}, ['x-api-key', 'bad'], null, '401 api-key-unknown', true],
    [{}, ['x-api-key', 'GOOD'], null, '401 api-key-unknown', true],
    [{}, ['x-api-key', ''], null, '401 credentials-malformed', true],
    [{}, ['x-api-key', 'good', 'X-API-KEY', 'good'], null, '401 credentials-malformed', true],
    [{}, ['x-api-key', 'x'.repeat(513)], null, '401 credentials-malformed', true],
    [{}, ['x-api-key', '\xff\xfe'], null, '401 api-key-unknown', true],
    [BOTH, ['authorization', 'Bearer good'], null, 'ci', true],
    [BOTH, ['authorization', 'bearer  good'], null, 'ci', true],
    [BOTH, ['authorization', 'Basic good'], null, '401 credentials-missing', false],
    [BOTH, ['authorization', 'Bearer'], null, '401 credentials-malformed', true],
    [BOTH, ['authorization', 'Bearer good', 'authorization', 'Basic x'], null, '401 credentials-malformed', true],
    [BOTH, [], 'a=1&api%20key=good&b', 'ci', true],
    [BOTH, [], 'api+key=good', 'ci', true],
    [BOTH, [], 'api+key=%67ood', 'ci', true],
    [BOTH, [], 'api+key', '401 credentials-malformed', true],
    [BOTH, [], 'api+key=good&api%20key=good', '401 credentials-malformed', true],
    [BOTH, ['authorization', 'Bearer good'], 'api+key=good', '401 credentials-malformed', true],
    [BOTH, [], 'apikey=good&a', '401 credentials-missing', false],
  ] as const)('%j %j %s: %s', (options, headers, query, result, presents) => {
    const request = policyRequest(headers, query);
    const way = authenticator(options);
    expect([said(way.authenticate(request)), way.presents(request)]).toEqual([result, presents]);
  });

  test('brings the name and the claims of its owner', () => {
    const result = authenticator().authenticate(policyRequest(['x-api-key', 'good']));
    expect(result).toMatchObject({ kind: 'known', identity: { scheme: 'api-key', claims: { team: 'a' } } });
  });

  test('is named in the challenge by its field, or by its scheme', () => {
    const [one, two] = [authenticator(), authenticator(BOTH)].map((way) => way.authenticate(policyRequest()));
    expect(one).toMatchObject({ error: { fields: ['WWW-Authenticate', 'ApiKey realm="shop", header="X-API-Key"'] } });
    expect(two).toMatchObject({ error: { fields: ['WWW-Authenticate', 'Bearer realm="shop"'] } });
  });

  test.each([
    ['a=1&api%20key=good&b', 'a=1&b'],
    ['api+key=good', null],
    ['%61pi+key=x&&a=%2', '&a=%2'],
    ['a=1', 'a=1'],
  ])('is taken out of the query %s', (query, rest) => {
    const request = policyRequest([], query);
    authenticator(BOTH).hideCredentials?.(request, true);
    expect(request.query).toBe(rest);
  });
});

test('whatever the query is, only the parameter is taken out of it, and all of it', () => {
  const piece = fc.stringMatching(/^(?:key|%6bey|k%65y|a|b|=|%|\+|key%20|%26)*$/);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const query = pieces.join('&');
      const { values, rest } = takeParameter(query, 'key');
      const named = [...new URLSearchParams(query)].filter(([name]) => name === 'key');
      const others = [...new URLSearchParams(query)].filter(([name]) => name !== 'key');
      expect(values).toEqual(named.map(([, value]) => value));
      expect([...new URLSearchParams(rest ?? '')]).toEqual(others);
    }),
    { seed: 11, numRuns: 300 },
  );
});
