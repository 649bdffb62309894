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

interface Entry extends Verified {
  /** Since it was looked at for eviction. */
  used: boolean;
}

/** What a token is known by. It is itself kept nowhere. */
export function tokenDigest(token: string): string {
  return hash('sha256', token, 'base64');
}

/**
 * Tokens whose signature was verified, by their digests, until they expire or the keys change. At most 10 000, and 8 MiB of text; those
 * that were not used go first (second chance: a hit sets a flag and moves nothing). Tokens without a sound signature never get here.
 */
export class VerifiedTokens {
  readonly #known = new Map<string, Entry>();
  #characters = 0;

  get size(): number {
    return this.#known.size;
  }

  /** Hot. `keys` are those in force now: what others verified is not known. */
  get(digest: string, keys: KeySet | null, nowMs: number): Identity | null {
    const entry = this.#known.get(digest);
    if (entry === undefined) return null;
    if (entry.keys !== keys || nowMs >= entry.untilMs) {
      this.#drop(digest);
      return null;
    }
    entry.used = true;
    return entry.identity;
  }

  add(digest: string, verified: Verified): void {
    this.#drop(digest);
    this.#known.set(digest, { ...verified, used: false });
    this.#characters += verified.length;
    // Each is passed over once at most before it goes: two rounds are the most.
    for (const [oldest, entry] of this.#known) {
      if (this.#known.size <= MAX_TOKENS && this.#characters <= MAX_CHARACTERS) return;
      if (!entry.used) this.#drop(oldest);
      else {
        entry.used = false;
        this.#known.delete(oldest);
        this.#known.set(oldest, entry);
      }
    }
  }

  #drop(digest: string): void {
    const verified = this.#known.get(digest);
    if (verified === undefined) return;
    this.#known.delete(digest);
    this.#characters -= verified.length;
  }
}
