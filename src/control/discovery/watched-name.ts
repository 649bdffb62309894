import type { Clock } from '../../clock.ts';
import type { AnswerRules, Trouble } from '../../upstream/discovery/known-answer.ts';
import { type OwnFamilies, reachableAmong } from '../../upstream/discovery/reachable.ts';
import type { NameLookup } from './name-lookup.ts';
import { Question } from './question.ts';
import type { Heard, Source, SourceState } from './source.ts';

/** How names are resolved. */
export interface NameOptions {
  readonly family: 'any' | 4 | 6;
  /** `address:port`; none for those of the system. */
  readonly servers: readonly string[];
  readonly rules: AnswerRules;
}

export interface NameParts {
  readonly lookup: NameLookup;
  readonly ownFamilies: () => OwnFamilies;
  readonly clock: Clock;
  readonly random: () => number;
  readonly heard: Heard;
}

/** Identity of `name` resolved in this way. */
export function nameKey(name: string, { family, servers, rules }: NameOptions): string {
  return JSON.stringify(['dns', name, family, servers, rules.minMs, rules.maxMs, rules.staleMs, rules.goneMs]);
}

/**
 * The addresses of one name. Each family is a question of its own: a name server that stays silent on one of them holds up
 * nobody, and each has its own TTL.
 */
export class WatchedName implements Source, SourceState {
  readonly key: string;
  readonly text: string;
  readonly #questions: readonly Question<string>[];
  readonly #options: NameOptions;
  readonly #ownFamilies: () => OwnFamilies;
  /** `null` until somebody asks after an answer: what this machine has is not looked up for every pool and every other name. */
  #addresses: readonly string[] | null = null;

  constructor(name: string, options: NameOptions, parts: NameParts) {
    this.key = nameKey(name, options);
    this.text = `dns ${name}`;
    this.#options = options;
    this.#ownFamilies = parts.ownFamilies;
    const families = options.family === 'any' ? ([4, 6] as const) : [options.family];
    this.#questions = families.map((family) => {
      return new Question<string>({
        ask: () => parts.lookup.addresses(name, family, options.servers),
        rules: options.rules,
        textOf: (address) => address,
        clock: parts.clock,
        random: parts.random,
        heard: (items) => {
          this.#addresses = null;
          parts.heard(this, items);
        },
      });
    });
  }

  get addresses(): readonly string[] {
    this.#addresses ??= this.#reachable();
    return this.#addresses;
  }

  #reachable(): readonly string[] {
    const all = this.#questions.flatMap(({ items }) => items);
    return this.#options.family === 'any' && all.length > 0 ? reachableAmong(all, this.#ownFamilies()) : all;
  }

  get state(): SourceState {
    return this;
  }

  /** One family is enough. */
  get asked(): boolean {
    return (
      this.#questions.every(({ asked }) => asked) ||
      this.#questions.some(({ asked, trouble }) => asked && trouble === null)
    );
  }

  /** A name without addresses of one family is a usual thing; in trouble are those that no family does well for. */
  get trouble(): Trouble | null {
    const troubles = this.#questions.map(({ trouble }) => trouble);
    // A failure says more than that there is none of the other family.
    const worst = troubles.find((trouble) => trouble?.kind === 'failed') ?? troubles[0];
    return troubles.includes(null) ? null : (worst ?? null);
  }

  get goodAtMs(): number | null {
    const times = this.#questions.flatMap(({ goodAtMs }) => goodAtMs ?? []);
    return times.length === 0 ? null : Math.max(...times);
  }

  get nextAtMs(): number | null {
    const times = this.#questions.flatMap(({ nextAtMs }) => nextAtMs ?? []);
    return times.length === 0 ? null : Math.min(...times);
  }

  begin(): void {
    for (const question of this.#questions) question.begin();
  }

  end(): void {
    for (const question of this.#questions) question.end();
  }
}
