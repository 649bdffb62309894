import { expect, test } from 'vitest';
import { endpointsOfSrv } from '../../../../src/upstream/discovery/srv.ts';

function record(target: string, priority: number, weight: number, port = 80) {
  return { target, port, priority, weight };
}

function shares(records: Parameters<typeof endpointsOfSrv>[0]): [number, number][] {
  return endpointsOfSrv(records, false).map(({ priority, weight }) => [priority, weight]);
}

test('priorities count from 0, the lowest first (RFC 2782)', () => {
  expect(shares([record('a', 20, 1), record('b', 10, 1), record('c', 20, 2)])).toEqual([
    [1, 1],
    [0, 1],
    [1, 2],
  ]);
  const many = Array.from({ length: 300 }, (_, priority) => record('a', priority, 1, priority + 1));
  expect(Math.max(...shares(many).map(([priority]) => priority))).toBe(100);
});

test('weight 0 is the smallest share (RFC 2782)', () => {
  expect(shares([record('a', 0, 0), record('b', 0, 9)])).toEqual([
    [0, 1],
    [0, 9],
  ]);
  expect(shares([record('a', 0, 0), record('b', 0, 0)])).toEqual([
    [0, 1],
    [0, 1],
  ]);
});

test('weights above 1000 are scaled down with those of their priority', () => {
  expect(shares([record('a', 0, 60_000), record('b', 0, 30_000), record('c', 0, 1), record('d', 1, 500)])).toEqual([
    [0, 1000],
    [0, 500],
    [0, 1],
    [1, 500],
  ]);
});

test('“.” says that there is no such service (RFC 2782); what is no host name is none either', () => {
  expect(endpointsOfSrv([record('.', 0, 0, 0), record('', 0, 0), record('a\r\nX: y', 0, 0)], false)).toEqual([]);
});

test('targets are names in lower case, without the last dot', () => {
  expect(endpointsOfSrv([record('Web.Internal.', 0, 1, 3000)], true)).toEqual([
    { address: { secure: true, host: 'web.internal', port: 3000 }, weight: 1, priority: 0 },
  ]);
});
