import type { AdminDesk } from './admin/desk.ts';
import { AdminServer } from './admin/server.ts';
import type { SharedCache } from './cache/shared-cache.ts';
import { type Clock, CoarseClock, systemClock } from './clock.ts';
import { ConfigError, type Diagnostic } from './config/config-error.ts';
import type { Loaded } from './config/load.ts';
import type { Origins } from './config/origins.ts';
import type { Config } from './config/schema/config.ts';
import { CacheAdmin } from './control/cache-admin.ts';
import { cacheDiskStatus } from './control/cache-disk/disk-status.ts';
import type { DiskTier } from './control/cache-disk/disk-tier.ts';
import { cacheStatus } from './control/cache-status.ts';
import { type CompileResult, compile, inUseOf } from './control/compile.ts';
import { sharedCache } from './control/compile-cache.ts';
import { Control } from './control/control.ts';
import { Discovery } from './control/discovery/discovery.ts';
import { SystemNames } from './control/discovery/name-lookup.ts';
import { ownFamilies } from './control/discovery/own-families.ts';
import { httpClient } from './control/http-client.ts';
import { httpStream } from './control/http-stream.ts';
import { Ledger } from './control/ledger.ts';
import { probeSender } from './control/probe/probe-sender.ts';
import {
  type ConfigSource,
  type Prepared,
  type ReloadAsker,
  type ReloadChanges,
  Reloader,
  type ReloadReport,
} from './control/reload.ts';
import { type GatewayStatus, poolStatus } from './control/status.ts';
import { Engine } from './engine/engine.ts';
import { ReplayMemory } from './engine/kept-chunks.ts';
import type { Pressure } from './engine/overload.ts';
import type { ExchangeObserver } from './exchange/observer.ts';
import type { StreamObserver } from './exchange/stream.ts';
import { bindError } from './gateway/bind-error.ts';
import { cacheDisk } from './gateway/cache-disk.ts';
import { connectionsOf } from './gateway/connection-sources.ts';
import { firstAnswers } from './gateway/first-answers.ts';
import { Front, type FrontChange } from './gateway/front.ts';
import { gatewayDesk } from './gateway/gateway-desk.ts';
import { GatewayLogs, inTurn } from './gateway/gateway-logs.ts';
import { OverloadGuard } from './gateway/overload-guard.ts';
import { logPurge } from './gateway/purge-log.ts';
import { logReload } from './gateway/reload-log.ts';
import { StartError } from './gateway/start-error.ts';
import { UpstreamWatch } from './gateway/upstream-watch.ts';
import { WarmUp } from './gateway/warm-up.ts';
import { addCacheMetrics } from './observe/cache-metrics.ts';
import { addCollapseMetrics } from './observe/collapse-metrics.ts';
import { addConnectionMetrics } from './observe/connection-metrics.ts';
import { addEarlyHintMetrics } from './observe/early-hint-metrics.ts';
import type { LogLevel } from './observe/log.ts';
import { Metrics } from './observe/metrics.ts';
import { addRefreshMetrics } from './observe/refresh-metrics.ts';
import { newRequestId } from './observe/request-id.ts';
import { TransportByProtocol } from './transport/by-protocol.ts';
import { TcpTransport } from './transport/tcp.ts';
import { Prober } from './upstream/health/prober.ts';
import type { Pool } from './upstream/pool.ts';
import { Revision } from './upstream/revision.ts';
import { version } from './version.ts';

/** Request bodies of all exchanges that are kept for another attempt: a thousand of 64 KiB. */
const REPLAY_BYTES = 64 * 1024 ** 2;

/** What waits to be written to the cache's disk when the gateway stops has this long. */
const DISK_PATIENCE_MS = 5_000;

export interface GatewayOptions {
  readonly config: Config;
  readonly origins: Origins;
  /** Where a reload loads from; without, every reload is refused. */
  readonly source?: ConfigSource;
  /** Where the local CA and what it mints are kept. */
  readonly certificatesDirectory: string;
  /** Error pages name route, pool and endpoint, and reload themselves. Default false. */
  readonly development?: boolean;
  /** What would be left out, like a certificate that can't be used, is an error. Default false. */
  readonly strict?: boolean;
  /** Default `info`. */
  readonly logLevel?: LogLevel;
  /** Hears of every exchange and stream in place of the access log. For tests. */
  readonly observer?: ExchangeObserver & StreamObserver;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** How hard the process is pressed, in place of measuring it. For tests. */
  readonly pressure?: () => Pressure;
}

