import type { Endpoint } from '../endpoint.ts';
import type { UpstreamParts } from '../parts.ts';
import { Breaker, type BreakerPolicy } from './breaker.ts';

/**
 * The breakers of pools by name, and the making of those of endpoints, which are kept with the rest of an endpoint's live state.
 * As many as there are pools and endpoints.
 */
export class KeptBreakers {
  readonly #parts: UpstreamParts;
  readonly #pools = new Map<string, Breaker>();

  constructor(parts: UpstreamParts) {
    this.#parts = parts;
  }

  ofPool(pool: string, policy: BreakerPolicy): Breaker {
    const known = this.#pools.get(pool);
    if (known !== undefined) return known;
    const made = this.#make(policy, { pool, endpoint: null, moved: () => {} });
    this.#pools.set(pool, made);
    return made;
  }

  /** Hot: while there is one, this is a test. */
  ofEndpoint(pool: string, { origin, live }: Endpoint, policy: BreakerPolicy): Breaker {
    live.breaker ??= this.#make(policy, {
      pool,
      endpoint: origin,
      moved: (admits) => {
        live.tripped = !admits;
      },
    });
    return live.breaker;
  }

  /** Forgets those of pools that have none any more. */
  retain(pools: ReadonlySet<string>): void {
    for (const [pool, breaker] of this.#pools) {
      if (pools.has(pool)) continue;
      breaker.retire();
      this.#pools.delete(pool);
    }
  }

  #make(
    policy: BreakerPolicy,
    of: { readonly pool: string; readonly endpoint: string | null; readonly moved: (admits: boolean) => void },
  ): Breaker {
    const { clock, random, observer } = this.#parts;
    const { pool, endpoint, moved } = of;
    return new Breaker(policy, {
      clock,
      random,
      moved,
      changed: (change) => observer.event({ kind: 'breaker', pool, endpoint, ...change }),
    });
  }
}
