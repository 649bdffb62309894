import { describe, expect, test } from 'vitest';
import { grpcStatusIn, grpcStatusOf, grpcTimeoutMs, isGrpc } from '../../../src/http/grpc.ts';

describe('isGrpc', () => {
  test.each(['application/grpc', 'application/grpc+proto', 'Application/gRPC; charset=x', 'application/grpc ; a'])(
    'takes %s',
    (type) => expect(isGrpc(['X', '1', 'Content-Type', type])).toBe(true),
  );
  test.each(['application/grpc-web', 'application/grpc-web+proto', 'application/grpcx', 'application/json', ''])(
    'does not take %s',
    (type) => expect(isGrpc(['Content-Type', type])).toBe(false),
  );
  test('does not take a message without a type', () => expect(isGrpc([])).toBe(false));
});

test.each([
  ['1H', 3_600_000],
  ['2M', 120_000],
  ['99999999S', 99_999_999_000],
  ['250m', 250],
  ['1500u', 2],
  ['1n', 1],
  ['0S', 1],
  ['123456789S', null],
  ['-1S', null],
  ['1s', null],
  ['S', null],
  ['1.5S', null],
])('grpc-timeout %s is %s ms', (value, ms) => {
  expect(grpcTimeoutMs(['grpc-timeout', value])).toBe(ms);
});

test.each([
  [['grpc-status', '0'], 0],
  [['a', 'b', 'Grpc-Status', '14'], 14],
  [['grpc-status', 'x'], 2],
  [['grpc-message', 'x'], null],
])('grpc-status in %j is %s', (fields, status) => {
  expect(grpcStatusIn(fields)).toBe(status);
});

test.each([
  [400, 13],
  [401, 16],
  [403, 7],
  [404, 12],
  [429, 14],
  [499, 1],
  [500, 13],
  [502, 14],
  [503, 14],
  [504, 4],
  [413, 8],
  [418, 2],
])('HTTP %i is gRPC status %i', (http, grpc) => {
  expect(grpcStatusOf(http)).toBe(grpc);
});
