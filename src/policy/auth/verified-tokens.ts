import { hash } from 'node:crypto';
import type { Identity } from '../identity.ts';
import type { KeySet } from './token-keys.ts';

const MAX_TOKENS = 10_000;
/** Of their texts, which what they say is made of. */
const MAX_CHARACTERS = 8 * 1024 * 1024;

interface Verified {
  readonly identity: Identity;
  readonly keys: KeySet;
  readonly untilMs: number;
  readonly length: number;
}

/** What a token is known by. It is itself kept nowhere. */
export function tokenDigest(token: string): string {
  return hash('sha256', token, 'base64');
}

/**
 * Tokens whose signature was verified, by their digests, until they expire or the keys change. At most 10 000, and 8 MiB of text; those
 * that were not used for longest go first. Tokens without a sound signature never get here.
 */
export class VerifiedTokens {
  readonly #known = new Map<string, Verified>();
  #characters = 0;

  get size(): number {
    return this.#known.size;
  }

  /** Hot. `keys` are those in force now: what others verified is not known. */
  get(digest: string, keys: KeySet | null, nowMs: number): Identity | null {
    const verified = this.#known.get(digest);
    if (verified === undefined) return null;
    this.#known.delete(digest);
    if (verified.keys !== keys || nowMs >= verified.untilMs) {
      this.#characters -= verified.length;
      return null;
    }
    // Behind all others: a Map keeps the order in which its keys came.
    this.#known.set(digest, verified);
    return verified.identity;
  }

  add(digest: string, verified: Verified): void {
    this.#drop(digest);
    this.#known.set(digest, verified);
    this.#characters += verified.length;
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_TOKENS && this.#characters <= MAX_CHARACTERS) return;
      this.#drop(oldest);
    }
  }

  #drop(digest: string): void {
    const verified = this.#known.get(digest);
    if (verified === undefined) return;
    this.#known.delete(digest);
    this.#characters -= verified.length;
  }
}
