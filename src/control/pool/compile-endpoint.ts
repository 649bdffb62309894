import type { EndpointConfig, PoolConfig } from '../../config/schema/pool/pool.ts';
import { type Endpoint, type EndpointTls, placeOf } from '../../upstream/endpoint.ts';
import { defineProbe, type ProbeOptions } from '../../upstream/health/probe-definition.ts';
import type { Ledger } from '../ledger.ts';

/** One endpoint of `pool`, with the live state that the ledger has of it. */
export function compileEndpoint(
  pool: string,
  endpoint: EndpointConfig,
  context: { config: PoolConfig; tls: EndpointTls; health: ProbeOptions | null; ledger: Ledger },
): Endpoint {
  const { config, tls, health, ledger } = context;
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
  return {
    ...place,
    weight: endpoint.weight,
    priority: endpoint.priority,
    live: ledger.live(place.id),
    probe: health === null ? null : ledger.probe(defineProbe(place, health)),
  };
}
