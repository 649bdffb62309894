import { ManualClock } from '../kit/manual-clock.ts';
import { Activity } from './activity.ts';
import type { Case } from './case.ts';
import { compare, type Difference } from './compare.ts';
import { counts } from './counts.ts';
import type { Observation } from './observation.ts';
import { REFERENCE, Stage, type Variant } from './stage.ts';

/** Turns of the event loop without any movement after which a step is over; more where a difference is looked at again. */
const QUIET_TURNS = 5;
const VERY_QUIET_TURNS = 25;

/**
 * What passes after the last deed of a case, in milliseconds: a lingering close is over after the second, a head that does not come after
 * the third, an endpoint's after the fourth, an idle connection's time after the last.
 */
const AFTERWARDS_MS = [600, 2_500, 11_000, 70_000, 80_000];

export interface Finding {
  readonly variant: Variant;
  readonly index: number;
  readonly one: Case;
  readonly differences: readonly Difference[];
  readonly reference: Observation;
  readonly other: Observation;
}

/** Runs cases through the reference and through the variants side by side, step by step, under one clock that stands still between steps. */
export class Bench {
  readonly #stages: readonly Stage[];
  readonly #clock: ManualClock;
  readonly #activity: Activity;
  #runs = 0;
  #differed = false;
  #passing: Finding[] = [];

  private constructor(stages: readonly Stage[], clock: ManualClock, activity: Activity) {
    this.#stages = stages;
    this.#clock = clock;
    this.#activity = activity;
  }

  /** The gateways are stopped, and examined, after the test. */
  static async start(variants: readonly Variant[], slots: number): Promise<Bench> {
    const clock = new ManualClock();
    const activity = new Activity();
    const stages: Stage[] = [];
    const tls = variants.some((variant) => variant.tls === true);
    for (const variant of [{ ...REFERENCE, tls }, ...variants])
      stages.push(await Stage.start(variant, { slots, clock, activity }));
    return new Bench(stages, clock, activity);
  }

  get slots(): number {
    return this.#stages[0]?.slots ?? 0;
  }

  get variants(): readonly Variant[] {
    return this.#stages.map(({ variant }) => variant);
  }

  /**
   * Metrics in which a variant is not what the reference is, after everything that they have run. Nothing is said once there was a
   * difference, known or not: the counts can't be the same then.
   */
  async uncommonCounts(): Promise<string[]> {
    if (this.#differed) return [];
    const counted = await Promise.all(this.#stages.map(async (stage) => counts(await stage.metrics())));
    const [reference = new Set<string>(), ...others] = counted;
    return others.flatMap((other, at) => {
      const only = [...reference.difference(other)].map((line) => `reference: ${line}`);
      const more = [...other.difference(reference)].map((line) => `${this.#stages[at + 1]?.variant.name}: ${line}`);
      return [...only, ...more];
    });
  }

  /** Differences at first sight: some of them may not be there again. */
  async suspicions(cases: readonly Case[]): Promise<Finding[]> {
    return this.#compared(cases, await this.run(cases, QUIET_TURNS));
  }

  /** At most `slots` cases at a time. A difference counts only if it is there again, alone and with more patience. */
  async differences(cases: readonly Case[]): Promise<Finding[]> {
    const lasting: Finding[] = [];
    for (const suspicion of await this.suspicions(cases)) {
      const { variant, index } = suspicion;
      this.#differed = true;
      const again = await this.#again(cases[index] as Case);
      const found = again.find((finding) => finding.variant === variant);
      if (found === undefined) this.#passing.push(suspicion);
      else lasting.push({ ...found, index });
    }
    return lasting;
  }

  /** Differences of the last calls of `differences` that did not come back; none of them twice. */
  takePassing(): readonly Finding[] {
    const passing = this.#passing;
    this.#passing = [];
    return passing;
  }

  /** `finding` is not there on other gateways. */
  passed(finding: Finding): void {
    this.#passing.push(finding);
  }

  /** Observations by stage, then by case. */
  async run(cases: readonly Case[], quietTurns: number): Promise<Observation[][]> {
    this.#runs += 1;
    const nonce = String(this.#runs).padStart(6, '0');
    let round = 0;
    const settle = (): Promise<void> => this.#activity.settle(quietTurns);
    for (const stage of this.#stages) stage.begin(cases, nonce, () => round);
    await Promise.all(this.#stages.map((stage) => stage.connected()));
    await settle();
    for (;;) {
      round += 1;
      const moved = this.#stages.map((stage) => stage.step());
      if (!moved.includes(true)) break;
      await settle();
    }
    const lastDeed = round;
    for (const ms of AFTERWARDS_MS) {
      round += 1;
      this.#clock.advance(ms);
      await settle();
    }
    round += 1;
    for (const stage of this.#stages) stage.clientsLeave();
    await settle();
    const observations = await Promise.all(this.#stages.map((stage) => stage.observations(lastDeed)));
    for (const stage of this.#stages) stage.originsLeave();
    await settle();
    return observations;
  }

  async #again(one: Case): Promise<Finding[]> {
    const first = this.#compared([one], await this.run([one], VERY_QUIET_TURNS));
    if (first.length === 0) return [];
    const second = this.#compared([one], await this.run([one], VERY_QUIET_TURNS));
    return first.filter(({ variant }) => second.some((other) => other.variant === variant));
  }

  #compared(cases: readonly Case[], [references = [], ...others]: readonly Observation[][]): Finding[] {
    return others.flatMap((observations, at) =>
      observations.flatMap((other, index) => {
        const reference = references[index] as Observation;
        const differences = compare(reference, other);
        const variant = this.#stages[at + 1]?.variant as Variant;
        const one = cases[index] as Case;
        return differences.length === 0 ? [] : [{ variant, index, one, differences, reference, other }];
      }),
    );
  }
}
