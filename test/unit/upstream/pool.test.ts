import { describe, expect, test } from 'vitest';
import { InsertedCookie } from '../../../src/upstream/affinity/inserted-cookie.ts';
import type { Endpoint } from '../../../src/upstream/endpoint.ts';
import { endpointsOf, poolOf, setHealth } from './endpoints.ts';

const CLIENT = { clientAddress: '192.0.2.1', facts: null, session: null, tried: null };

function stageOf(weights: readonly number[], sticky: boolean) {
  const endpoints = endpointsOf(weights);
  const options = { cookie: 'headgate', secrets: ['a secret of sixteen or more'], path: '/', domain: null } as const;
  const affinity = new InsertedCookie(
    { ...options, secure: 'auto', httpOnly: true, sameSite: 'lax', maxAgeMs: null },
    endpoints,
  );
  const pool = poolOf(endpoints, { affinity: sticky ? () => affinity : null });
  const [first, second, third] = endpoints as readonly [Endpoint, Endpoint, Endpoint];
  return { pool, endpoints, affinity, first, second, third };
}

/** What a client with a session at `endpoint` sends. */
function sessionAt(affinity: InsertedCookie, endpoint: Endpoint): string {
  const field = affinity.answered(endpoint, { session: null, headers: [], overTls: false }) ?? '';
  return field.slice(field.indexOf('=') + 1, field.indexOf(';'));
}

describe('a pool', () => {
  test('gives each request the next endpoint, and none when all are away', () => {
    const { pool, endpoints, first, second, third } = stageOf([1, 1, 1], false);
    expect([pool.pick(CLIENT), pool.pick(CLIENT), pool.pick(CLIENT)]).toEqual([first, second, third]);
    setHealth(first, false);
    second.live.standing = 'draining';
    expect(pool.availableCount()).toBe(1);
    expect(pool.pick(CLIENT)).toBe(third);
    expect(pool.pick({ ...CLIENT, tried: [third] })).toBeNull();
    setHealth(endpoints[2], false);
    expect(pool.pick(CLIENT)).toBeNull();
  });

  test('without checks takes its endpoints for healthy', () => {
    const unchecked = { ...(endpointsOf([1])[0] as Endpoint), probe: null };
    expect(poolOf([unchecked]).pick(CLIENT)).toBe(unchecked);
  });

  test('does not count a pick as in flight: the one who sends does', () => {
    const { pool, endpoints } = stageOf([1], false);
    pool.pick(CLIENT);
    expect(endpoints[0]?.live.inFlight).toBe(0);
  });

  test('without affinity reads no session', () => {
    const { pool, affinity, first, second } = stageOf([1, 1, 1], false);
    expect(pool.pick({ ...CLIENT, session: sessionAt(affinity, second) })).toBe(first);
  });
});

describe('a pool with sticky sessions', () => {
  test('sends a session to its endpoint, and only a session', () => {
    const { pool, affinity, first, second, third } = stageOf([1, 1, 1], true);
    const request = { ...CLIENT, session: sessionAt(affinity, third) };
    expect([pool.pick(request), pool.pick(request)]).toEqual([third, third]);
    expect([pool.pick(CLIENT), pool.pick(CLIENT)]).toEqual([first, second]);
  });

  test('balances a request whose cookie is forged', () => {
    const { pool, first } = stageOf([1, 1, 1], true);
    expect(pool.pick({ ...CLIENT, session: 'forged' })).toBe(first);
  });

  test('keeps sessions on an endpoint that drains, and sends no new ones there', () => {
    const { pool, affinity, first, second, third } = stageOf([1, 1, 1], true);
    first.live.standing = 'draining';
    expect(pool.pick({ ...CLIENT, session: sessionAt(affinity, first) })).toBe(first);
    expect([pool.pick(CLIENT), pool.pick(CLIENT), pool.pick(CLIENT)]).toEqual([second, third, second]);
  });

  test('keeps sessions on an endpoint of weight 0, and sends no new ones there', () => {
    const { pool, affinity, first, second } = stageOf([0, 1], true);
    expect(pool.pick({ ...CLIENT, session: sessionAt(affinity, first) })).toBe(first);
    expect([pool.pick(CLIENT), pool.pick(CLIENT)]).toEqual([second, second]);
  });

  test('moves a session whose endpoint is down, drained or not', () => {
    const { pool, affinity, first, second } = stageOf([1, 1, 1], true);
    first.live.standing = 'draining';
    setHealth(first, false);
    expect(pool.pick({ ...CLIENT, session: sessionAt(affinity, first) })).toBe(second);
  });

  test('moves a session when its endpoint was tried for this request already', () => {
    const { pool, affinity, first, second } = stageOf([1, 1, 1], true);
    expect(pool.pick({ ...CLIENT, session: sessionAt(affinity, first), tried: [first] })).toBe(second);
  });
});
