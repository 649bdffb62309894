import type { BreakerConfig } from '../../config/schema/pool/breaker.ts';
import type { AttemptWatcher } from '../../upstream/attempt-watcher.ts';
import type { Breaker, BreakerPolicy } from '../../upstream/breaker/breaker.ts';
import { BreakerWatcher } from '../../upstream/breaker/breaker-watcher.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { Ledger } from '../ledger.ts';

/** What trips unless the configuration says: half of the attempts. */
const USUAL_ERROR_RATIO = 0.5;

/** The breakers of a pool. */
export interface CompiledBreakers {
  /** Of the whole pool; `null` for none. */
  readonly breaker: Breaker | null;
  /** Those that tell the breakers of attempts. */
  readonly watchers: readonly AttemptWatcher[];
}

const none: CompiledBreakers = { breaker: null, watchers: [] };

/** Makes the breakers of a pool and its endpoints, adopting what the ledger has of them. */
export function compileBreakers(pool: string, config: BreakerConfig | undefined, ledger: Ledger): CompiledBreakers {
  if (config === undefined) return none;
  const policy = policyOf(config);
  const watchers: AttemptWatcher[] = [];
  const breaker = config.scope === 'endpoint' ? null : ledger.breaker(pool, policy);
  if (breaker !== null) watchers.push(new BreakerWatcher(policy, () => breaker));
  if (config.scope !== 'pool') {
    const breakerOf = (endpoint: Endpoint): Breaker => ledger.endpointBreaker(pool, endpoint, policy);
    watchers.push(new BreakerWatcher(policy, breakerOf, ({ live }) => live.breaker));
  }
  return { breaker, watchers };
}

function policyOf(config: BreakerConfig): BreakerPolicy {
  const { consecutive = 0, latency = null } = config;
  const usual = consecutive === 0 && latency === null ? USUAL_ERROR_RATIO : null;
  const failures = new Set(config.statuses);
  return {
    consecutive,
    errorRatio: config.errorRatio ?? usual,
    latency: latency === null ? null : { slowerMs: latency.slower, share: latency.share },
    minimum: config.minimum,
    windowMs: config.window,
    openMs: config.open,
    maxOpenMs: config.maxOpen,
    probes: config.probes,
    successes: config.successes,
    isFailure: (status) => failures.has(status),
  };
}
