import { GatewayError } from '../../../errors.ts';
import type { HeaderList } from '../../../http/headers.ts';
import {
  type AnswerOptions,
  type Judged,
  judge,
  type KeepOptions,
  noAnswer,
} from '../../../policy/auth/forward-answer.ts';
import type { PolicyState } from '../../../policy/policy-state.ts';
import { destinationOf } from '../../http-client.ts';
import { placeOf } from '../place-of-url.ts';
import type { PolicyWorld } from '../policy-world.ts';

/** Less than what servers keep them for: 60 s and more. */
const KEEP_ALIVE_MS = 30_000;

export interface AuthAskerOptions {
  readonly url: string;
  readonly ca: string | null;
  readonly timeoutMs: number;
  readonly connections: number;
  readonly limitBytes: number;
  readonly answer: AnswerOptions;
  readonly keep: KeepOptions;
}

/**
 * An auth service, asked by GET over kept connections. Questions beyond them wait, sixteen for each connection; more are failures.
 * Operators hear when it stops answering and when it answers again.
 */
export class AuthAsker implements PolicyState {
  readonly id: string;
  readonly connections: readonly string[];
  readonly #options: AuthAskerOptions;
  readonly #world: PolicyWorld;
  readonly #owner: string;
  #asking = 0;
  #broken: string | null = null;

  constructor(id: string, options: AuthAskerOptions, parts: { readonly world: PolicyWorld; readonly owner: string }) {
    this.id = id;
    const how = { ca: options.ca, timeoutMs: options.timeoutMs, ...kept(options) };
    this.connections = [destinationOf(new URL(options.url), how).connectionKey];
    this.#options = options;
    this.#world = parts.world;
    this.#owner = parts.owner;
  }

  status(): Readonly<Record<string, string | number | null>> {
    return { url: placeOf(this.#options.url), asking: this.#asking, broken: this.#broken };
  }

  readonly ask = (question: HeaderList, done: (judged: Judged) => void): (() => void) => {
    const controller = new AbortController();
    this.#asking += 1;
    void this.#judged(question, controller.signal).then((judged) => {
      this.#asking -= 1;
      if (!controller.signal.aborted) done(judged);
    });
    return () => controller.abort();
  };

  /** Never rejects. */
  async #judged(question: HeaderList, signal: AbortSignal): Promise<Judged> {
    const { answer: options, keep } = this.#options;
    try {
      const answer = await this.#answerTo(question, signal);
      const judged = judge(answer, options, keep);
      if (judged.kind === 'failed' || judged.kind === 'strange') this.#failed(`answered ${answer.status}`);
      else this.#answered();
      return judged;
    } catch (error) {
      if (!signal.aborted) this.#failed(error instanceof Error ? error.message : String(error));
      return noAnswer;
    }
  }

  async #answerTo(question: HeaderList, signal: AbortSignal) {
    const { url, ca, timeoutMs, limitBytes } = this.#options;
    const { clock, http } = this.#world;
    const dueAt = clock.monotonic() + timeoutMs;
    const asked = { method: 'GET', url, headers: question, body: null, ca, limitBytes };
    const how = { ...kept(this.#options), headDecides: true, signal };
    try {
      return await http({ ...asked, ...how, timeoutMs });
    } catch (error) {
      const leftMs = dueAt - clock.monotonic();
      // A kept connection that was closed meanwhile; a question may be asked twice (RFC 9110 §9.2.2).
      if (!(error instanceof GatewayError) || error.retry === 'never' || signal.aborted || leftMs <= 0) throw error;
      return await http({ ...asked, ...how, timeoutMs: leftMs });
    }
  }

  #failed(why: string): void {
    if (this.#broken === null) this.#event('auth-service-failed', 'warn', why);
    this.#broken = why;
  }

  #answered(): void {
    if (this.#broken !== null) this.#event('auth-service-back', 'info', 'answers again');
    this.#broken = null;
  }

  #event(event: string, level: 'info' | 'warn', detail: string): void {
    const place = placeOf(this.#options.url);
    this.#world.observer({ policy: 'auth', owner: this.#owner, event, level, detail: `${place} ${detail}` });
  }
}

function kept({ connections }: AuthAskerOptions) {
  return { keepAliveMs: KEEP_ALIVE_MS, maxConnections: connections };
}
