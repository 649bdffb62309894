import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A login under way, as it stands sealed in its own cookie. */
export interface LoginAttempt {
  readonly state: string;
  readonly nonce: string;
  /** RFC 7636 §4.1. */
  readonly verifier: string;
  /** Where its browser wanted to go (`returnTarget`). */
  readonly target: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
}

/** Long enough to look for a password. */
export const LOGIN_MS = 10 * 60_000;
/** Beside the one that begins: one for each tab that a browser opens again at its start would not fit into the head of a request. */
export const OTHER_LOGINS = 4;

const STATE = /^[\w-]{43}$/;
const ID_LENGTH = 8;

/** Draws what nobody can guess: 256 bits each. */
export function beginLogin(target: string, now: number): LoginAttempt {
  const draw = (): string => randomBytes(32).toString('base64url');
  return { state: draw(), nonce: draw(), verifier: draw(), target, startedAt: now };
}

/** By which the cookie of a login is found again; `null` for what is no state of ours. */
export function loginId(state: string): string | null {
  return STATE.test(state) ? state.slice(0, ID_LENGTH) : null;
}

/** S256 of RFC 7636 §4.2. */
export function challengeOf({ verifier }: LoginAttempt): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

/** It is the login that `state` came back of, and not too long ago. */
export function isThisLogin(attempt: LoginAttempt, state: string, now: number): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(attempt.state), digest(state)) && now - attempt.startedAt < LOGIN_MS;
}
