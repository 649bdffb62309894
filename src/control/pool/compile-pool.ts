import type { PoolConfig } from '../../config/schema/pool/pool.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import { type HostPolicy, Pool } from '../../upstream/pool.ts';
import type { Complaints } from '../complaints.ts';
import type { Ledger } from '../ledger.ts';
import { compileAffinity } from './compile-affinity.ts';
import { compileBalance } from './compile-balance.ts';
import { compileBreakers } from './compile-breaker.ts';
import { compileEndpoint } from './compile-endpoint.ts';
import { compileHealth } from './compile-health.ts';
import { compileLimits } from './compile-limits.ts';
import { compileTls } from './compile-tls.ts';

/** Builds a pool, adopting what the ledger knows of it. `null` after a complaint. */
export function compilePool(
  name: string,
  config: PoolConfig,
  context: { ledger: Ledger; complaints: Complaints },
): Pool | null {
  const { ledger, complaints } = context;
  const before = complaints.count;
  const tls = compileTls(name, config, complaints);
  const health = compileHealth(name, config, complaints);
  if (config.protocol !== 'http1' && config.proxyProtocol !== undefined) {
    const message = 'a PROXY header names the one client of a connection, and HTTP/2 connections carry many';
    complaints.add(['pools', name, 'proxyProtocol'], { message });
  }
  const endpoints: Endpoint[] = [];
  const origins = new Set<string>();
  for (const [index, endpoint] of config.endpoints.entries()) {
    const made = compileEndpoint(name, endpoint, { config, tls, health, ledger });
    if (origins.has(made.origin)) {
      complaints.add(['pools', name, 'endpoints', index], {
        code: 'HG0104',
        message: `endpoint “${made.origin}” is in this pool already`,
      });
    }
    origins.add(made.origin);
    endpoints.push(made);
  }
  if (complaints.count > before) return null;
  const { breaker, watchers } = compileBreakers(name, config.breaker, ledger);
  return new Pool({
    name,
    endpoints,
    balancing: compileBalance(name, config, ledger),
    failover: { enough: config.priorities.healthy, panic: config.panic },
    live: ledger.pool(name),
    revision: ledger.upstream.revision,
    observer: ledger.upstream.observer,
    affinity: compileAffinity(name, config, ledger),
    hostPolicy: hostPolicyOf(config.host),
    breaker,
    watchers: [...watchers],
    retries: ledger.retries(name, {
      share: config.retryBudget.share,
      minimumPerSecond: config.retryBudget.minimum,
      windowMs: config.retryBudget.window,
    }),
    limits: compileLimits(name, config, ledger),
  });
}

function hostPolicyOf(host: string): HostPolicy {
  return host === 'preserve' || host === 'endpoint' ? host : { fixed: host };
}
