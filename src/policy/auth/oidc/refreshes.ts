import { createHash } from 'node:crypto';
import type { Clock } from '../../../clock.ts';
import type { ProviderAnswer, ProviderTokens } from './provider.ts';

export type Refreshed = ProviderAnswer<ProviderTokens>;

interface Entry {
  readonly answer: Promise<Refreshed>;
  /** Monotonic; since when it is known. */
  settledAt: number;
  keepMs: number;
}

const MAX_ENTRIES = 10_000;
/** Requests that a page had sent before the new cookie came. */
const KEEP_MS = 60_000;
/** A provider that does not answer is not asked by every request. */
const PAUSE_MS = 15_000;

/**
 * Refreshes by their token: a browser sends ten requests at once with the same cookie, and providers that hand out each refresh token for one use
 * take a second use for theft and end the session (RFC 9700 §4.14.2). So what one request learned holds for those that come within a minute with the
 * old cookie. At most 10 000, the oldest goes.
 */
export class Refreshes {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What the refresh brings, brought, or could not bring a moment ago. `ask` never rejects. */
  once(refreshToken: string, ask: () => Promise<Refreshed>): Promise<Refreshed> {
    this.#forget();
    const key = createHash('sha256').update(refreshToken).digest('base64url');
    const known = this.#entries.get(key);
    if (known !== undefined && this.#isFresh(known)) return known.answer;
    const answer = ask();
    const entry: Entry = { answer, settledAt: Number.POSITIVE_INFINITY, keepMs: 0 };
    // Again at the end of the line.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    void answer.then((got) => {
      entry.settledAt = this.#clock.monotonic();
      entry.keepMs = !got.ok && got.why === 'unavailable' ? PAUSE_MS : KEEP_MS;
    });
    return answer;
  }

  get size(): number {
    return this.#entries.size;
  }

  #isFresh({ settledAt, keepMs }: Entry): boolean {
    return this.#clock.monotonic() < settledAt + keepMs;
  }

  #forget(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size < MAX_ENTRIES && this.#isFresh(entry)) return;
      this.#entries.delete(key);
    }
  }
}
