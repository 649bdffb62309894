import { parentPort } from 'node:worker_threads';
import { passwordMatches } from './password-matches.ts';

/** What the thread is asked. */
export interface PasswordQuestion {
  readonly hash: string;
  readonly password: string;
}

// A thread that answers whether a password has a hash, one after the other: true, false, or `null` where that can't be computed.
parentPort?.on('message', ({ hash, password }: PasswordQuestion) => {
  parentPort?.postMessage(answer(hash, password));
});

function answer(hash: string, password: string): boolean | null {
  try {
    return passwordMatches(hash, password);
  } catch {
    // No memory for it, or a Node.js without argon2.
    return null;
  }
}
