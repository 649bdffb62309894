import { describe, expect, test } from 'vitest';
import {
  atAddresses,
  distinctEndpoints,
  MOST_ENDPOINTS,
  nameToResolve,
} from '../../../../src/upstream/discovery/listed-endpoint.ts';

function at(host: string, port = 80) {
  return { address: { secure: false, host, port }, weight: 1, priority: 0 };
}

describe('a host to be resolved', () => {
  test.each([
    ['api.internal', 'api.internal'],
    ['API.Internal.', 'api.internal'],
    ['shop', 'shop'],
    ['10.0.0.1.example', '10.0.0.1.example'],
    ['10.0.0.1', null],
    ['::1', null],
    ['fe80::1%eth0', null],
    ['localhost', null],
    ['LOCALHOST.', null],
    ['app.localhost', null],
    ['notlocalhost', 'notlocalhost'],
  ])('of %s is %s (RFC 6761 §6.3)', (host, name) => {
    expect(nameToResolve(at(host).address)).toBe(name);
  });

  test('is none for a Unix socket', () => {
    expect(nameToResolve({ socketPath: '/run/app.sock' })).toBeNull();
  });
});

test('an endpoint at the addresses of its name keeps all but the host', () => {
  expect(atAddresses({ ...at('API.internal', 3000), weight: 7, priority: 2 }, ['10.0.0.1', 'fd00::1'])).toEqual([
    { address: { secure: false, host: '10.0.0.1', port: 3000 }, weight: 7, priority: 2, name: 'api.internal' },
    { address: { secure: false, host: 'fd00::1', port: 3000 }, weight: 7, priority: 2, name: 'api.internal' },
  ]);
});

test('each place counts once, the first time, and there is room for so many only', () => {
  const named = { ...at('10.0.0.1'), name: 'api.internal' };
  const other = { ...at('10.0.0.1', 81), name: null };
  expect(distinctEndpoints([named, { ...at('10.0.0.1'), name: null }, other])).toEqual({
    endpoints: [named, other],
    dropped: 0,
  });
  const many = Array.from({ length: MOST_ENDPOINTS + 3 }, (_, port) => ({ ...at('10.0.0.1', port), name: null }));
  expect(distinctEndpoints([...many, ...many])).toMatchObject({ dropped: 3, endpoints: { length: MOST_ENDPOINTS } });
});
