import { REVOCATION_LIST_PATH } from './admin/routes/revocation-list.ts';
import { AdminServer } from './admin/server.ts';
import { MemoryStore } from './cache/memory-store.ts';
import { type Clock, CoarseClock, systemClock } from './clock.ts';
import { ConfigError, type Diagnostic } from './config/config-error.ts';
import type { Origins } from './config/origins.ts';
import type { Config } from './config/schema/config.ts';
import type { ListenerConfig } from './config/schema/listener.ts';
import { LocalAuthority } from './control/certificates/local-authority.ts';
import { compile, inUseOf } from './control/compile.ts';
import type { CertificatePlan } from './control/compile-listener.ts';
import { Control } from './control/control.ts';
import { Discovery } from './control/discovery/discovery.ts';
import { SystemNames } from './control/discovery/name-lookup.ts';
import { ownFamilies } from './control/discovery/own-families.ts';
import { httpClient } from './control/http-client.ts';
import { httpStream } from './control/http-stream.ts';
import { Ledger } from './control/ledger.ts';
import { probeSender } from './control/probe/probe-sender.ts';
import { type GatewayStatus, poolStatus } from './control/status.ts';
import { TlsPolicies } from './control/tls/tls-policies.ts';
import type { TlsSettings } from './control/tls/tls-settings.ts';
import { Listener } from './downstream/listener.ts';
import type { DownstreamObserver } from './downstream/options.ts';
import { Engine } from './engine/engine.ts';
import type { Pressure } from './engine/overload.ts';
import { ReplayMemory } from './engine/replay-body.ts';
import type { Exchange } from './exchange/exchange.ts';
import type { ExchangeObserver } from './exchange/observer.ts';
import type { StreamObserver } from './exchange/stream.ts';
import { Acme } from './gateway/acme.ts';
import { bindError } from './gateway/bind-error.ts';
import { connectionsOf } from './gateway/connection-sources.ts';
import { GatewayCertificates } from './gateway/gateway-certificates.ts';
import { listenerOptions, schemeOf, urlOf } from './gateway/listener-options.ts';
import { OverloadGuard } from './gateway/overload-guard.ts';
import { UpstreamWatch } from './gateway/upstream-watch.ts';
import { WarmUp } from './gateway/warm-up.ts';
import { BugLog, CombinedAccessLog, JsonAccessLog } from './observe/access-log.ts';
import { addConnectionMetrics } from './observe/connection-metrics.ts';
import { createLog, type Logger, type LogLevel, type LogSink, openLogSink } from './observe/log.ts';
import { Metrics } from './observe/metrics.ts';
import { newRequestId } from './observe/request-id.ts';
import { TransportByProtocol } from './transport/by-protocol.ts';
import { TcpTransport } from './transport/tcp.ts';
import { Prober } from './upstream/health/prober.ts';
import type { Pool } from './upstream/pool.ts';
import { Revision } from './upstream/revision.ts';
import { version } from './version.ts';

/** Request bodies of all exchanges that are kept for another attempt: a thousand of 64 KiB. */
const REPLAY_BYTES = 64 * 1024 ** 2;

