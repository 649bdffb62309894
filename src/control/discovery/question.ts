import type { Clock, TimerHandle } from '../../clock.ts';
import { type AnswerRules, type Asked, KnownAnswer, type Trouble } from '../../upstream/discovery/known-answer.ts';
import type { SourceState } from './source.ts';

export interface QuestionParts<T> {
  /** Never rejects. */
  readonly ask: () => Promise<Asked<T>>;
  readonly rules: AnswerRules;
  /** Says all of an item. */
  readonly textOf: (item: T) => string;
  readonly clock: Clock;
  readonly random: () => number;
  /** After every answer and failure; `items`: they are others now. */
  readonly heard: (items: boolean) => void;
}

/** One question that is asked for as long as somebody wants to know: when its answer has grown old, sooner while there is none. */
export class Question<T> implements SourceState {
  readonly #parts: QuestionParts<T>;
  readonly #known: KnownAnswer<T>;
  #timer: TimerHandle | null = null;
  #nextAtMs: number | null = null;
  /** Number of the round; what an earlier one brings is too late. */
  #round = 0;
  #begun = false;
  #asking = false;
  #askAgain = false;

  constructor(parts: QuestionParts<T>) {
    this.#parts = parts;
    this.#known = new KnownAnswer(parts.rules, parts.textOf);
  }

  get items(): readonly T[] {
    return this.#known.items;
  }

  get trouble(): Trouble | null {
    return this.#known.trouble;
  }

  get asked(): boolean {
    return this.#known.asked;
  }

  /** On the monotonic clock; `null` before there was one. */
  get goodAtMs(): number | null {
    return this.#known.goodAtMs;
  }

  /** On the monotonic clock; `null` while it is being asked, or is not. */
  get nextAtMs(): number | null {
    return this.#nextAtMs;
  }

  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#ask();
  }

  /** Something has changed: asks now, or once more as soon as what is under way is answered. */
  again(): void {
    if (!this.#begun) return;
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    if (this.#timer !== null) this.#parts.clock.cancel(this.#timer);
    this.#ask();
  }

  /** Asks no more. What is known stays. */
  end(): void {
    this.#begun = false;
    this.#asking = false;
    this.#askAgain = false;
    this.#round += 1;
    this.#nextAtMs = null;
    if (this.#timer !== null) this.#parts.clock.cancel(this.#timer);
    this.#timer = null;
  }

  #ask(): void {
    this.#timer = null;
    this.#nextAtMs = null;
    this.#asking = true;
    const round = this.#round;
    void this.#parts.ask().then((asked) => {
      if (round === this.#round) this.#heard(asked);
    });
  }

  #heard(asked: Asked<T>): void {
    const { clock, random, heard } = this.#parts;
    const nowMs = clock.monotonic();
    this.#asking = false;
    const changed = this.#known.take(asked, nowMs);
    const delayMs = this.#known.delayMs(nowMs, random());
    this.#nextAtMs = nowMs + delayMs;
    this.#timer = clock.after(delayMs, () => this.#ask());
    heard(changed);
    if (!this.#askAgain) return;
    this.#askAgain = false;
    this.again();
  }
}
