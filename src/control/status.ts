import type { OverloadStatus } from '../engine/overload.ts';
import type { Transport } from '../exchange/attempt.ts';
import type { StreamTransport } from '../exchange/stream.ts';
import type { ConnectionTraffic, TrafficSource } from '../transport/connection-counts.ts';
import type { Tier } from '../upstream/balance/tiers.ts';
import type { Breaker, BreakerState, TripReason } from '../upstream/breaker/breaker.ts';
import type { Standing } from '../upstream/endpoint-live.ts';
import type { LimitFigures, PoolLimit } from '../upstream/limit/pool-limit.ts';
import type { Pool } from '../upstream/pool.ts';
import type { RetryAccount } from '../upstream/retry-account.ts';
import type { CacheDiskStatus } from './cache-disk/disk-status.ts';
import type { CacheStatus } from './cache-status.ts';
import type { CertificateStatus } from './certificates/certificate-status.ts';
import type { Discovery, SourceStatus } from './discovery/discovery.ts';
import { type CheckStatus, checkStatusOf, type EjectionStatus, ejectionStatusOf } from './endpoint-health.ts';
import type { MaintenanceStatus } from './maintenance-control.ts';
import type { QuarantineStatus } from './quarantine.ts';
import type { ReloadReport } from './reload.ts';

/** What a running gateway says of itself. Plain data, nothing secret. */
export interface GatewayStatus {
  readonly version: string;
  readonly startedAt: string;
  readonly phase: 'serving' | 'draining';
  readonly listeners: readonly ListenerStatus[];
  readonly pools: readonly PoolStatus[];
  readonly routes: number;
  /** What is wrong with parts of the configuration that are out of service for it (docs/quarantine.md), in source order. */
  readonly quarantined: readonly QuarantineStatus[];
  /** `null` while there was none. */
  readonly lastReload: ReloadReport | null;
  /** What is out of service by hand. */
  readonly maintenance: MaintenanceStatus;
  /** Of the gateway itself; `null` when nothing is guarded against. */
  readonly overload: OverloadStatus | null;
  readonly cache: CacheStatus;
  /** Those from files, in the order of the configuration, and those obtained by ACME. */
  readonly certificates: readonly CertificateStatus[];
  /** The cache's second tier; `null` without one. */
  readonly cacheDisk: CacheDiskStatus | null;
  /** `null` for a gateway that is one process. */
  readonly workers: readonly WorkerStatus[] | null;
}

/** One of several processes that serve by one configuration. */
export interface WorkerStatus {
  /** From 1. */
  readonly number: number;
  /** Of the process; `null` while there is none. */
  readonly pid: number | null;
  /** ISO 8601; `null` while there is no process. */
  readonly startedAt: string | null;
  /** Times that it was started again after it had ended by itself. */
  readonly restarts: number;
}

export interface ListenerStatus {
  readonly name: string;
  readonly kind: 'http' | 'tcp';
  readonly url: string;
  readonly connections: number;
}

export interface PoolStatus {
  readonly name: string;
  /** May be picked now. */
  readonly available: number;
  /** Why it has no endpoints: `pool-quarantined`, `name-not-resolved`, …; `null` when it has. */
  readonly absence: string | null;
  readonly breaker: BreakerStatus | null;
  /** So few are healthy that health is not asked for. */
  readonly panicking: boolean;
  /** Those with an endpoint in service, first ones first, and their shares of the traffic, which add up to 1. */
  readonly priorities: readonly Tier[];
  readonly retries: RetryStatus;
  /** `null` for a pool without limits. */
  readonly limits: LimitStatus | null;
  readonly endpoints: readonly EndpointStatus[];
  /** What its endpoints are found by; empty when the configuration names them by address. */
  readonly discovery: readonly SourceStatus[];
}

/** What is in flight at a pool with limits, and who waits; counts since the start. */
export interface LimitStatus extends Omit<LimitFigures, 'waits'> {
  /** Waits of all who got their turn, summed. */
  readonly waitedMs: number;
  /** Most that may be in flight at all endpoints together; `null` for no such limit. */
  readonly inFlightLimit: number | null;
}

