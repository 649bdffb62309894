import type { GatewayError } from '../errors.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { Admission, type Applicant } from '../upstream/limit/admission.ts';
import type { PoolLimit } from '../upstream/limit/pool-limit.ts';
import type { Pool } from '../upstream/pool.ts';
import { breakerRefusal } from './breaker-refusal.ts';
import { unavailable } from './fail.ts';

/** An attempt that a pool has no room for now. */
export interface TurnSeeker extends Pick<Applicant, 'importance' | 'again' | 'plain' | 'tried'> {
  /** How the attempt before it failed: that says more than that there was no turn for another one. */
  readonly lastError: GatewayError | null;
  readonly pick: () => Endpoint | null;
  readonly begin: (endpoint: Endpoint) => void;
  /** There will be no attempt. */
  readonly none: (error: GatewayError) => void;
  /** `begin` threw. */
  readonly broke: (bug: unknown) => void;
}

/** For the queue of a pool: `wait` begins it, `leave` ends it. */
export function turnOf(pool: Pool, limit: PoolLimit, seeker: TurnSeeker): Admission {
  const { lastError, importance, again, plain, tried } = seeker;
  const { breaker } = pool;
  return new Admission(pool, limit, {
    ...{ importance, again, plain, tried },
    // It may have tripped since the wait began.
    pick: () => (breaker === null || breaker.admits ? seeker.pick() : null),
    begin: (endpoint) => {
      try {
        seeker.begin(endpoint);
      } catch (bug) {
        seeker.broke(bug);
      }
    },
    refused: (error) => seeker.none(lastError ?? error),
    unavailable: () =>
      seeker.none(lastError ?? (breaker === null ? null : breakerRefusal(breaker)) ?? unavailable(pool)),
  });
}
