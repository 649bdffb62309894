// Hot: every request of a limited route. Benchmark: bench/rate-limit.ts.

import type { Clock } from '../../clock.ts';
import type { AdmitPolicy, Consultation, PolicyRequest, Verdict } from '../admit.ts';
import type { Owed, RateStore } from './rate-store.ts';
import { type LimitRule, Trial } from './trial.ts';

type RateLimitPhase = 'rateLimit' | 'identityRateLimit';

interface RateLimitOptions<Phase> {
  readonly phase: Phase;
  readonly clock: Clock;
}

/**
 * Several limits as one: a request is let through if all admit it, and if one refuses, none has counted it. Those that have a store have the same.
 * While the store can't be asked, what this process has seen decides.
 */
export function rateLimitPolicy<Phase extends RateLimitPhase>(
  rules: readonly LimitRule[],
  { phase, clock }: RateLimitOptions<Phase>,
): AdmitPolicy<Phase> {
  const store = rules.find((rule) => rule.store !== null)?.store ?? null;
  const items = rules.flatMap(({ policyItem }) => policyItem ?? []);
  const tells = items.length === 0 ? null : items.join(', ');
  // A decision without a store is made at once, so that no other comes between.
  const scratch = rules.map((rule) => new Trial(rule));
  const admit = (request: PolicyRequest): Verdict | null => {
    const asked = store === null || request.hypothetical || !store.available ? null : store;
    const trials = asked === null ? scratch : rules.map((rule) => new Trial(rule));
    let counts = false;
    for (const trial of trials) {
      trial.begin(request);
      counts ||= trial.counts;
    }
    if (!counts) return null;
    if (asked !== null) return withStore(asked, { trials, request, clock, tells });
    if (store !== null && !request.hypothetical) noteAlone(trials);
    look(trials, clock.monotonic());
    return settle(trials, request, tells);
  };
  return { phase, policy: 'rateLimit', admit };
}

function look(trials: readonly Trial[], ms: number): void {
  for (const trial of trials) if (trial.counts) trial.lookHere(ms);
}

/** The one that refuses for longest. */
function refusing(trials: readonly Trial[]): Trial | null {
  let found: Trial | null = null;
  for (const trial of trials) {
    if (!trial.counts || trial.rule.dryRun || trial.admitted) continue;
    if (found === null || trial.waitMs > found.waitMs) found = trial;
  }
  return found;
}

/** All have looked. */
function settle(trials: readonly Trial[], request: PolicyRequest, tells: string | null): Verdict | null {
  const no = refusing(trials);
  if (!request.hypothetical) {
    count(trials, request, no);
    if (tells !== null) tell(no === null ? trials : [no], request, tells);
  }
  return no === null ? null : { kind: 'refuse', error: no.refusal };
}

function count(trials: readonly Trial[], request: PolicyRequest, no: Trial | null): void {
  for (const trial of trials) {
    if (!trial.counts) continue;
    const { limit, dryRun, store } = trial.rule;
    if (trial.admitted) {
      if (no === null) trial.take();
      else if (store !== null) trial.remember();
      continue;
    }
    if (store !== null) trial.remember();
    if (dryRun) {
      limit.wouldHaveRefused += 1;
      request.note(`rate-limit-dry-run:${limit.name}`);
    }
  }
  if (no === null) return;
  no.rule.limit.refused += 1;
  request.note(`rate-limit-exceeded:${no.rule.limit.name}`);
}

/** Of several limits the one with least left is told. */
function tell(trials: readonly Trial[], request: PolicyRequest, policies: string): void {
  let least: Trial | null = null;
  for (const trial of trials) {
    if (!trial.counts || trial.rule.policyItem === null) continue;
    if (least === null || trial.remaining < least.remaining) least = trial;
  }
  request.addResponseField('RateLimit-Policy', policies);
  if (least !== null) request.addResponseField('RateLimit', least.item);
}

interface Asking {
  readonly trials: readonly Trial[];
  readonly request: PolicyRequest;
  readonly clock: Clock;
  readonly tells: string | null;
}

function withStore(store: RateStore, { trials, request, clock, tells }: Asking): Verdict | null {
  const counting = trials.filter(({ counts }) => counts);
  const there = counting.filter(({ rule }) => rule.store !== null);
  const here = counting.filter(({ rule }) => rule.store === null);
  look(here, clock.monotonic());
  // What is refused here is no business of the store; and what is taken here can be given back, which there takes another round.
  if (there.length === 0 || refusing(here) !== null) return settle(here, request, tells);
  count(here, request, null);
  const conclude = (owed: Owed | null): Verdict | null => {
    const ms = clock.monotonic();
    if (owed === null) {
      noteAlone(there);
      look(there, ms);
    } else
      there.forEach((trial, index) => {
        trial.hear(owed[index] ?? 0, ms);
      });
    const no = refusing(there);
    count(there, request, no);
    if (no !== null) for (const trial of here) trial.giveBack();
    if (tells !== null) tell(no === null ? counting : [no], request, tells);
    return no === null ? null : { kind: 'refuse', error: no.refusal };
  };
  return { kind: 'consult', consultation: new StoreConsultation(store, there, conclude) };
}

/** Those that would have been decided by the store. */
function noteAlone(trials: readonly Trial[]): void {
  for (const { counts, rule } of trials) if (counts && rule.store !== null) rule.limit.decidedAlone += 1;
}

/** Waits for the store, for its timeout at most. */
class StoreConsultation implements Consultation {
  readonly #store: RateStore;
  readonly #trials: readonly Trial[];
  readonly #conclude: (owed: Owed | null) => Verdict | null;
  #cancelled = false;

  constructor(store: RateStore, trials: readonly Trial[], conclude: (owed: Owed | null) => Verdict | null) {
    this.#store = store;
    this.#trials = trials;
    this.#conclude = conclude;
  }

  get whom(): string {
    return `store ${this.#store.address}`;
  }

  begin(done: (verdict: Verdict | null) => void): void {
    const claims = this.#trials.map(({ claim }) => claim);
    this.#store.take(claims, (owed) => {
      if (!this.#cancelled) done(this.#conclude(owed));
    });
  }

  cancel(): void {
    this.#cancelled = true;
  }
}
