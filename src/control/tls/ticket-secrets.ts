import { hkdfSync, randomBytes } from 'node:crypto';
import type { TicketKey, TicketKeys } from '../../exchange/tls-policy.ts';

/** What ticket keys are made of: 48 octets each, the newest first. */
export interface TicketSecrets {
  current(): readonly Uint8Array[];
}

export const SECRET_BYTES = 48;

/** Keys that still open tickets: the newest, which seals, and the one before. */
const KEPT = 2;

/**
 * Secrets that live in this process alone and change by themselves: a new one every `rotationMs`, the one before kept for as
 * long again, so that a ticket can be used for `rotationMs` at least. No timer: who asks after the time is due gets the new one.
 */
export class RotatingSecrets implements TicketSecrets {
  readonly #rotationMs: number;
  readonly #monotonic: () => number;
  #secrets: readonly Uint8Array[];
  #due: number;

  constructor(rotationMs: number, monotonic: () => number) {
    this.#rotationMs = rotationMs;
    this.#monotonic = monotonic;
    this.#secrets = [randomBytes(SECRET_BYTES)];
    this.#due = monotonic() + rotationMs;
  }

  current(): readonly Uint8Array[] {
    const now = this.#monotonic();
    if (now < this.#due) return this.#secrets;
    // After a silence of two turns, what was the newest is as old as what would have been forgotten by now.
    const missed = Math.floor((now - this.#due) / this.#rotationMs);
    this.#secrets = [randomBytes(SECRET_BYTES), ...(missed === 0 ? this.#secrets : [])].slice(0, KEPT);
    this.#due += (missed + 1) * this.#rotationMs;
    return this.#secrets;
  }
}

/**
 * The ticket keys of one scope, derived from secrets that several listeners, and several gateways, have in common (HKDF,
 * RFC 5869): a ticket of one scope can't even be opened in another.
 */
export function ticketKeysOf(secrets: TicketSecrets, scope: string): TicketKeys {
  let of: readonly Uint8Array[] | null = null;
  let keys: readonly TicketKey[] = [];
  return {
    current() {
      const now = secrets.current();
      if (now !== of) {
        of = now;
        keys = now.map((secret) => derived(secret, scope));
      }
      return keys;
    },
  };
}

function derived(secret: Uint8Array, scope: string): TicketKey {
  const octets = new Uint8Array(hkdfSync('sha256', secret, '', `headgate session tickets ${scope}`, 64));
  return { name: octets.subarray(0, 16), hmac: octets.subarray(16, 48), aes: octets.subarray(48, 64) };
}

/** Where a chain of secrets has come to: enough to go on, and not to go back. Secret. */
export interface TicketChain {
  readonly rotationMs: number;
  /** Number of the turn that `secrets[0]` is of, counted from 1970. */
  readonly turn: number;
  /** The newest first. */
  readonly secrets: readonly Uint8Array[];
}

/**
 * Secrets that several processes have in common without telling each other when they change: each follows from the one before (HKDF,
 * RFC 5869), at times that the clock of the machine names. The last two are kept; who learns them can tell what comes, and
 * not what was.
 */
export class RatchetSecrets implements TicketSecrets {
  readonly #now: () => number;
  #chain: TicketChain;

  constructor(chain: TicketChain, now: () => number) {
    this.#chain = chain;
    this.#now = now;
  }

  /** The beginning of a chain, at `nowMs`. */
  static draw(rotationMs: number, nowMs: number): TicketChain {
    return { rotationMs, turn: Math.floor(nowMs / rotationMs), secrets: [randomBytes(SECRET_BYTES)] };
  }

  current(): readonly Uint8Array[] {
    return this.chain().secrets;
  }

  /** As it is now. A clock that was set back changes nothing. */
  chain(): TicketChain {
    const { rotationMs, turn: last } = this.#chain;
    const turn = Math.floor(this.#now() / rotationMs);
    if (turn <= last) return this.#chain;
    let { secrets } = this.#chain;
    // After a clock has gone far ahead, not every turn that nobody has seen needs one.
    for (let at = Math.max(last, turn - MOST_TURNS); at < turn; at += 1)
      secrets = [following(secrets[0] as Uint8Array), ...secrets].slice(0, KEPT);
    this.#chain = { rotationMs, turn, secrets };
    return this.#chain;
  }
}

/** Three weeks of the quickest rotation. */
const MOST_TURNS = 30_000;

function following(secret: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', 'headgate session tickets, next', SECRET_BYTES));
}
