import type { LimitsConfig } from '../../config/schema/pool/limits.ts';
import type { PoolConfig } from '../../config/schema/pool/pool.ts';
import type { LimitOptions } from '../../upstream/limit/pool-limit.ts';
import type { PoolOptions } from '../../upstream/pool.ts';
import type { Ledger } from '../ledger.ts';

/** What keeps a pool within its limits; `null` for a pool without. */
export function compileLimits(
  name: string,
  { limits }: PoolConfig,
  ledger: Ledger,
): NonNullable<PoolOptions['limits']> | null {
  if (limits === undefined) return null;
  const options = limitOptionsOf(limits);
  return { keeper: ledger.limit(name, options), options };
}

function limitOptionsOf({ inFlight, perEndpoint, adaptive, queue }: LimitsConfig): LimitOptions {
  return {
    inFlight: inFlight ?? Number.POSITIVE_INFINITY,
    perEndpoint: perEndpoint ?? Number.POSITIVE_INFINITY,
    queue: {
      size: queue.size,
      timeoutMs: queue.timeout,
      targetMs: queue.target,
      intervalMs: queue.interval,
    },
    adaptive:
      adaptive === undefined
        ? null
        : {
            min: adaptive.min,
            max: adaptive.max,
            start: adaptive.start,
            tolerance: adaptive.tolerance,
            probeMs: adaptive.probe,
          },
  };
}
