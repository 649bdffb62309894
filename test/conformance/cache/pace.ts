import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { ManualClock } from '../../kit/manual-clock.ts';

/** How time passes for the cases, for the origin and for the gateway between them. */
export interface Pace {
  readonly clock: Clock;
  /** Runs all of `lanes`, as many at once as the pace wants. */
  run(lanes: readonly (() => Promise<void>)[]): Promise<void>;
  /** Called in a lane, or by the origin while a lane waits for it. */
  pause(ms: number): Promise<void>;
}

/** As many cases as this at once: enough that their pauses overlap, few enough that none waits for another for long. */
const LANES = 120;

/** The system's clock: a whole run takes as long as three or four cases. */
export function realPace(): Pace {
  return {
    clock: systemClock,
    pause: (ms) => delay(ms),
    async run(lanes) {
      const left = lanes.slice();
      await Promise.all(
        Array.from({ length: LANES }, async () => {
          for (let lane = left.shift(); lane !== undefined; lane = left.shift()) await lane();
        }),
      );
    },
  };
}

/**
 * A clock that moves when every lane waits for it, and not before: however slow the machine is, no case sees more time pass than it
 * asked for. `settled` resolves when what the gateway does in the background is over.
 */
export function steppedPace(settled: () => Promise<void>): Pace {
  const clock = new ManualClock(Date.now());
  const sleeping: { readonly dueMs: number; readonly wake: () => void }[] = [];
  let live = 0;
  const step = async (): Promise<void> => {
    if (live === 0 || sleeping.length < live) return;
    await settled();
    sleeping.sort((a, b) => a.dueMs - b.dueMs);
    const [first] = sleeping;
    if (first === undefined) return;
    clock.advance(Math.max(0, first.dueMs - clock.monotonic()));
    while (sleeping[0] !== undefined && sleeping[0].dueMs <= clock.monotonic()) sleeping.shift()?.wake();
  };
  return {
    clock,
    pause: (ms) =>
      new Promise((wake, reject) => {
        sleeping.push({ dueMs: clock.monotonic() + ms, wake });
        step().catch(reject);
      }),
    async run(lanes) {
      live += lanes.length;
      await Promise.all(
        lanes.map(async (lane) => {
          await lane();
          live -= 1;
          await step();
        }),
      );
    },
  };
}
