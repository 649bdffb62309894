import type { Transport } from '../exchange/attempt.ts';
import type { StreamTransport } from '../exchange/stream.ts';
import type { Standing } from '../upstream/endpoint-live.ts';
import type { Pool } from '../upstream/pool.ts';
import type { CertificateStatus } from './certificates/certificate-status.ts';

/** What a running gateway says of itself. Plain data, nothing secret. */
export interface GatewayStatus {
  readonly version: string;
  readonly startedAt: string;
  readonly phase: 'serving' | 'draining';
  readonly listeners: readonly ListenerStatus[];
  readonly pools: readonly PoolStatus[];
  readonly routes: number;
  /** Those from files, in the order of the configuration, and those obtained by ACME. */
  readonly certificates: readonly CertificateStatus[];
}

export interface ListenerStatus {
  readonly name: string;
  readonly kind: 'http' | 'tcp';
  readonly url: string;
  readonly connections: number;
}

export interface PoolStatus {
  readonly name: string;
  readonly available: number;
  readonly endpoints: readonly EndpointStatus[];
}

export interface EndpointStatus {
  readonly origin: string;
  /** By configuration. */
  readonly weight: number;
  /** By hand, in place of it; `null` for none. */
  readonly weightByHand: number | null;
  readonly health: 'up' | 'down' | 'unchecked';
  /** What an operator wants of it. */
  readonly standing: Standing;
  readonly inFlight: number;
  /** Connections to it, and requests that wait for one. Pools that reach it alike share them. */
  readonly connections: { readonly open: number; readonly busy: number; readonly queued: number };
}

export function poolStatus(pool: Pool, via: { transport: Transport; streams: StreamTransport }): PoolStatus {
  return {
    name: pool.name,
    available: pool.availableCount(),
    endpoints: pool.endpoints.map((endpoint) => ({
      origin: endpoint.origin,
      weight: endpoint.weight,
      weightByHand: endpoint.live.weight,
      health: endpoint.probe === null ? 'unchecked' : endpoint.probe.up ? 'up' : 'down',
      standing: endpoint.live.standing,
      inFlight: endpoint.live.inFlight,
      connections: connectionsTo(endpoint.destination.connectionKey, via),
    })),
  };
}

function connectionsTo(
  key: string,
  { transport, streams }: { transport: Transport; streams: StreamTransport },
): EndpointStatus['connections'] {
  const { open, busy, queued } = transport.connections(key);
  const carried = streams.connections(key);
  return { open: open + carried, busy: busy + carried, queued };
}
