import { GatewayError } from '../../errors.ts';
import { wasTried } from '../balance/balancer.ts';
import { type Endpoint, isAvailable, isHealthy, weightOf } from '../endpoint.ts';
import type { Pool } from '../pool.ts';
import type { Importance } from './importance.ts';
import type { PoolLimit } from './pool-limit.ts';
import type { Choice, Place, Waiter } from './waiter.ts';

/** Who asks for a turn. Of `begin`, `refused` and `unavailable` it hears one, once. None of these throws. */
export interface Applicant {
  readonly importance: Importance;
  /** Its exchange has been in flight at this pool before: it goes before everybody who had no turn yet. */
  readonly again: boolean;
  /** Belongs to no session and has tried nobody: what has no room for it has none for others like it. */
  readonly plain: boolean;
  /** Whom it does not want any more. */
  readonly tried: readonly Endpoint[] | null;
  /** The endpoint at which it would begin now; `null` for none. */
  pick(): Endpoint | null;
  /** Its turn has come: the attempt begins at this endpoint, before this returns. */
  begin(endpoint: Endpoint): void;
  /** It gets none. */
  refused(error: GatewayError): void;
  /** While it waited, whoever could have served it went away. */
  unavailable(): void;
}

/** May it have one attempt more? */
export function hasRoom({ live }: Endpoint): boolean {
  return live.inFlight < live.limit;
}

/**
 * Is a limit the reason why `picked` can't be used now? `null` was picked when nobody is left, or nobody with room; an
 * endpoint without room, when the session belongs to it.
 */
export function mustWait(pool: Pool, picked: Endpoint | null, tried: readonly Endpoint[] | null): boolean {
  if (pool.limit === null) return false;
  if (!pool.limit.open) return true;
  return picked === null ? someAreFull(pool, tried) : !hasRoom(picked);
}

function someAreFull(pool: Pool, tried: readonly Endpoint[] | null): boolean {
  return pool.endpoints.some(
    (endpoint) => !hasRoom(endpoint) && mayServe(endpoint, pool.panicking) && !wasTried(endpoint, tried),
  );
}

function mayServe(endpoint: Endpoint, panicking: boolean): boolean {
  return panicking ? endpoint.live.standing === 'enabled' && weightOf(endpoint) > 0 : isAvailable(endpoint);
}

/** An attempt waits for its turn in the queue of its pool. Made only for those who must. */
export class Admission implements Waiter {
  readonly #pool: Pool;
  readonly #limit: PoolLimit;
  readonly #applicant: Applicant;
  #held: Endpoint | null = null;
  /** Who was in the pool when it was held. */
  #members: readonly Endpoint[] | null = null;
  #place: Place | null = null;

  constructor(pool: Pool, limit: PoolLimit, applicant: Applicant) {
    this.#pool = pool;
    this.#limit = limit;
    this.#applicant = applicant;
  }

  get importance(): Importance {
    return this.#applicant.importance;
  }

  get again(): boolean {
    return this.#applicant.again;
  }

  get plain(): boolean {
    return this.#applicant.plain;
  }

  /** From now on. May refuse at once. */
  wait(): void {
    const place = this.#limit.wait(this);
    if (place instanceof GatewayError) this.#applicant.refused(place);
    else this.#place = place;
  }

  /** The exchange is over. Idempotent, and without effect once it has been told how its wait ended. */
  leave(): void {
    if (this.#place !== null) this.#limit.leave(this.#place);
  }

  bound(): boolean {
    const held = this.#held;
    if (held === null || this.#members !== this.#pool.endpoints) return false;
    return !hasRoom(held) && held.live.standing !== 'disabled' && isHealthy(held);
  }

  choose(): Choice {
    const picked = this.#applicant.pick();
    if (picked === null) return someAreFull(this.#pool, this.#applicant.tried) ? 'no-room' : 'nobody';
    this.#held = hasRoom(picked) ? null : picked;
    this.#members = this.#pool.endpoints;
    return this.#held === null ? picked : 'no-room';
  }

  begin(endpoint: Endpoint): void {
    this.#applicant.begin(endpoint);
  }

  refused(error: GatewayError): void {
    this.#applicant.refused(error);
  }

  unavailable(): void {
    this.#applicant.unavailable();
  }
}
