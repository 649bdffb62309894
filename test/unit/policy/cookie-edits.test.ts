import { describe, expect, test } from 'vitest';
import { type CookieEditsConfig, compileCookieEdits } from '../../../src/policy/cookie-edits.ts';
import { problemsOf, working } from './exchange-facts.ts';

test('no edits are no function', () => {
  expect(working(compileCookieEdits({}))).toBeNull();
  expect(working(compileCookieEdits({ domain: undefined }))).toBeNull();
});

test('each Set-Cookie is edited for itself, other fields are not (RFC 6265 §3)', () => {
  const draft = ['set-cookie', 'a=1; Domain=old.test', 'X-Domain', 'old.test', 'Set-Cookie', 'b=2; Path=/app/x'];
  const edit = working(compileCookieEdits({ domain: 'shop.test', path: { from: '/app', to: '/' }, secure: true }));
  edit?.(draft);
  expect(draft[1]).toMatch(/^a=1;.*Domain=shop\.test/);
  expect(draft[1]).toContain('Secure');
  expect(draft.slice(2, 4)).toEqual(['X-Domain', 'old.test']);
  expect(draft[5]).toMatch(/^b=2;.*Path=\/x/);
});

test('domain: false makes a cookie the host’s own', () => {
  const draft = ['Set-Cookie', 'a=1; Domain=old.test; HttpOnly'];
  working(compileCookieEdits({ domain: false }))?.(draft);
  expect(draft).toEqual(['Set-Cookie', 'a=1; HttpOnly']);
});

describe('mistakes', () => {
  test.each<[CookieEditsConfig, RegExp]>([
    [{ domain: 'a.test; Secure' }, /^domain: "a\.test; Secure" is not a cookie domain/],
    [{ domain: 'a.test:8443' }, /^domain: /],
    [{ domain: '' }, /^domain: /],
    [{ path: '/a;b' }, /^path: "\/a;b" is not a cookie path/],
    [{ path: { from: 'a', to: '/' } }, /^path\.from: /],
    [{ path: { from: '/a', to: '/b\n' } }, /^path\.to: /],
    [{ sameSite: 'none', secure: false }, /^sameSite: browsers drop/],
  ])('%j is refused', (config, message) => {
    expect(problemsOf(compileCookieEdits(config))).toEqual([expect.stringMatching(message)]);
  });
});
