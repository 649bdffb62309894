import type { DnsConfig } from '../../config/schema/dns.ts';
import type { PoolConfig } from '../../config/schema/pool/pool.ts';
import type { FoundEndpoint } from '../../upstream/discovery/listed-endpoint.ts';
import type { Endpoint, EndpointTls } from '../../upstream/endpoint.ts';
import { type HostPolicy, Pool } from '../../upstream/pool.ts';
import type { Complaints } from '../complaints.ts';
import { type Known, type Listed, type Membership, membersOf } from '../discovery/membership.ts';
import type { KeptParts } from '../kept-parts.ts';
import type { Ledger } from '../ledger.ts';
import { compileAffinity } from './compile-affinity.ts';
import { compileBalance } from './compile-balance.ts';
import { compileBreakers } from './compile-breaker.ts';
import { compileDiscovery, isStatic } from './compile-discovery.ts';
import { compileEndpoint, compilePlace } from './compile-endpoint.ts';
import { compileHealth } from './compile-health.ts';
import { compileLimits } from './compile-limits.ts';
import { compileOutliers } from './compile-outliers.ts';
import { compileTls } from './compile-tls.ts';

export interface CompiledPool {
  readonly pool: Pool;
  /** What is to be found out while it runs; `null` when the configuration names all of its endpoints by address. */
  readonly membership: Membership | null;
}

export interface PoolContext {
  readonly ledger: Ledger;
  readonly complaints: Complaints;
  readonly dns: DnsConfig;
  /** The members that are known already (`Discovery.known`). */
  readonly known: (listed: readonly Listed[]) => Known;
  /** Where it is kept for the next configuration. */
  readonly parts: KeptParts;
  /** Those of the configuration before. */
  readonly before: KeptParts | null;
}

/**
 * Builds a pool, adopting what the ledger knows of it; the one that there was before, if it would be the same, or if files that it was made of
 * can't be read any more: what was sound stays in force. `null` after a complaint otherwise.
 */
export function compilePool(name: string, config: PoolConfig, context: PoolContext): CompiledPool | null {
  const { complaints, dns, parts, before } = context;
  const count = complaints.count;
  const tls = compileTls(name, config, complaints);
  const key = { configured: JSON.stringify([config, dns]), read: JSON.stringify(tls) };
  if (complaints.count > count) return before?.poolConfigured(name, key.configured, parts) ?? null;
  const compiled = before?.pool(name, key) ?? newPool(name, { config, tls, count }, context);
  if (compiled !== null) parts.keepPool(name, key, compiled);
  return compiled;
}

function newPool(
  name: string,
  { config, tls, count }: { readonly config: PoolConfig; readonly tls: EndpointTls; readonly count: number },
  context: PoolContext,
): CompiledPool | null {
  const { ledger, complaints } = context;
  const health = compileHealth(name, config, complaints);
  if (config.protocol !== 'http1' && config.proxyProtocol !== undefined) {
    const message = 'a PROXY header names the one client of a connection, and HTTP/2 connections carry many';
    complaints.add(['pools', name, 'proxyProtocol'], { message });
  }
  if (config.connections.warm > 0 && config.proxyProtocol !== undefined) {
    const message = 'a connection with a PROXY header belongs to one client: none can be made before there is one';
    complaints.add(['pools', name, 'connections', 'warm'], { message });
  }
  complainOfTwice(name, { config, tls }, complaints);
  if (complaints.count > count) return null;
  const listed = compileDiscovery(name, config, context.dns);
  const make = (found: FoundEndpoint): Endpoint => compileEndpoint(name, found, { config, tls, health, ledger });
  const { endpoints, absence } = context.known(listed);
  const members = membersOf(endpoints, make, new Map());
  const { breaker, watchers } = compileBreakers(name, config.breaker, ledger);
  const pool: Pool = new Pool({
    name,
    endpoints: [...members.values()],
    absence,
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
    outliers: compileOutliers(name, config.outliers, { members: () => pool.endpoints, ledger }),
    slowStartMs: config.health?.slowStart ?? 0,
  });
  return { pool, membership: isStatic(listed) ? null : { pool, listed, make, members } };
}

function complainOfTwice(name: string, pool: { config: PoolConfig; tls: EndpointTls }, complaints: Complaints): void {
  const origins = new Set<string>();
  for (const [index, { address }] of pool.config.endpoints.entries()) {
    const { origin } = compilePlace(name, { address, name: null }, pool);
    if (origins.has(origin)) {
      complaints.add(['pools', name, 'endpoints', index], {
        code: 'HG0104',
        message: `endpoint “${origin}” is in this pool already`,
      });
    }
    origins.add(origin);
  }
}

function hostPolicyOf(host: string): HostPolicy {
  return host === 'preserve' || host === 'endpoint' ? host : { fixed: host };
}
