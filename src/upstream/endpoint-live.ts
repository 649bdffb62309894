import { AttemptCounts } from './attempt-figures.ts';
import type { Breaker } from './breaker/breaker.ts';
import { PeakLatency } from './latency.ts';
import type { Outlier } from './outlier/outlier.ts';
import type { Revision } from './revision.ts';

/**
 * What an operator wants of an endpoint. `draining`: no new work but the sessions that it has; `disabled`: nothing at all.
 */
export type Standing = 'enabled' | 'draining' | 'disabled';

/**
 * How an endpoint feels right now. Kept by the ledger under its `EndpointId`, so that a new configuration adopts it; the ledger
 * forgets a removed endpoint, so one that comes back starts afresh. Whatever changes who may be picked moves the revision.
 */
export class EndpointLive {
  /** Attempts sent and not finished. `Pool.began` adds one, `Pool.ended` takes one. */
  inFlight = 0;
  readonly attempts = new AttemptCounts();
  /** Most attempts that it may have in flight; a pool passes over an endpoint that has them. */
  limit = Number.POSITIVE_INFINITY;
  /** `null` for a pool whose endpoints have none, and before its first attempt. It says what `tripped` is. */
  breaker: Breaker | null = null;
  /** `null` for a pool without passive health, and before its first attempt. It says what `ejected` is. */
  outlier: Outlier | null = null;
  /** Its credit in smooth weighted round robin as of the last change; within ± the sum of the weights. Written by that balancer alone. */
  credit = 0;
  /** Known where a pool balances by it. */
  readonly latency = new PeakLatency();
  readonly #revision: Revision;
  #standing: Standing = 'enabled';
  #weight: number | null = null;
  #ramp = 1;
  #ejected = false;
  #tripped = false;

  constructor(revision: Revision) {
    this.#revision = revision;
  }

  get standing(): Standing {
    return this.#standing;
  }

  set standing(standing: Standing) {
    if (standing === this.#standing) return;
    this.#standing = standing;
    this.#revision.bump();
  }

  /** In place of the configuration's weight, by hand; `null` for none. */
  get weight(): number | null {
    return this.#weight;
  }

  set weight(weight: number | null) {
    if (weight === this.#weight) return;
    this.#weight = weight;
    this.#revision.bump();
  }

  /** Share of its weight that it has while it starts slowly, above 0 and at most 1. */
  get ramp(): number {
    return this.#ramp;
  }

  set ramp(ramp: number) {
    if (ramp === this.#ramp) return;
    this.#ramp = ramp;
    this.#revision.bump();
  }

  /** Put aside by passive health: what it did to requests was worse than the pool allows. */
  get ejected(): boolean {
    return this.#ejected;
  }

  set ejected(ejected: boolean) {
    if (ejected === this.#ejected) return;
    this.#ejected = ejected;
    this.#revision.bump();
  }

  /** Its breaker admits nothing: it has tripped, or as many probes are under way as may be. */
  get tripped(): boolean {
    return this.#tripped;
  }

  set tripped(tripped: boolean) {
    if (tripped === this.#tripped) return;
    this.#tripped = tripped;
    this.#revision.bump();
  }
}
