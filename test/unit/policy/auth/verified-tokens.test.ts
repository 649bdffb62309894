import { expect, test } from 'vitest';
import { tokenDigest, VerifiedTokens } from '../../../../src/policy/auth/verified-tokens.ts';
import type { Identity } from '../../../../src/policy/identity.ts';

const identity: Identity = { scheme: 'jwt', user: 'ada', claims: {}, fields: [], removes: null, cookie: null };
const keys = { keys: [] };

function added(tokens: VerifiedTokens, digest: string, length = 100): void {
  tokens.add(digest, { identity, keys, untilMs: 1_000, length });
}

test('a token is known until it expires, or other keys are in force', () => {
  const tokens = new VerifiedTokens();
  added(tokens, 'a');
  expect(tokens.get('a', keys, 999)).toBe(identity);
  expect([tokens.get('a', keys, 1_000), tokens.size]).toEqual([null, 0]);
  added(tokens, 'a');
  expect([tokens.get('a', { keys: [] }, 0), tokens.get('a', keys, 0)]).toEqual([null, null]);
  added(tokens, 'a');
  expect(tokens.get('a', null, 0)).toBeNull();
});

test('ten thousand are kept, and those that are used stay', () => {
  const tokens = new VerifiedTokens();
  for (let i = 0; i < 10_000; i += 1) added(tokens, `t${i}`);
  expect(tokens.get('t0', keys, 0)).toBe(identity);
  for (let i = 0; i < 5_000; i += 1) added(tokens, `u${i}`);
  expect(tokens.size).toBe(10_000);
  expect([tokens.get('t0', keys, 0), tokens.get('t1', keys, 0), tokens.get('u4999', keys, 0)]).toEqual([
    identity,
    null,
    identity,
  ]);
});

test('long ones are bounded by their text', () => {
  const tokens = new VerifiedTokens();
  for (let i = 0; i < 2_000; i += 1) added(tokens, `t${i}`, 16_384);
  expect(tokens.size).toBe(512);
  for (let i = 1_488; i < 2_000; i += 1) tokens.get(`t${i}`, keys, 0);
  added(tokens, 'one more', 16_384);
  expect(tokens.size).toBe(512);
});

test('a digest says nothing of its token', () => {
  expect(tokenDigest('a.b.c')).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  expect(tokenDigest('a.b.c')).not.toBe(tokenDigest('a.b.d'));
});
