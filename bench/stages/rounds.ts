import { setImmediate as nextTurn } from 'node:timers/promises';
import { CALLS, type Stage } from './stage.ts';

/** Nanoseconds of CPU time a call, over all rounds. */
export interface StageTime {
  readonly name: string;
  readonly leastNs: number;
  readonly medianNs: number;
  /** From the lower to the upper quartile, as a share of the median: how much the machine was in the way. */
  readonly spread: number;
}

export interface RoundOptions {
  readonly rounds: number;
  /** CPU time of one stage in one round, with what is prepared for it. */
  readonly sliceMs: number;
  readonly warmUpMs: number;
}

/**
 * Measures all stages in turn, over and over: what the machine does besides falls on all alike, and the least of the rounds is what a
 * stage costs when nobody was in the way. CPU time of the whole process, so that collecting the garbage of a stage is a part of it.
 */
export async function measureStages(
  stages: readonly Stage[],
  { rounds, sliceMs, warmUpMs }: RoundOptions,
): Promise<StageTime[]> {
  const samples = new Map(stages.map(({ name }) => [name, [] as number[]]));
  for (const stage of stages) await nanosecondsACall(stage, warmUpMs);
  for (let round = 0; round < rounds; round += 1) {
    for (const stage of stages) samples.get(stage.name)?.push(await nanosecondsACall(stage, sliceMs));
  }
  return [...samples].map(([name, times]) => ({ name, ...summary(times) }));
}

async function nanosecondsACall({ prepare, run }: Stage, sliceMs: number): Promise<number> {
  const until = cpuMicroseconds() + sliceMs * 1_000;
  let spentUs = 0;
  let batches = 0;
  for (let before = 0; before < until; batches += 1) {
    prepare?.();
    before = cpuMicroseconds();
    run();
    spentUs += cpuMicroseconds() - before;
    // What was put off to the end of the turn is done, and is not a call's: the queue would grow for ever.
    await nextTurn();
  }
  return (spentUs * 1_000) / (batches * CALLS);
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Of at least one sample. */
export function summary(samples: readonly number[]): Omit<StageTime, 'name'> {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round((sorted.length - 1) * share)] as number;
  const median = at(0.5);
  return { leastNs: at(0), medianNs: median, spread: (at(0.75) - at(0.25)) / median };
}
