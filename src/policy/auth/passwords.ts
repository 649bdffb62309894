import { createHmac, randomBytes } from 'node:crypto';
import type { Clock, TimerHandle } from '../../clock.ts';
import type { PolicyObserver, PolicyState } from '../policy-state.ts';
import { RecentMap } from './recent-map.ts';

/** Computes hashes beside the event loop, one at a time. */
export interface PasswordHasher {
  /** Calls `done` once, later: whether the password has the hash, or `null` when that could not be found out. Never while another one is under way. */
  check(hash: string, password: string, done: (matches: boolean | null) => void): void;
  /** Gives up what is under way; its `done` is not called any more. */
  abort(): void;
}

/** `overloaded`: too many wait, or it has waited too long. `failed`: it took too long, or could not be found out. */
export type PasswordVerdict = 'right' | 'wrong' | 'overloaded' | 'failed';

export interface PasswordsOptions {
  readonly clock: Clock;
  readonly hasher: PasswordHasher;
  readonly observer: PolicyObserver;
}

/** Different passwords that wait; at 100 ms each, the last of them waits six seconds. */
export const MAX_WAITING = 64;
/** The dearest hash that is taken (bcrypt with cost 16) needs about half of it. */
export const PATIENCE_MS = 15_000;
/** In the line, so that nobody waits longer than this and one `PATIENCE_MS`. */
export const LONGEST_WAIT_MS = 10_000;
/** Right ones are about as many as users. */
const MAX_RIGHT = 10_000;
/** Whoever guesses must not push out the right ones. */
const MAX_WRONG = 2_000;
/** A client with an old password asks again and again; that it is wrong does not change, for the hash is part of what is remembered. */
const WRONG_FOR_MS = 30_000;

interface Check {
  readonly key: string;
  readonly hash: string;
  readonly password: string;
  /** Monotonic milliseconds. */
  readonly since: number;
  /** Everybody who has come with the same password for the same hash. */
  readonly waiting: Set<(verdict: PasswordVerdict) => void>;
}

/**
 * Verifies passwords: what was verified lately is remembered under a keyed digest of hash and password, so that a hash which has changed is
 * another question; the same question is put only once at a time; others wait in a line of 64. One for the whole process.
 */
export class Passwords implements PolicyState {
  readonly id = PASSWORDS_ID;
  readonly #options: PasswordsOptions;
  /** Drawn anew by every process: a dump of memory tells nothing that can be guessed against elsewhere. */
  readonly #key = randomBytes(32);
  /** Since when, in monotonic milliseconds. */
  readonly #right = new RecentMap<number>(MAX_RIGHT);
  readonly #wrong = new RecentMap<number>(MAX_WRONG);
  readonly #checks = new Map<string, Check>();
  /** Of `checks`, those that have not begun, in their order. */
  readonly #line: Check[] = [];
  #running: Check | null = null;
  #timer: TimerHandle | null = null;
  #closed = false;
  /** The last one could not be verified, and operators know. */
  #troubled = false;
  #verified = 0;
  #refused = 0;

  constructor(options: PasswordsOptions) {
    this.#options = options;
  }

  /** What is known without computing: `null` when it has to be verified. Right ones are remembered for `rightForMs`. */
  recall(hash: string, password: string, rightForMs: number): 'right' | 'wrong' | null {
    const key = this.#keyOf(hash, password);
    const now = this.#options.clock.monotonic();
    const right = this.#right.get(key);
    if (right !== undefined && now - right < rightForMs) return 'right';
    const wrong = this.#wrong.get(key);
    return wrong !== undefined && now - wrong < WRONG_FOR_MS ? 'wrong' : null;
  }

