import type { HeaderList } from '../../http/headers.ts';
import type { PolicyState } from '../policy-state.ts';
import type { Judged } from './forward-answer.ts';

const MAX_ANSWERS = 5_000;
const MAX_OCTETS = 4 * 1024 * 1024;
/** Of an entry besides what is in it. */
const ENTRY_OCTETS = 256;

type Done = (judged: Judged) => void;

/** Asks the service in earnest. `done` is called once, later; what is returned gives the question up, after which it is not. */
export type AskService = (question: HeaderList, done: Done) => () => void;

interface Kept {
  readonly judged: Judged;
  readonly untilMs: number;
  readonly octets: number;
}

interface Waiting {
  readonly done: Done;
  /** Gives up what it has asked for itself. */
  giveUp: (() => void) | null;
}

interface Asking {
  readonly question: HeaderList;
  readonly service: AskService;
  readonly waiting: Set<Waiting>;
  giveUp: () => void;
}

/**
 * What a service has answered lately, by digests of exactly what it was asked, and questions under way, which are asked once however many
 * wait for the answer. An answer that may not be kept is for one of those alone: the others ask themselves. At most 5 000 answers and 4 MiB;
 * those that were not used for longest go first.
 */
export class ForwardAnswers implements PolicyState {
  readonly id: string;
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();
  readonly #asking = new Map<string, Asking>();
  #octets = 0;

  /** `now`: monotonic milliseconds. */
  constructor(id: string, now: () => number) {
    this.id = id;
    this.#now = now;
  }

  get(digest: string): Judged | null {
    const kept = this.#kept.get(digest);
    if (kept === undefined) return null;
    if (this.#now() >= kept.untilMs) {
      this.#drop(digest);
      return null;
    }
    this.#kept.delete(digest);
    this.#kept.set(digest, kept);
    return kept.judged;
  }

  /** As `AskService`. */
  ask(
    parts: { readonly digest: string; readonly question: HeaderList; readonly service: AskService },
    done: Done,
  ): () => void {
    const { digest, question, service } = parts;
    const asking = this.#asking.get(digest) ?? this.#begin(digest, question, service);
    const waiting: Waiting = { done, giveUp: null };
    asking.waiting.add(waiting);
    return () => {
      waiting.giveUp?.();
      if (!asking.waiting.delete(waiting) || asking.waiting.size > 0) return;
      this.#asking.delete(digest);
      asking.giveUp();
    };
  }

  status(): Readonly<Record<string, number>> {
    return { answers: this.#kept.size, questions: this.#asking.size };
  }

  #begin(digest: string, question: HeaderList, service: AskService): Asking {
    const asking: Asking = { question, service, waiting: new Set(), giveUp: () => {} };
    this.#asking.set(digest, asking);
    asking.giveUp = service(question, (judged) => this.#answered(digest, asking, judged));
    return asking;
  }

  #answered(digest: string, asking: Asking, judged: Judged): void {
    this.#asking.delete(digest);
    const [first, ...others] = asking.waiting;
    asking.waiting.clear();
    if (judged.keepMs > 0) this.#keep(digest, judged);
    first?.done(judged);
    for (const other of others) {
      if (judged.isForAll) other.done(judged);
      else other.giveUp = asking.service(asking.question, other.done);
    }
  }

  #keep(digest: string, judged: Judged): void {
    this.#drop(digest);
    const octets = octetsOf(judged);
    this.#kept.set(digest, { judged, untilMs: this.#now() + judged.keepMs, octets });
    this.#octets += octets;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_ANSWERS && this.#octets <= MAX_OCTETS) return;
      this.#drop(oldest);
    }
  }

  #drop(digest: string): void {
    const kept = this.#kept.get(digest);
    if (kept === undefined) return;
    this.#kept.delete(digest);
    this.#octets -= kept.octets;
  }
}

function octetsOf(judged: Judged): number {
  if (judged.kind === 'allow') return ENTRY_OCTETS + 2 * lengthOf(judged.identity.fields);
  if (judged.kind !== 'deny') return ENTRY_OCTETS;
  return ENTRY_OCTETS + lengthOf(judged.reply.headers) + (judged.reply.body?.byteLength ?? 0);
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}