export interface GatewayOptions {
  readonly config: Config;
  readonly origins: Origins;
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
  /** What is wrong with the parts of the configuration that were left out at the start. */
  readonly quarantined: readonly Diagnostic[];
  /** Base URL by listener name: `https://localhost:8443`, or `unix:/run/headgate.sock`. */
  readonly urls: ReadonlyMap<string, string>;
  readonly adminUrl: string;
  /** Endpoints by hand: drain, disable, enable, weight. */
  readonly control: Control;
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

/** Longest that the start waits for the endpoints that have to be found. */
const FIRST_ANSWERS_MS = 1_000;

class Composition implements Gateway {
  readonly quarantined: readonly Diagnostic[];
  readonly urls = new Map<string, string>();
  adminUrl = '';
  readonly #options: GatewayOptions;
  readonly #sinks: LogSink[] = [];
  readonly #log: Logger;
  readonly #transport: TransportByProtocol;
  readonly #streams: TcpTransport;
  readonly #discovery: Discovery;
  readonly #prober: Prober;
  readonly #engine: Engine;
  readonly #routes: number;
  readonly #certificatePlans: ReadonlyMap<string, CertificatePlan>;
  readonly #certificates: GatewayCertificates;
  readonly #localAuthority: LocalAuthority;
  readonly #tlsSettings: ReadonlyMap<string, TlsSettings>;
  readonly #tlsPolicies: TlsPolicies;
  readonly #acme: Acme;
  readonly #listeners: Listener[] = [];
  readonly #ledger: Ledger;
  readonly #startedAt = new Date().toISOString();
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #guard: OverloadGuard;
  readonly control: Control;
  readonly #upstream: UpstreamWatch;
  readonly #warmUp: WarmUp;
  #admin: AdminServer | null = null;
  #phase: 'serving' | 'draining' = 'serving';

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { config } = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = createLog(this.#sink(null), options.logLevel ?? 'info');
    this.#metrics = new Metrics({
      connections: () => this.#openConnections(),
      certificates: () => this.#certificates.status(),
    });
    this.#upstream = new UpstreamWatch(this.#log, {
      clock: this.#clock,
      metrics: this.#metrics,
      pools: () => this.#engine.snapshot.pools.values(),
      mirrors: () => this.#engine.snapshot.mirrors,
      discovered: () => this.#discovery.counts(),
    });
    this.control = new Control({ pools: () => this.#engine.snapshot.pools, observer: this.#upstream });
    this.#localAuthority = new LocalAuthority({
      directory: options.certificatesDirectory,
      now: () => this.#clock.now(),
      trouble: (message) => this.#log.warn(message),
      revocationListUrl: revocationListUrl(config.admin),
    });
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
    this.#discovery = new Discovery({
      ...upstream,
      lookup: new SystemNames(),
      ownFamilies,
      http: httpClient(this.#transport, this.#clock),
      stream: httpStream(this.#transport),
      changed: () => this.#retainInUse(),
      failed: (pool, reason) => this.#upstream.discoveryFailed(pool, reason),
    });
    const compiled = compile({
      config,
      origins: options.origins,
      ledger: this.#ledger,
      discovery: this.#discovery,
      store: new MemoryStore({ maxBytes: config.cache.size, objectBytes: config.cache.objectSize }),
      development: options.development ?? false,
    });
    if (!compiled.ok) throw new ConfigError(compiled.diagnostics);
    this.quarantined = compiled.quarantined;
    if (options.strict === true && this.quarantined.length > 0) throw new ConfigError(this.quarantined);
    this.#routes = compiled.routes.length;
    this.#certificatePlans = compiled.certificates;
    this.#certificates = new GatewayCertificates({
      clock: this.#clock,
      log: this.#log,
      ask: httpClient(this.#transport, this.#clock),
    });
    this.#tlsSettings = compiled.tlsSettings;
    this.#tlsPolicies = new TlsPolicies({ clock: this.#clock, log: this.#log });
    this.#acme = new Acme({
      plans: compiled.acme,
      ledger: this.#ledger,
      http: httpClient(this.#transport, this.#clock),
      clock: this.#clock,
      directory: options.certificatesDirectory,
      log: this.#log,
    });
    for (const pool of compiled.snapshot.pools.values()) pool.enforce();
    this.#guard = new OverloadGuard(
      { eventLoopDelayMs: config.overload.eventLoopDelay, memory: config.overload.memory },
      { clock: this.#clock, random: Math.random, log: this.#log, metrics: this.#metrics, pressure: options.pressure },
    );
    const observer = inTurn(this.#metrics, options.observer ?? this.#accessLog());
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
    this.#discovery.retain(compiled.memberships);
    this.#retainInUse();
  }

  async open(): Promise<void> {
    this.#warnOfUnverified();
    this.#warnOfQuarantined();
    this.#discovery.start();
    await this.#firstAnswers();
    for (const [name, config] of Object.entries(this.#options.config.listeners)) await this.#listen(name, config);
    const { admin } = this.#options.config;
    this.#admin = new AdminServer({
      ...admin,
      token: admin.token ?? null,
      status: () => this.status(),
      metrics: this.#metrics,
      control: this.control,
      broke: (bug) => this.#log.error({ err: bug }, 'The admin listener met a bug'),
      revocationList: () => this.#localAuthority.revocationList(),
    });
    const place = { kind: 'tcp', host: admin.address, port: admin.port } as const;
    this.adminUrl = await this.#admin.open().catch((error: unknown) => {
      throw bindError(error, { place, path: ['admin'], origins: this.#options.origins });
    });
    this.#upstream.start();
    this.#prober.start();
    this.#guard.start();
    this.#warmUp.start();
    this.#certificates.start();
    this.#tlsPolicies.start();
    this.#acme.start();
  }

  status(): GatewayStatus {
    const via = { transport: this.#transport, streams: this.#streams, discovery: this.#discovery };
    return {
      version,
      startedAt: this.#startedAt,
      phase: this.#phase,
      listeners: this.#listeners.map((listener) => ({
        name: listener.name,
        kind: listener.kind,
        url: this.urls.get(listener.name) ?? '',
        connections: listener.connections,
      })),
      pools: [...this.#engine.snapshot.pools.values()].map((pool) => poolStatus(pool, via)),
      routes: this.#routes,
      overload: this.#guard.overload?.status() ?? null,
      certificates: this.#certificates.status(),
    };
  }

  reopenLogs(): void {
    for (const sink of this.#sinks) sink.reopen();
  }

  async drain(): Promise<void> {
    if (this.#phase === 'draining') return;
    this.#phase = 'draining';
    this.#acme.stop();
    const deadlineMs = this.#options.config.drainTimeout;
    this.#log.info({ deadlineMs }, 'Draining');
    await Promise.all(this.#listeners.map((listener) => listener.drain(deadlineMs)));
    await this.close();
  }

  async close(): Promise<void> {
    this.#phase = 'draining';
    this.#discovery.stop();
    this.#prober.stop();
    this.#guard.stop();
    this.#upstream.stop();
    this.#warmUp.stop();
    this.#certificates.stop();
    this.#tlsPolicies.stop();
    this.#acme.stop();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.#transport.drain(0);
    await this.#streams.drain(0);
    this.#ledger.close();
    await this.#admin?.close();
    await Promise.all(this.#sinks.map((sink) => sink.flushed()));
  }

  async #listen(name: string, config: ListenerConfig): Promise<void> {
    const plan = this.#certificatePlans.get(name);
    const settings = this.#tlsSettings.get(name);
    const acme = await this.#acme.open(name);
    const parts = { localAuthority: this.#localAuthority, acme, now: () => this.#clock.now() };
    const certificates = plan === undefined ? null : await this.#certificates.open(name, plan, parts);
    const options = listenerOptions(name, config);
    const listener = new Listener(options, {
      handle: (exchange: Exchange) => this.#engine.handle(exchange),
      clock: this.#clock,
      log: this.#downstreamLog(),
      certificates,
      tlsPolicies:
        settings === undefined || config.tls === undefined
          ? null
          : this.#tlsPolicies.follow(name, config.tls, settings),
      tlsChallenges: this.#acme.tlsChallenges,
      streams: this.#engine.streams,
    });
    this.#listeners.push(listener);
    const { port } = await listener.open().catch((error: unknown) => {
      throw bindError(error, { place: options.place, path: ['listeners', name], origins: this.#options.origins });
    });
    if (port !== null) this.#ledger.ports.set(name, port);
    this.urls.set(name, urlOf(options.place, schemeOf(config), port));
  }

  /** Live state of endpoints that no pool has any more is forgotten; their connections close when nothing is left to do on them. */
  #retainInUse(): void {
    const inUse = inUseOf(this.#engine.snapshot, this.#options.config);
    this.#ledger.retain(inUse);
    this.#transport.retain(inUse.connections);
    const endpoints = [...this.#engine.snapshot.pools.values()].flatMap((pool) => pool.endpoints);
    this.#upstream.retain(new Set(endpoints.map(({ origin }) => origin)));
  }

  /**
   * Who knows the endpoints when the first request comes needs not turn it away; who has to wait for a name server that does not
   * answer starts without. By the clock on the wall, as name servers take their time by that one.
   */
  async #firstAnswers(): Promise<void> {
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, FIRST_ANSWERS_MS);
    await Promise.race([this.#discovery.settled(), patience.promise]);
    clearTimeout(timer);
  }

  #openConnections(): (readonly [string, number])[] {
    return this.#listeners.map((listener) => [listener.name, listener.connections] as const);
  }

  #downstreamLog(): DownstreamObserver {
    return {
      refused: (refusal) => {
        this.#metrics.refused(refusal.listener, refusal.reason);
        this.#log.info(refusal, 'Refused');
      },
      broke: (bug) => this.#log.error({ err: bug }, 'A connection met a bug'),
    };
  }

  /** Whoever reads the log of a gateway should not have to guess that anybody may pose as its endpoints. */
  #warnOfUnverified(): void {
    for (const [pool, { tls }] of Object.entries(this.#options.config.pools)) {
      if (tls?.insecure === true) this.#log.warn({ pool }, 'Certificates of endpoints are not verified');
    }
  }

  #warnOfQuarantined(): void {
    for (const { file, line, column, message } of this.quarantined) {
      this.#log.error({ file, line, column, problem: message }, 'A part of the configuration is left out');
    }
  }

  #accessLog(): ExchangeObserver & StreamObserver {
    const { accessLog } = this.#options.config;
    if (!accessLog.enabled) return new BugLog(this.#log);
    const sink = this.#sink(accessLog.file ?? null);
    return accessLog.format === 'combined'
      ? new CombinedAccessLog(sink, this.#log)
      : new JsonAccessLog(sink, this.#log);
  }

  #sink(file: string | null): LogSink {
    const sink = openLogSink(file);
    this.#sinks.push(sink);
    return sink;
  }
}

/** `null` for a port that is another one at each start: what is minted is stored. */
function revocationListUrl({ address, port }: Config['admin']): string | null {
  if (port === 0) return null;
  return `${urlOf({ kind: 'tcp', host: address, port }, 'http', port)}${REVOCATION_LIST_PATH}`;
}

/** One observer after the other. */
type Observer = ExchangeObserver & StreamObserver;

function inTurn(first: Observer, second: Observer): Observer {
  return {
    streamFinished: (record) => {
      first.streamFinished(record);
      second.streamFinished(record);
    },
    finished: (record) => {
      first.finished(record);
      second.finished(record);
    },
  };
}
