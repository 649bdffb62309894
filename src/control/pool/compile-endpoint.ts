import type { EndpointConfig, PoolConfig } from '../../config/schema/pool/pool.ts';
import { type Endpoint, type EndpointTls, placeOf } from '../../upstream/endpoint.ts';
import { defineProbe, type ProbeDefinition, type ProbeOptions } from '../../upstream/health/probe-definition.ts';
import type { Ledger } from '../ledger.ts';

/** One endpoint of `pool`, with the live state that the ledger has of it. `problem`: an expectation that nothing can meet. */
export function compileEndpoint(
  pool: string,
  endpoint: EndpointConfig,
  context: { config: PoolConfig; tls: EndpointTls; ledger: Ledger },
): { readonly endpoint: Endpoint } | { readonly problem: string } {
  const { config, tls, ledger } = context;
  const { connections } = config;
  const place = placeOf(pool, {
    address: endpoint.address,
    tls,
    proxyProtocol: config.proxyProtocol,
    protocol: config.protocol,
    limits: {
      maxConnections: connections.max,
      maxQueued: connections.queue,
      queueTimeoutMs: connections.queueTimeout,
      keepAliveMs: connections.keepAlive,
      connectTimeoutMs: connections.connectTimeout,
      maxAgeMs: connections.maxAge,
      maxRequests: connections.maxRequests,
    },
  });
  let probe: ProbeDefinition | null = null;
  try {
    probe = config.health === undefined ? null : defineProbe(place, probeOptions(config.health));
  } catch (error) {
    // `defineProbe` throws a RangeError for an expectation that nothing can meet.
    return { problem: (error as RangeError).message };
  }
  return {
    endpoint: {
      ...place,
      weight: endpoint.weight,
      live: ledger.live(place.id),
      probe: probe === null ? null : ledger.probe(probe),
    },
  };
}

function probeOptions(health: NonNullable<PoolConfig['health']>): ProbeOptions {
  return {
    type: health.type,
    path: health.path,
    expect: health.expect,
    host: health.host ?? null,
    intervalMs: health.interval,
    timeoutMs: health.timeout,
    rise: health.rise,
    fall: health.fall,
    start: health.start,
  };
}
