import { createHmac, randomBytes } from 'node:crypto';
import { RatchetSecrets, type TicketChain, type TicketSecrets } from './tls/ticket-secrets.ts';

/** What is drawn at the start and has to be the same wherever a client's next request is served. */
export interface CommonSecrets {
  /** The same for the same purpose, and tells nothing of any other; base64url of 32 octets. */
  of(purpose: string): string;
  /** What session tickets are sealed with where it changes every `rotationMs`; `null` for what this process draws by itself. */
  tickets(rotationMs: number): TicketSecrets | null;
}

/** What one process hands to another so that both have the same secrets. Secret. */
export interface SecretSeed {
  readonly key: Uint8Array;
  /** One for each rotation that there is. */
  readonly chains: readonly TicketChain[];
}

/** Of a process that has none in common with anybody. */
export function ownSecrets(): CommonSecrets {
  return { of: () => randomBytes(32).toString('base64url'), tickets: () => null };
}

/** Of one process among several that were handed the same `key`. `now` is the time of the machine, which they share. */
export class SeededSecrets implements CommonSecrets {
  readonly #key: Uint8Array;
  readonly #now: () => number;
  readonly #chains = new Map<number, RatchetSecrets>();

  constructor(seed: SecretSeed, now: () => number) {
    this.#key = seed.key;
    this.#now = now;
    this.learn(seed.chains);
  }

  of(purpose: string): string {
    return createHmac('sha256', this.#key).update(purpose).digest('base64url');
  }

  tickets(rotationMs: number): TicketSecrets | null {
    return this.#chains.get(rotationMs) ?? null;
  }

  /** Rotations that came with another configuration; known ones go on. Bounded by what configurations name. */
  learn(chains: readonly TicketChain[]): void {
    for (const chain of chains) {
      if (!this.#chains.has(chain.rotationMs)) this.#chains.set(chain.rotationMs, new RatchetSecrets(chain, this.#now));
    }
  }
}

/** Who hands out the secrets: draws them once, and knows what they have become since. */
export class SecretSource {
  readonly #key = randomBytes(32);
  readonly #now: () => number;
  readonly #chains = new Map<number, RatchetSecrets>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** With a chain for each of `rotationsMs`. */
  seed(rotationsMs: Iterable<number>): SecretSeed {
    const chains = [...new Set(rotationsMs)].map((rotationMs) => this.#chain(rotationMs).chain());
    return { key: this.#key, chains };
  }

  #chain(rotationMs: number): RatchetSecrets {
    const known = this.#chains.get(rotationMs);
    if (known !== undefined) return known;
    const drawn = new RatchetSecrets(RatchetSecrets.draw(rotationMs, this.#now()), this.#now);
    this.#chains.set(rotationMs, drawn);
    return drawn;
  }
}