  /** Verifies it. `done` is called once, maybe at once; not after the function that comes back was called. */
  verify(hash: string, password: string, done: (verdict: PasswordVerdict) => void): () => void {
    if (this.#closed) {
      done('failed');
      return () => {};
    }
    const key = this.#keyOf(hash, password);
    const known = this.#checks.get(key);
    if (known === undefined && this.#line.length >= MAX_WAITING) {
      this.#refused += 1;
      done('overloaded');
      return () => {};
    }
    const check = known ?? { key, hash, password, since: this.#options.clock.monotonic(), waiting: new Set() };
    // One of its own for each, also where somebody comes twice with the same function.
    const told = (verdict: PasswordVerdict): void => done(verdict);
    check.waiting.add(told);
    if (known === undefined) {
      this.#checks.set(key, check);
      this.#line.push(check);
      this.#next();
    }
    return () => this.#leave(check, told);
  }

  close(): void {
    this.#closed = true;
    this.#options.hasher.abort();
    this.#stopTimer();
    this.#running = null;
    this.#line.length = 0;
    const checks = [...this.#checks.values()];
    this.#checks.clear();
    for (const { waiting } of checks) tellAll(waiting, 'failed');
  }

  status(): Readonly<Record<string, number>> {
    return {
      ...{ remembered: this.#right.size, waiting: this.#line.length, running: this.#running === null ? 0 : 1 },
      ...{ verified: this.#verified, refused: this.#refused },
    };
  }

  #keyOf(hash: string, password: string): string {
    // No hash has a zero in it.
    return createHmac('sha256', this.#key).update(`${hash}\0${password}`).digest('base64');
  }

  #leave(check: Check, told: (verdict: PasswordVerdict) => void): void {
    check.waiting.delete(told);
    const place = check.waiting.size > 0 ? -1 : this.#line.indexOf(check);
    // What is being computed already goes on: the client may come again.
    if (place < 0) return;
    this.#line.splice(place, 1);
    this.#checks.delete(check.key);
  }

  #next(): void {
    if (this.#running !== null || this.#closed) return;
    const late = this.#takeLate();
    const check = this.#line.shift();
    if (check !== undefined) this.#begin(check);
    // Only now: whoever is told may do much.
    for (const { waiting } of late) tellAll(waiting, 'overloaded');
  }

  /** Takes those out of the line who have waited too long; they are the first in it. */
  #takeLate(): readonly Check[] {
    const now = this.#options.clock.monotonic();
    const first = this.#line.findIndex(({ since }) => now - since < LONGEST_WAIT_MS);
    const late = this.#line.splice(0, first < 0 ? this.#line.length : first);
    for (const { key } of late) this.#checks.delete(key);
    this.#refused += late.length;
    return late;
  }

  #begin(check: Check): void {
    const { clock, hasher } = this.#options;
    this.#running = check;
    this.#timer = clock.after(PATIENCE_MS, () => {
      hasher.abort();
      this.#end(check, null);
    });
    hasher.check(check.hash, check.password, (matches) => this.#end(check, matches));
  }

  #end(check: Check, matches: boolean | null): void {
    if (this.#running !== check) return;
    this.#running = null;
    this.#stopTimer();
    this.#checks.delete(check.key);
    if (matches !== null) {
      this.#verified += 1;
      (matches ? this.#right : this.#wrong).set(check.key, this.#options.clock.monotonic());
    }
    this.#watch(matches !== null);
    // The next one first: whoever is told may do much.
    this.#next();
    tellAll(check.waiting, matches === null ? 'failed' : matches ? 'right' : 'wrong');
  }

  #stopTimer(): void {
    if (this.#timer !== null) this.#options.clock.cancel(this.#timer);
    this.#timer = null;
  }

  /** Tells operators when it goes wrong, and when it is well again, not each time. */
  #watch(isWell: boolean): void {
    if (isWell !== this.#troubled) return;
    this.#troubled = !isWell;
    const told = isWell
      ? ({ event: 'passwords-verified', level: 'info', detail: 'passwords are verified again' } as const)
      : ({
          event: 'passwords-failed',
          level: 'warn',
          detail: `a password could not be verified: no memory, a hash that takes more than ${PATIENCE_MS / 1000} s, or a lost thread`,
        } as const);
    this.#options.observer({ policy: 'auth', owner: 'gateway', ...told });
  }
}

export const PASSWORDS_ID = 'passwords';

function tellAll(waiting: Set<(verdict: PasswordVerdict) => void>, verdict: PasswordVerdict): void {
  for (const told of waiting) told(verdict);
  waiting.clear();
}
