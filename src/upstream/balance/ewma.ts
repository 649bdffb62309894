// Hot: two estimates per attempt. Benchmark: bench/balance.ts.
import type { Clock } from '../../clock.ts';
import type { AttemptWatcher } from '../attempt-watcher.ts';
import type { Loads } from './two-choices.ts';

/** What an attempt without an answer counts as, however fast it failed: a refused connection is no fast answer. */
const FAILURE_MS = 1_000;

/** Load of an endpoint that has work but never answered: it gets one request to show what it can do, and then waits for that. */
const UNKNOWN_MS = 1_000_000;

/** Estimated latency × (in flight + 1): how long this request would take there, were they answered one after the other. */
export function ewmaLoads(clock: Clock): Loads {
  return {
    reading: () => clock.monotonic(),
    of: ({ live }, nowMs) => {
      if (!live.latency.isUnknown) return live.latency.at(nowMs) * (live.inFlight + 1);
      return live.inFlight * UNKNOWN_MS;
    },
  };
}

/** Learns the latencies that `ewmaLoads` reads, from every attempt. */
export function latencyWatcher(clock: Clock): AttemptWatcher {
  return {
    began: () => {},
    answered: ({ live }, status, headMs) => {
      // An error is often fast, and must not draw requests to who makes it.
      if (status >= 500) live.latency.observeFailure(headMs, clock.monotonic());
      else live.latency.observe(headMs, clock.monotonic());
    },
    failed: ({ live }) => live.latency.observeFailure(FAILURE_MS, clock.monotonic()),
    ended: () => {},
  };
}
