import { beforeEach, describe, expect, test } from 'vitest';
import { LONGEST_WAIT_MS, MAX_WAITING, PATIENCE_MS, Passwords } from '../../../../src/policy/auth/passwords.ts';
import type { PolicyEvent } from '../../../../src/policy/policy-state.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';
import { ScriptedHasher } from './scene.ts';

let clock: ManualClock;
let hasher: ScriptedHasher;
let events: PolicyEvent[];
let passwords: Passwords;
let heard: string[];

beforeEach(() => {
  clock = new ManualClock();
  hasher = new ScriptedHasher();
  events = [];
  heard = [];
  passwords = new Passwords({ clock, hasher, observer: (event) => events.push(event) });
});

function verify(hash: string, password: string, name = password): () => void {
  return passwords.verify(hash, password, (verdict) => heard.push(`${name}: ${verdict}`));
}

describe('what was verified', () => {
  test('is remembered for as long as is said, for this hash and this password alone', () => {
    verify('h', 'p');
    hasher.answer(true);
    expect([passwords.recall('h', 'p', 1000), passwords.recall('h', 'q', 1000)]).toEqual(['right', null]);
    // A file that has changed.
    expect(passwords.recall('other', 'p', 1000)).toBeNull();
    clock.advance(999);
    expect(passwords.recall('h', 'p', 1000)).toBe('right');
    clock.advance(1);
    expect([passwords.recall('h', 'p', 1000), passwords.recall('h', 'p', 5000)]).toEqual([null, 'right']);
    expect(passwords.recall('h', 'p', 0)).toBeNull();
  });

  test('is remembered for half a minute if it was wrong', () => {
    verify('h', 'p');
    hasher.answer(false);
    clock.advance(29_999);
    expect(passwords.recall('h', 'p', 300_000)).toBe('wrong');
    clock.advance(1);
    expect(passwords.recall('h', 'p', 300_000)).toBeNull();
  });

  test('is not remembered if it could not be found out', () => {
    verify('h', 'p');
    hasher.answer(null);
    expect([heard, passwords.recall('h', 'p', 1000)]).toEqual([['p: failed'], null]);
    expect(events).toMatchObject([{ policy: 'auth', event: 'passwords-failed', level: 'warn' }]);
  });

  test('guesses do not push out what is right', () => {
    verify('h', 'p');
    hasher.answer(true);
    for (let i = 0; i < 2_500; i += 1) {
      verify('h', `guess ${i}`);
      hasher.answer(false);
    }
    expect([passwords.recall('h', 'p', 1000), passwords.recall('h', 'guess 0', 1000)]).toEqual(['right', null]);
    expect(passwords.recall('h', 'guess 2499', 1000)).toBe('wrong');
  });
});

describe('verifying', () => {
  test('is done one after the other, and once for all who ask the same', () => {
    for (const name of ['a', 'b', 'c']) verify('h', 'p', name);
    verify('h', 'q');
    expect(hasher.checks).toEqual(['h p']);
    hasher.answer(true);
    expect(heard).toEqual(['a: right', 'b: right', 'c: right']);
    expect(hasher.checks).toEqual(['h p', 'h q']);
    hasher.answer(false);
    expect(heard.at(-1)).toBe('q: wrong');
    expect(clock.pending).toBe(0);
  });

  test('those who left are told nothing, and nothing is computed for nobody', () => {
    verify('h', 'running');
    const leave = verify('h', 'p', 'a');
    const leaveToo = verify('h', 'p', 'b');
    leave();
    leave();
    leaveToo();
    verify('h', 'q');
    hasher.answer(true);
    expect(hasher.checks).toEqual(['h running', 'h q']);
    hasher.answer(true);
    expect(heard).toEqual(['running: right', 'q: right']);
  });

  test('what is computed already is remembered also when everybody has left', () => {
    verify('h', 'p')();
    hasher.answer(true);
    expect([heard, passwords.recall('h', 'p', 1000)]).toEqual([[], 'right']);
  });

  test('one too many is told so at once; the same password as another one is not one more', () => {
    for (let i = 0; i <= MAX_WAITING; i += 1) verify('h', `p${i}`);
    verify('h', 'one more');
    expect(heard).toEqual(['one more: overloaded']);
    verify('h', 'p3', 'again');
    expect(heard).toHaveLength(1);
    expect(passwords.status()).toMatchObject({ waiting: MAX_WAITING, running: 1, refused: 1 });
    hasher.answer(false);
    verify('h', 'there is room');
    expect(heard).not.toContain('there is room: overloaded');
  });

  test('what takes too long is given up, and the next one begins', () => {
    verify('h', 'slow');
    clock.advance(PATIENCE_MS - 1_000);
    verify('h', 'next');
    const late = hasher.answer;
    clock.advance(1_000);
    expect([heard, hasher.aborted, hasher.checks.at(-1)]).toEqual([['slow: failed'], 1, 'h next']);
    late(true);
    hasher.answer(true);
    expect(heard).toEqual(['slow: failed', 'next: right']);
    expect(clock.pending).toBe(0);
  });

  test('who has waited too long is told so, and nothing is computed for him', () => {
    verify('h', 'running');
    verify('h', 'early');
    verify('h', 'early too');
    clock.advance(LONGEST_WAIT_MS - 1);
    verify('h', 'late');
    clock.advance(1);
    hasher.answer(false);
    expect(heard).toEqual(['early: overloaded', 'early too: overloaded', 'running: wrong']);
    hasher.answer(true);
    expect([hasher.checks, heard.at(-1)]).toEqual([['h running', 'h late'], 'late: right']);
    expect(passwords.status()).toMatchObject({ waiting: 0, running: 0, refused: 2 });
  });

  test('operators hear of trouble once, and of its end', () => {
    for (const matches of [true, null, null, false, true, null]) {
      verify('h', `p${heard.length}`);
      hasher.answer(matches);
    }
    expect(events.map(({ event }) => event)).toEqual(['passwords-failed', 'passwords-verified', 'passwords-failed']);
  });

  test('ends when nobody uses it any more: who waits is told, and whoever comes later', () => {
    verify('h', 'running');
    verify('h', 'waiting');
    passwords.close();
    verify('h', 'later');
    expect(heard).toEqual(['running: failed', 'waiting: failed', 'later: failed']);
    expect([hasher.aborted, clock.pending]).toEqual([1, 0]);
  });
});
