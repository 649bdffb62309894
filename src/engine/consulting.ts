import type { GatewayError } from '../errors.ts';
import type { Verdict } from '../policy/admit.ts';
import type { Decision } from './decide.ts';
import { fail, internalError } from './fail.ts';
import type { EngineParts } from './parts.ts';
import type { Progress } from './progress.ts';

/** An exchange that waits for what a policy has asked somebody. The policy bounds the time; a client that leaves ends it. */
export class Consulting {
  readonly #parts: EngineParts;
  readonly #carryOut: (progress: Progress, decision: Decision) => void;
  readonly #progress: Progress;
  readonly #decision: Decision & { readonly kind: 'consult' };
  #over = false;

  constructor(
    {
      parts,
      carryOut,
    }: { readonly parts: EngineParts; readonly carryOut: (progress: Progress, decision: Decision) => void },
    progress: Progress,
    decision: Decision & { readonly kind: 'consult' },
  ) {
    this.#parts = parts;
    this.#carryOut = carryOut;
    this.#progress = progress;
    this.#decision = decision;
  }

  begin(): void {
    const { exchange } = this.#progress;
    const { consultation } = this.#decision;
    const clientGone = (cause: GatewayError): void => {
      this.#over = true;
      exchange.onClientGone = null;
      consultation.cancel();
      fail(this.#progress, cause);
    };
    exchange.onClientGone = clientGone;
    consultation.begin((verdict) => this.#done(verdict));
  }

  #done(verdict: Verdict | null): void {
    if (this.#over) return;
    this.#over = true;
    const progress = this.#progress;
    const { clock } = this.#parts;
    progress.exchange.onClientGone = null;
    progress.goOn(clock.monotonic());
    try {
      this.#carryOut(progress, this.#decision.resume(verdict, clock.now()));
    } catch (bug) {
      progress.bug ??= bug;
      fail(progress, internalError(bug));
    }
    if (!progress.over && progress.waitsSince === 0) progress.rest(clock.monotonic(), false);
  }
}
