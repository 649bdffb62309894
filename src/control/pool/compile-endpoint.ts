import type { PoolConfig } from '../../config/schema/pool/pool.ts';
import type { FoundEndpoint } from '../../upstream/discovery/listed-endpoint.ts';
import { type Endpoint, type EndpointTls, type Place, placeOf } from '../../upstream/endpoint.ts';
import { defineProbe, type ProbeOptions } from '../../upstream/health/probe-definition.ts';
import type { Ledger } from '../ledger.ts';

interface PlaceContext {
  readonly config: PoolConfig;
  readonly tls: EndpointTls;
}

/** One endpoint of `pool`, with the live state that the ledger has of it. */
export function compileEndpoint(
  pool: string,
  endpoint: FoundEndpoint,
  context: PlaceContext & { readonly health: ProbeOptions | null; readonly ledger: Ledger },
): Endpoint {
  const { health, ledger } = context;
  const place = compilePlace(pool, endpoint, context);
  return {
    ...place,
    weight: endpoint.weight,
    priority: endpoint.priority,
    live: ledger.live(place.id),
    probe: health === null ? null : ledger.probe(defineProbe(place, health)),
  };
}

/** Where an endpoint is, and how it is reached. */
export function compilePlace(
  pool: string,
  { address, name }: Pick<FoundEndpoint, 'address' | 'name'>,
  { config, tls }: PlaceContext,
): Place {
  const { connections } = config;
  return placeOf(pool, {
    address,
    name,
    tls,
    proxyProtocol: config.proxyProtocol,
    protocol: config.protocol,
    limits: {
      maxConnections: connections.max,
      maxQueued: connections.queue,
      queueTimeoutMs: connections.queueTimeout,
      keepAliveMs: connections.keepAlive,
      connectTimeoutMs: connections.connectTimeout,
      warm: connections.warm,
      maxAgeMs: connections.maxAge,
      maxRequests: connections.maxRequests,
    },
  });
}
