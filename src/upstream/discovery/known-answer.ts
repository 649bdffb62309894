/** What came of asking once. */
export type Asked<T> =
  /** `ttlMs`: `null` when nobody said how long it holds. */
  { readonly kind: 'found'; readonly items: readonly T[]; readonly ttlMs: number | null } | Trouble;

/** How long answers are used. */
export interface AnswerRules {
  /** An answer is asked for again no sooner and no later than this after it came, whatever its TTL says. */
  readonly minMs: number;
  readonly maxMs: number;
  /** Longest use of the last answer while asking fails; `null` for ever. */
  readonly staleMs: number | null;
  /** Longest use of the last answer while there is said to be none. */
  readonly goneMs: number;
}

/** Why nothing new is known. `none`: an answer all the same, that there is nothing. `failed`: no answer, or one that says nothing. */
export interface Trouble {
  readonly kind: 'none' | 'failed';
  /** Enumerated: `no-such-name`, `dns-timeout`, `broken-file`, … */
  readonly reason: string;
  /** `endpoints.yaml:3:7: …`; absent when there is no more to say. */
  readonly detail?: string;
}

/** In place of a TTL that nobody gave. */
const USUAL_MS = 30_000;
/** Whatever bounds and a TTL of 0 say: below it, asking would be all that the gateway does. */
const SOONEST_MS = 100;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;
/** Gateways that started together should not ask together for ever. */
const JITTER = 0.1;

/**
 * The last good answer to one question, kept while asking again fails, and when to ask again. Pure arithmetic: whoever asks gives
 * the time, in milliseconds of any clock that does not go back.
 */
export class KnownAnswer<T> {
  readonly #rules: AnswerRules;
  readonly #textOf: (item: T) => string;
  #items: readonly T[] = [];
  #text = '';
  #ttlMs: number | null = null;
  #goodAtMs: number | null = null;
  #noneSinceMs: number | null = null;
  #trouble: Trouble | null = null;
  #failures = 0;
  #asked = false;

  /** `textOf` says all of an item: by it answers are put in order, and compared. */
  constructor(rules: AnswerRules, textOf: (item: T) => string) {
    this.#rules = rules;
    this.#textOf = textOf;
  }

  /** In an order of their own, so that servers which rotate their answers change nothing. */
  get items(): readonly T[] {
    return this.#items;
  }

  /** `null` while the latest answer is a good one. */
  get trouble(): Trouble | null {
    return this.#trouble;
  }

  /** When the latest good answer came. */
  get goodAtMs(): number | null {
    return this.#goodAtMs;
  }

  /** Was there any answer or failure yet? */
  get asked(): boolean {
    return this.#asked;
  }

  /** Takes what came of asking, at `nowMs`; returns whether the items are others now. */
  take(asked: Asked<T>, nowMs: number): boolean {
    this.#asked = true;
    if (asked.kind === 'found') {
      this.#trouble = null;
      this.#failures = 0;
      this.#noneSinceMs = null;
      this.#goodAtMs = nowMs;
      this.#ttlMs = asked.ttlMs;
      return this.#become(asked.items);
    }
    this.#trouble = asked;
    this.#failures += 1;
    if (asked.kind === 'none') this.#noneSinceMs ??= nowMs;
    return this.#heldMs(nowMs) <= 0 && this.#become([]);
  }

  /** How long to wait before asking again. `random` is in [0, 1). */
  delayMs(nowMs: number, random: number): number {
    const { minMs, maxMs } = this.#rules;
    if (this.#trouble === null) {
      const holdMs = Math.max(SOONEST_MS, Math.min(maxMs, Math.max(minMs, this.#ttlMs ?? USUAL_MS)));
      // Later, never earlier: until then a cache on the way would only repeat itself.
      return holdMs * (1 + JITTER * random);
    }
    const doubled = FIRST_RETRY_MS * 2 ** Math.min(this.#failures - 1, 10);
    const retryMs = Math.min(LAST_RETRY_MS, Math.max(FIRST_RETRY_MS, maxMs), doubled) * (0.5 + 0.5 * random);
    // The moment when the last answer may be used no longer is not to be slept through.
    return this.#items.length === 0 ? retryMs : Math.min(retryMs, Math.max(this.#heldMs(nowMs), 1));
  }

  /** How much longer the last good answer may be used while things are as they are. */
  #heldMs(nowMs: number): number {
    const { staleMs, goneMs } = this.#rules;
    const stale = staleMs === null ? Number.POSITIVE_INFINITY : (this.#goodAtMs ?? nowMs) + staleMs - nowMs;
    const gone = this.#noneSinceMs === null ? Number.POSITIVE_INFINITY : this.#noneSinceMs + goneMs - nowMs;
    return Math.min(stale, gone);
  }

  #become(items: readonly T[]): boolean {
    const texts = new Map(items.map((item) => [this.#textOf(item), item]));
    const sorted = [...texts].sort(([a], [b]) => (a < b ? -1 : 1));
    const text = sorted.map(([item]) => item).join('\n');
    if (text === this.#text) return false;
    this.#text = text;
    this.#items = sorted.map(([, item]) => item);
    return true;
  }
}
