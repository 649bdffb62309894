import { describe, expect, test } from 'vitest';
import { LearnedSession } from '../../../../src/upstream/affinity/learned-session.ts';
import { type SessionSource, sessionCookie, sessionHeader } from '../../../../src/upstream/affinity/session-source.ts';
import { SessionTable } from '../../../../src/upstream/affinity/session-table.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';
import { endpointsOf, setHealth } from '../endpoints.ts';

function learning(source: SessionSource) {
  const endpoints = endpointsOf([1, 1]) as readonly [Endpoint, Endpoint];
  const table = new SessionTable({ capacity: 8, idleMs: 60_000 }, new ManualClock());
  const affinity = new LearnedSession(source, table, endpoints);
  /** An exchange: where its request has to go, and what the endpoint that served it answers. */
  const exchange = (request: readonly string[], by: Endpoint, response: readonly string[] = []): Endpoint | null => {
    const session = affinity.sessionOf(request);
    const held = session === null ? null : affinity.pick(session, null, false);
    expect(affinity.answered(held ?? by, { session, headers: response, overTls: false })).toBeNull();
    return held;
  };
  return { affinity, table, exchange, first: endpoints[0], second: endpoints[1], endpoints };
}

describe('a session cookie of the application', () => {
  const source = sessionCookie('JSESSIONID');

  test('is learned from the response that sets it', () => {
    const { exchange, first, second } = learning(source);
    exchange([], second, ['Set-Cookie', 'other=1', 'set-cookie', 'JSESSIONID=abc; Path=/; HttpOnly']);
    expect(exchange(['Cookie', 'a=b; JSESSIONID=abc'], first)).toBe(second);
    expect(exchange(['Cookie', 'JSESSIONID=abcd'], first)).toBeNull();
  });

  test('that a client made up is no session, and costs no memory', () => {
    const { exchange, table, first, second } = learning(source);
    exchange(['Cookie', 'JSESSIONID=made-up'], first);
    expect(exchange(['Cookie', 'JSESSIONID=made-up'], second)).toBeNull();
    expect(table.sessionsAt(first.id)).toBe(0);
  });

  test('stays where it went when its endpoint was away, also once that is back', () => {
    const { exchange, first, second } = learning(source);
    exchange([], first, ['Set-Cookie', 'JSESSIONID=abc']);
    setHealth(first, false);
    expect(exchange(['Cookie', 'JSESSIONID=abc'], second)).toBeNull();
    setHealth(first, true);
    expect(exchange(['Cookie', 'JSESSIONID=abc'], first)).toBe(second);
  });

  test('is forgotten neither by other endpoints in the pool nor by the same in another order', () => {
    const { exchange, table, first, second } = learning(source);
    exchange([], second, ['Set-Cookie', 'JSESSIONID=abc']);
    const key = new LearnedSession(source, table, []).sessionOf(['Cookie', 'JSESSIONID=abc']) ?? '';
    expect(new LearnedSession(source, table, [first]).pick(key, null, false)).toBeNull();
    expect(new LearnedSession(source, table, [second, first]).pick(key, null, false)).toBe(second);
  });

  test('that is taken back, or is empty, is none', () => {
    const { affinity, exchange, table, first } = learning(source);
    exchange([], first, ['Set-Cookie', 'JSESSIONID=; Max-Age=0']);
    expect(table.sessionsAt(first.id)).toBe(0);
    expect(affinity.sessionOf(['Cookie', 'JSESSIONID='])).toBeNull();
  });

  test('is kept as a digest of one size, apart from what another source calls the same', () => {
    const { affinity } = learning(source);
    const key = affinity.sessionOf(['Cookie', `JSESSIONID=${'x'.repeat(4000)}`]);
    expect(key).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(learning(sessionCookie('SID')).affinity.sessionOf(['Cookie', `SID=${'x'.repeat(4000)}`])).not.toBe(key);
  });

  test('tells how many sessions an endpoint has', () => {
    const { affinity, exchange, first, second } = learning(source);
    for (const value of ['a', 'b', 'c'])
      exchange([], value === 'c' ? second : first, ['Set-Cookie', `JSESSIONID=${value}`]);
    expect([affinity.sessionsAt(first), affinity.sessionsAt(second)]).toEqual([2, 1]);
  });
});

describe('a header that names a session', () => {
  const source = sessionHeader('X-Session');

  test('is a session from its first request on: clients choose it', () => {
    const { exchange, first, second } = learning(source);
    expect(exchange(['x-session', 'abc'], second)).toBeNull();
    expect(exchange(['X-Session', 'abc'], first)).toBe(second);
  });

  test('may be given out by the application', () => {
    const { exchange, first, second } = learning(source);
    exchange([], second, ['X-Session', 'abc']);
    expect(exchange(['X-Session', 'abc'], first)).toBe(second);
  });

  test('is none when it is empty', () => {
    expect(learning(source).affinity.sessionOf(['X-Session', ''])).toBeNull();
  });
});
