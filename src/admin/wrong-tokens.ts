import type { Clock } from '../clock.ts';
import { ClientTable } from './client-table.ts';
import { digest } from './token.ts';

/** Typing errors cost nothing. */
const FREE = 4;
/** The next one costs this, and each after it twice as much … */
const FIRST_MS = 1_000;
/** … up to this. */
const LONGEST_MS = 300_000;
/** A client that brought no wrong token for so long starts afresh. */
const FORGOTTEN_MS = 900_000;
/** Wrong tokens that are remembered of one client. */
const REMEMBERED = 4;

interface Guesses {
  count: number;
  /** Digests of the latest ones. */
  readonly latest: string[];
  atMs: number;
  untilMs: number;
}

/**
 * Makes guessing tokens slow: a client that has brought several wrong ones is not listened to for a while, which doubles with each. The
 * same wrong token again is no guess: a scraper with the token of yesterday locks out nobody else at its address.
 */
export class WrongTokens {
  readonly #clock: Clock;
  readonly #clients = new ClientTable<Guesses>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whole seconds, from 1, for which tokens of this client are not looked at; 0 for none. */
  waitOf(address: string): number {
    const guesses = this.#clients.get(address);
    return guesses === undefined ? 0 : Math.ceil(Math.max(0, guesses.untilMs - this.#clock.monotonic()) / 1000);
  }

  /** The client has brought a wrong one. Returns how many that were, the same ones aside. */
  wrong(address: string, token: string): number {
    const now = this.#clock.monotonic();
    const known = this.#clients.get(address);
    const guesses =
      known === undefined || now - known.atMs > FORGOTTEN_MS ? { count: 0, latest: [], atMs: now, untilMs: 0 } : known;
    guesses.atMs = now;
    const guess = digest(token).toString('base64');
    if (!guesses.latest.includes(guess)) {
      guesses.count += 1;
      guesses.latest.push(guess);
      if (guesses.latest.length > REMEMBERED) guesses.latest.shift();
      if (guesses.count > FREE)
        guesses.untilMs = now + Math.min(LONGEST_MS, FIRST_MS * 2 ** (guesses.count - FREE - 1));
    }
    this.#clients.set(address, guesses);
    return guesses.count;
  }

  /** It has brought the right one. */
  right(address: string): void {
    this.#clients.delete(address);
  }
}