export { StartError } from './gateway/start-error.ts';

/** A running gateway. */
export interface Gateway {
  /** What is wrong with the parts of the configuration that were left out. */
  readonly quarantined: readonly Diagnostic[];
  /** Base URL by listener name: `https://localhost:8443`, or `unix:/run/headgate.sock`. */
  readonly urls: ReadonlyMap<string, string>;
  readonly adminUrl: string;
  /** Endpoints by hand: drain, disable, enable, weight. */
  readonly control: Control;
  /** What is stored, by hand: purges, lists, figures. */
  readonly cache: CacheAdmin;
  /** Loads the configuration anew and serves by it, if it is sound; nothing is disturbed that has not changed. Never rejects. */
  reload(by?: ReloadAsker): Promise<ReloadReport>;
  /** The last 50, oldest first. */
  readonly reloads: readonly ReloadReport[];
  status(): GatewayStatus;
  /** Opens log files again after they were rotated. */
  reopenLogs(): void;
  /**
   * Stops taking new work, lets exchanges finish, and resolves when everything is closed; what is left after the
   * configuration's `drainTimeout` is cut off. Readiness fails at once.
   */
  drain(): Promise<void>;
  /** Stops at once. */
  close(): Promise<void>;
}

/**
 * Starts a gateway: wires every room, binds every listener, begins the health checks. Rejects with a `ConfigError`, a
 * `StartError` (a port in use, say), with everything closed again.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = new Composition(options);
  try {
    await gateway.open();
  } catch (error) {
    await gateway.close();
    throw error;
  }
  return gateway;
}

class Composition implements Gateway {
  adminUrl = '';
  readonly #options: GatewayOptions;
  readonly #logs: GatewayLogs;
  readonly #transport: TransportByProtocol;
  readonly #streams: TcpTransport;
  readonly #discovery: Discovery;
  readonly #prober: Prober;
  readonly #engine: Engine;
  readonly #reloader: Reloader;
  #running: Running;
  readonly #front: Front;
  readonly #cache: SharedCache;
  readonly #disk: DiskTier | null;
  readonly #ledger: Ledger;
  readonly #startedAt = new Date().toISOString();
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #guard: OverloadGuard;
  readonly control: Control;
  readonly cache: CacheAdmin;
  readonly #upstream: UpstreamWatch;
  readonly #warmUp: WarmUp;
  readonly #desk: AdminDesk;
  #admin: AdminServer | null = null;
  #phase: 'serving' | 'draining' = 'serving';

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { config } = options;
    this.#clock = options.clock ?? systemClock;
    this.#logs = new GatewayLogs(options.logLevel ?? 'info');
    const { log } = this.#logs;
    this.#metrics = new Metrics({
      connections: () => this.#front.status().map(({ name, connections }) => [name, connections]),
      certificates: () => this.#front.certificates(),
    });
    this.#upstream = new UpstreamWatch(log, {
      clock: this.#clock,
      metrics: this.#metrics,
      pools: () => this.#engine.snapshot.pools.values(),
      mirrors: () => this.#engine.snapshot.mirrors,
      discovered: () => this.#discovery.counts(),
    });
    this.control = new Control({ pools: () => this.#engine.snapshot.pools, observer: this.#upstream });
    this.#transport = new TransportByProtocol({ clock: this.#clock });
    this.#streams = new TcpTransport(this.#clock);
    const pools = (): Iterable<Pool> => this.#engine.snapshot.pools.values();
    const via = { transport: this.#transport, streams: this.#streams };
    addConnectionMetrics(this.#metrics, () => connectionsOf(pools(), via));
    this.#warmUp = new WarmUp({ clock: this.#clock, transport: this.#transport, pools });
    const upstream = {
      clock: this.#clock,
      random: Math.random,
      observer: this.#upstream,
      revision: new Revision(),
    };
    this.#prober = new Prober({ sender: probeSender(this.#transport, this.#streams), ...upstream });
    this.#ledger = new Ledger(this.#prober, upstream);
    const http = httpClient(this.#transport, this.#clock);
    this.#discovery = new Discovery({
      ...upstream,
      lookup: new SystemNames(),
      ownFamilies,
      http,
      stream: httpStream(this.#transport),
      changed: () => this.#retainInUse(),
      failed: (pool, reason) => this.#upstream.discoveryFailed(pool, reason),
    });
    this.#disk = cacheDisk(config.cache, { clock: this.#clock, log, metrics: this.#metrics });
    this.#cache = sharedCache(config.cache, this.#disk);
    this.cache = new CacheAdmin({
      cache: this.#cache,
      clock: this.#clock,
      purged: (note) => logPurge(log, note),
      forgotten: async () => this.#disk?.forgotten(DISK_PATIENCE_MS),
    });
    addCollapseMetrics(this.#metrics, this.#cache);
    addRefreshMetrics(this.#metrics, this.#cache.refreshes);
    addCacheMetrics(this.#metrics, this.#cache);
    addEarlyHintMetrics(this.#metrics, this.#cache.links);
    const compiled = this.#compile(options);
    for (const pool of compiled.snapshot.pools.values()) pool.enforce();
    this.#guard = new OverloadGuard(
      { eventLoopDelayMs: config.overload.eventLoopDelay, memory: config.overload.memory },
      { clock: this.#clock, random: Math.random, log, metrics: this.#metrics, pressure: options.pressure },
    );
    const observer = inTurn(this.#metrics, options.observer ?? this.#logs.accessLog(config.accessLog));
    this.#engine = new Engine(
      {
        transport: this.#transport,
        clock: this.#clock,
        deadlines: new CoarseClock(this.#clock),
        observer,
        streams: this.#streams,
        streamObserver: observer,
        newRequestId,
        replay: new ReplayMemory(REPLAY_BYTES),
        random: Math.random,
        overload: this.#guard.overload,
      },
      compiled.snapshot,
    );
    this.#front = new Front({
      admin: config.admin,
      directory: options.certificatesDirectory,
      engine: this.#engine,
      ledger: this.#ledger,
      http,
      clock: this.#clock,
      log,
      downstreamLog: this.#logs.downstream(this.#metrics),
    });
    this.#desk = gatewayDesk({
      status: () => this.status(),
      state: () => ({ phase: this.#phase, overload: this.#guard.overload?.status() ?? null }),
      metrics: this.#metrics,
      control: this.control,
      cache: this.cache,
      revocationList: () => this.#front.revocationList(),
    });
    this.#running = { config, origins: options.origins, compiled };
    this.#discovery.retain(compiled.memberships);
    this.#retainInUse();
    this.#reloader = new Reloader({
      source: options.source ?? null,
      prepare: (loaded) => this.#prepare(loaded),
      clock: this.#clock,
      reloaded: (report) => logReload(log, report),
      broke: (bug) => log.error({ err: bug }, 'A reload met a bug'),
    });
  }

  get quarantined(): readonly Diagnostic[] {
    return this.#running.compiled.quarantined;
  }

  get reloads(): readonly ReloadReport[] {
    return this.#reloader.history;
  }

  get urls(): ReadonlyMap<string, string> {
    return this.#front.urls;
  }

  async open(): Promise<void> {
    this.#logs.warnOf(this.#options.config, this.quarantined);
    this.#discovery.start();
    this.#disk?.start();
    await firstAnswers(this.#discovery);
    const change = await this.#front.prepare(this.#running);
    change.commit();
    const { admin } = this.#options.config;
    this.#admin = new AdminServer({
      ...admin,
      token: admin.token ?? null,
      desk: this.#desk,
      broke: (bug) => this.#logs.log.error({ err: bug }, 'The admin listener met a bug'),
    });
    const place = { kind: 'tcp', host: admin.address, port: admin.port } as const;
    this.adminUrl = await this.#admin.open().catch((error: unknown) => {
      throw bindError(error, { place, path: ['admin'], origins: this.#options.origins });
    });
    this.#upstream.start();
    this.#prober.start();
    this.#guard.start();
    this.#warmUp.start();
    this.#front.start();
  }

  reload(by?: ReloadAsker): Promise<ReloadReport> {
    return this.#reloader.reload(by);
  }

  status(): GatewayStatus {
    const via = { transport: this.#transport, streams: this.#streams, discovery: this.#discovery };
    return {
      version,
      startedAt: this.#startedAt,
      phase: this.#phase,
      listeners: this.#front.status(),
      pools: [...this.#engine.snapshot.pools.values()].map((pool) => poolStatus(pool, via)),
      routes: this.#running.compiled.routes.length,
      overload: this.#guard.overload?.status() ?? null,
      cache: cacheStatus(this.#cache),
      certificates: this.#front.certificates(),
      cacheDisk: this.#disk === null ? null : cacheDiskStatus(this.#disk),
    };
  }

  reopenLogs(): void {
    this.#logs.reopen();
  }

  async drain(): Promise<void> {
    if (this.#phase === 'draining') return;
    this.#phase = 'draining';
    const deadlineMs = this.#running.config.drainTimeout;
    this.#logs.log.info({ deadlineMs }, 'Draining');
    this.#cache.refreshes.close();
    await this.#front.drain(deadlineMs);
    await this.close();
  }

  async close(): Promise<void> {
    this.#phase = 'draining';
    await this.#reloader.settled();
    this.#discovery.stop();
    this.#prober.stop();
    this.#guard.stop();
    this.#upstream.stop();
    this.#warmUp.stop();
    this.#cache.refreshes.close();
    await this.#front.close();
    await this.#transport.drain(0);
    await this.#streams.drain(0);
    await this.#disk?.close(DISK_PATIENCE_MS);
    this.#ledger.close();
    await this.#admin?.close();
    await this.#logs.flushed();
  }

  /** Throws a `ConfigError`. */
  #compile({ config, origins }: Pick<Loaded, 'config' | 'origins'>): Compiled {
    const compiled = compile({
      config,
      origins,
      ledger: this.#ledger,
      discovery: this.#discovery,
      cache: this.#cache,
      development: this.#options.development ?? false,
    });
    if (!compiled.ok) throw new ConfigError(compiled.diagnostics);
    if (this.#options.strict === true && compiled.quarantined.length > 0) throw new ConfigError(compiled.quarantined);
    return compiled;
  }

  /** Everything that can fail, beside the configuration that serves. */
  async #prepare({ config, origins }: Loaded): Promise<Prepared> {
    if (this.#phase === 'draining') throw new StartError('The gateway is draining');
    const next = { config, origins, compiled: this.#compile({ config, origins }) };
    const change = await this.#front.prepare(next);
    return { commit: () => this.#commit(next, change), abandon: () => change.abandon() };
  }

  /** One pointer; then what the new one does not use is let go of. */
  #commit(next: Running, change: FrontChange): ReloadChanges {
    const needsRestart = whatNeedsRestart(this.#running.config, next.config);
    this.#running = next;
    const { snapshot, memberships, quarantined } = next.compiled;
    for (const pool of snapshot.pools.values()) pool.enforce();
    this.#engine.publish(snapshot, () => {});
    change.commit();
    this.#discovery.retain(memberships);
    this.#retainInUse();
    const { opened, changed, closed } = change;
    return { listeners: { opened, changed, closed }, needsRestart, quarantined };
  }

  /** Live state of endpoints that no pool has any more is forgotten; their connections close when nothing is left to do on them. */
  #retainInUse(): void {
    const inUse = inUseOf(this.#engine.snapshot, this.#running.config);
    this.#ledger.retain(inUse);
    this.#transport.retain(inUse.connections);
    const endpoints = [...this.#engine.snapshot.pools.values()].flatMap((pool) => pool.endpoints);
    this.#upstream.retain(new Set(endpoints.map(({ origin }) => origin)));
  }
}

type Compiled = CompileResult & { readonly ok: true };

/** What is served now. */
interface Running {
  readonly config: Config;
  readonly origins: Origins;
  readonly compiled: Compiled;
}

/** Sections that are looked at once, when the process starts. */
const ONCE = ['accessLog', 'admin', 'cache', 'overload'] as const;

function whatNeedsRestart(before: Config, next: Config): readonly string[] {
  return ONCE.filter((section) => JSON.stringify(before[section]) !== JSON.stringify(next[section]));
}
