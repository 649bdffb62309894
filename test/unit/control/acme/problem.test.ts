import { describe, expect, test } from 'vitest';
import { problemError, retryAfterMs } from '../../../../src/control/certificates/acme/problem.ts';

const urn = (type: string) => `urn:ietf:params:acme:error:${type}`;

describe('RFC 8555 §6.7: a problem document', () => {
  test('is told by type and detail', () => {
    const error = problemError({ type: urn('rateLimited'), detail: 'too many certificates', status: 429 }, 429, 60_000);
    expect(error.message).toBe('rateLimited: too many certificates');
    expect(error.reason).toBe('rate-limited');
    expect(error.retryAfterMs).toBe(60_000);
  });

  test('§6.7.1: tells which name has which trouble', () => {
    const subproblems = [
      { type: urn('dns'), detail: 'no such name', identifier: { type: 'dns', value: 'a.test' } },
      { type: urn('caa'), detail: 'forbidden' },
      'nonsense',
    ];
    expect(problemError({ type: urn('malformed'), detail: 'some names', subproblems }, 400).message).toBe(
      'malformed: some names (a.test: dns: no such name; caa: forbidden)',
    );
  });

  test.each<[unknown, string, string]>([
    [null, 'http-502', 'The answer was 502 without a reason'],
    ['<html>', 'http-502', 'The answer was 502 without a reason'],
    [{ detail: 7 }, 'http-502', 'The answer was 502 without a reason'],
    [{ detail: 'gone' }, 'http-502', 'gone'],
    [{ type: 'about:blank', detail: 'gone' }, 'http-502', 'about:blank: gone'],
    [{ type: urn('<b>'), detail: 'x' }, 'unknown-problem', '<b>: x'],
    [{ type: urn('dns'), subproblems: 'many' }, 'dns', 'dns'],
  ])('%j has reason %s', (json, reason, message) => {
    expect(problemError(json, 502)).toMatchObject({ reason, message });
  });

  test('is cut off where it would fill the log', () => {
    const many = Array.from({ length: 1000 }, () => ({ type: urn('dns'), detail: 'x'.repeat(10_000) }));
    const { message } = problemError({ type: urn('dns'), detail: 'y'.repeat(10_000), subproblems: many }, 400);
    expect(message.length).toBeLessThan(6_000);
  });

  test('whose subproblems have subproblems is read to the first level only', () => {
    const inner = { type: urn('dns'), subproblems: [{ type: urn('caa') }] };
    expect(problemError({ type: urn('malformed'), subproblems: [inner] }, 400).message).toBe('malformed (dns)');
  });
});

describe('RFC 9110 §10.2.3: Retry-After', () => {
  const now = Date.UTC(2026, 10, 21, 12);
  test.each<[string, number | null]>([
    ['120', 120_000],
    ['0', 0],
    ['Sat, 21 Nov 2026 12:00:30 GMT', 30_000],
    ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
    ['999999999', 7 * 86_400_000],
    ['soon', null],
    ['-5', null],
    ['1e3', null],
  ])('%s', (value, expected) => {
    expect(retryAfterMs(['Retry-After', value], now)).toBe(expected);
  });

  test('that is not there', () => expect(retryAfterMs([], now)).toBeNull());
});