export interface EndpointStatus {
  readonly origin: string;
  /** The name that led to this address; `null` where the address itself was given. */
  readonly name: string | null;
  /** By configuration. */
  readonly weight: number;
  /** By hand, in place of it; `null` for none. */
  readonly weightByHand: number | null;
  readonly priority: number;
  readonly health: 'up' | 'down' | 'unchecked';
  /** What its active checks know. */
  readonly check: CheckStatus | null;
  /** What passive health has put it aside for; `null` while it has not. */
  readonly ejection: EjectionStatus | null;
  /** Share of its weight that it has while it starts slowly; else 1. */
  readonly ramp: number;
  /** What an operator wants of it. */
  readonly standing: Standing;
  readonly inFlight: number;
  /** Sessions that are remembered at it; `null` where they are with the clients alone, or there are none. */
  readonly sessions: number | null;
  /** `null` for none, and before the first request. */
  readonly breaker: BreakerStatus | null;
  /** Most that may be in flight now; `null` for no limit. */
  readonly inFlightLimit: number | null;
  /** Connections to it, and requests that wait for one. Pools that reach it alike share them. */
  readonly connections: { readonly open: number; readonly busy: number; readonly queued: number };
  /** What has become of the HTTP connections among them; `null` while none was ever needed. */
  readonly traffic: TrafficStatus | null;
}

export type TrafficStatus = Omit<ConnectionTraffic, 'failures'> & {
  readonly failures: Readonly<Record<string, number>>;
};

/** Since the start of the process. */
export interface RetryStatus {
  /** Attempts after the first, by why they were made. */
  readonly made: Readonly<Record<string, number>>;
  /** Those that the budget did not pay for. */
  readonly refused: number;
  readonly hedgesWon: number;
  /** So many could be paid for now. */
  readonly left: number;
}

export interface BreakerStatus {
  readonly state: BreakerState;
  /** ISO 8601. */
  readonly since: string;
  /** When it will probe, ISO 8601; `null` unless it has tripped. */
  readonly until: string | null;
  /** Why it tripped last; `null` before. */
  readonly reason: TripReason | null;
  readonly trips: number;
  readonly refusals: number;
  /** Of the attempts within its window. */
  readonly attempts: number;
  readonly failures: number;
}

export interface StatusSources {
  readonly transport: Transport & TrafficSource;
  readonly streams: StreamTransport;
  readonly discovery: Pick<Discovery, 'status'>;
}

export function poolStatus(pool: Pool, via: StatusSources): PoolStatus {
  return {
    name: pool.name,
    available: pool.availableCount(),
    absence: pool.absence?.reason ?? null,
    breaker: breakerStatus(pool.breaker),
    panicking: pool.panicking,
    priorities: pool.tiers,
    retries: retryStatus(pool.retries),
    limits: pool.limit === null ? null : limitStatus(pool.limit),
    endpoints: pool.endpoints.map((endpoint) => ({
      origin: endpoint.origin,
      name: endpoint.name,
      weight: endpoint.weight,
      weightByHand: endpoint.live.weight,
      priority: endpoint.priority,
      health: endpoint.probe === null ? 'unchecked' : endpoint.probe.up ? 'up' : 'down',
      check: checkStatusOf(endpoint),
      ejection: ejectionStatusOf(endpoint),
      ramp: endpoint.live.ramp,
      standing: endpoint.live.standing,
      inFlight: endpoint.live.inFlight,
      sessions: pool.affinity?.sessionsAt(endpoint) ?? null,
      breaker: breakerStatus(endpoint.live.breaker),
      inFlightLimit: finite(endpoint.live.limit),
      connections: connectionsTo(endpoint.destination.connectionKey, via),
      traffic: trafficStatus(via.transport.traffic(endpoint.destination.connectionKey)),
    })),
    discovery: via.discovery.status(pool.name),
  };
}

function breakerStatus(breaker: Breaker | null): BreakerStatus | null {
  if (breaker === null) return null;
  const { state, reason, trips, refusals, sinceEpoch, untilEpoch, counts } = breaker;
  const since = new Date(sinceEpoch).toISOString();
  const until = untilEpoch === null ? null : new Date(untilEpoch).toISOString();
  return { state, since, until, reason, trips, refusals, ...counts };
}

function limitStatus(limit: PoolLimit): LimitStatus {
  const { waits, ...figures } = limit.figures();
  const waitedMs = Math.round((waits?.sum ?? 0) * 1000);
  return { ...figures, waitedMs, inFlightLimit: finite(limit.options.inFlight) };
}

/** JSON knows no infinity. */
function finite(limit: number): number | null {
  return Number.isFinite(limit) ? limit : null;
}

function connectionsTo(key: string, { transport, streams }: StatusSources): EndpointStatus['connections'] {
  const { open, busy, queued } = transport.connections(key);
  const carried = streams.connections(key);
  return { open: open + carried, busy: busy + carried, queued };
}

function trafficStatus(traffic: ConnectionTraffic | null): TrafficStatus | null {
  if (traffic === null) return null;
  const { opened, reused, retired, racesLost, connectMs, failures } = traffic;
  return { opened, reused, retired, racesLost, connectMs, failures: Object.fromEntries(failures) };
}

function retryStatus({ made, refused, hedgesWon, left }: RetryAccount): RetryStatus {
  return { made: Object.fromEntries(made), refused, hedgesWon, left };
}
