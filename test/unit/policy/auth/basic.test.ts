import { beforeEach, describe, expect, test } from 'vitest';
import type { AuthResult } from '../../../../src/policy/auth/authenticator.ts';
import { basicAuthenticator } from '../../../../src/policy/auth/basic.ts';
import { MAX_WAITING, Passwords } from '../../../../src/policy/auth/passwords.ts';
import { parseHtpasswd, type UserTable } from '../../../../src/policy/auth/user-table.ts';
import { basic, HASH_OF_PASSWORD, HASH_OF_UU } from '../../../kit/auth.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';
import { policyRequest, ScriptedHasher } from './scene.ts';

let hasher: ScriptedHasher;
let table: UserTable;
let heard: string[];
let way: ReturnType<typeof basicAuthenticator>;

beforeEach(() => {
  hasher = new ScriptedHasher();
  heard = [];
  table = parseHtpasswd(Buffer.from(`ann:${HASH_OF_PASSWORD}`));
  const passwords = new Passwords({ clock: new ManualClock(), hasher, observer: () => {} });
  way = basicAuthenticator({
    ...{ realm: 'a "b" \\c', users: () => table, passwords, rightForMs: 1000, forwardCredentials: false },
  });
});

function said(result: AuthResult): string {
  if (result.kind === 'known') return `known: ${result.identity.user}`;
  return result.kind === 'refused' ? `${result.error.status} ${result.error.reason}` : result.kind;
}

/** Begins to verify it, and hears the end of it; what comes at once is said. */
function ask(user: string, password: string): AuthResult {
  const result = way.authenticate(policyRequest(basic(user, password)));
  if (result.kind === 'ask') result.begin((end) => heard.push(said(end)));
  return result;
}

describe('a user and his password', () => {
  test('are verified the first time, and then known at once', () => {
    expect(ask('ann', 'password').kind).toBe('ask');
    hasher.answer(true);
    expect([heard, hasher.checks]).toEqual([['known: ann'], [`${HASH_OF_PASSWORD} password`]]);
    expect(said(ask('ann', 'password'))).toBe('known: ann');
    expect(hasher.checks).toHaveLength(1);
  });

  test('are verified again when the hash has changed, whatever was found before', () => {
    ask('ann', 'U*U');
    hasher.answer(false);
    expect(said(ask('ann', 'U*U'))).toBe('401 credentials-wrong');
    table = parseHtpasswd(Buffer.from(`ann:${HASH_OF_UU}`));
    ask('ann', 'U*U');
    hasher.answer(true);
    expect(heard.at(-1)).toBe('known: ann');
  });

  test('of somebody unknown cost as much, and are wrong whatever comes out', () => {
    ask('eve', 'password');
    expect(hasher.checks).toEqual([
      expect.stringMatching(/^\$argon2id\$v=19\$m=256,t=2,p=1\$c29tZXNhbHQ\$.{43} password$/),
    ]);
    expect(hasher.checks[0]).not.toContain(HASH_OF_PASSWORD);
    hasher.answer(true);
    expect(heard).toEqual(['401 credentials-wrong']);
    expect(said(ask('eve', 'password'))).toBe('401 credentials-wrong');
  });

  test('are wrong at once where there are no users', () => {
    table = parseHtpasswd(Buffer.from(''));
    expect(said(ask('ann', 'password'))).toBe('401 credentials-wrong');
  });

  test('are not remembered when nobody could tell', () => {
    ask('ann', 'password');
    hasher.answer(null);
    expect([heard, ask('ann', 'password').kind]).toEqual([['503 auth-failed'], 'ask']);
  });

  test('are refused with 503 when too many wait', () => {
    for (let i = 0; i <= MAX_WAITING; i += 1) ask('ann', `password ${i}`);
    ask('ann', 'one more');
    expect(heard).toEqual(['503 auth-overloaded']);
  });

  test('of a client that has left are not verified', () => {
    ask('ann', 'first');
    const second = ask('ann', 'second');
    if (second.kind === 'ask') second.cancel();
    hasher.answer(false);
    expect([hasher.checks, heard]).toEqual([[`${HASH_OF_PASSWORD} first`], ['401 credentials-wrong']]);
  });
});

test('the realm stands in quotes, whatever is in it', () => {
  expect(way.authenticate(policyRequest())).toMatchObject({
    error: { fields: ['WWW-Authenticate', 'Basic realm="a \\"b\\" \\\\c", charset="UTF-8"'] },
  });
});

test('nothing is begun for a request that is only asked about', () => {
  way.authenticate({ ...policyRequest(basic('ann', 'password')), hypothetical: true });
  expect(hasher.checks).toEqual([]);
});
