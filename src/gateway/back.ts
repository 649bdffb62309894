import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema/config.ts';
import { type Compiled, inUseOf } from '../control/compile.ts';
import { Control } from '../control/control.ts';
import { Discovery } from '../control/discovery/discovery.ts';
import { SystemNames } from '../control/discovery/name-lookup.ts';
import { ownFamilies } from '../control/discovery/own-families.ts';
import { type HttpClient, httpClient } from '../control/http-client.ts';
import { httpStream } from '../control/http-stream.ts';
import { Ledger } from '../control/ledger.ts';
import { MaintenanceControl } from '../control/maintenance-control.ts';
import { probeSender } from '../control/probe/probe-sender.ts';
import { type PoolStatus, poolStatus } from '../control/status.ts';
import type { Snapshot } from '../engine/snapshot.ts';
import { addBodyMetrics } from '../observe/body-metrics.ts';
import { addConnectionMetrics } from '../observe/connection-metrics.ts';
import type { Logger } from '../observe/log.ts';
import { addMaintenanceMetrics } from '../observe/maintenance-metrics.ts';
import type { Metrics } from '../observe/metrics.ts';
import { TransportByProtocol } from '../transport/by-protocol.ts';
import type { Http1Choice } from '../transport/http1.ts';
import { TcpTransport } from '../transport/tcp.ts';
import type { ProbeMemory, ProbeNews } from '../upstream/health/probe-state.ts';
import { Prober } from '../upstream/health/prober.ts';
import type { Pool } from '../upstream/pool.ts';
import { Revision } from '../upstream/revision.ts';
import { connectionsOf } from './connection-sources.ts';
import { firstAnswers } from './first-answers.ts';
import { logMaintenance } from './maintenance-log.ts';
import { policyLog } from './policy-log.ts';
import { UpstreamWatch } from './upstream-watch.ts';
import { WarmUp } from './warm-up.ts';
import type { WorkerPart } from './worker-part.ts';

export interface BackParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Bounds of the histograms of waits. */
  readonly latencySeconds: readonly number[];
  /** What is served now. */
  readonly snapshot: () => Snapshot;
  readonly config: () => Config;
  /** `null` for a gateway that is alone. */
  readonly worker: WorkerPart | null;
  readonly http1: Http1Choice;
}

/** Everything that endpoints meet: connections, checks, discovery, and what is known of them by identity. */
export class Back {
  readonly transport: TransportByProtocol;
  readonly streams: TcpTransport;
  readonly ledger: Ledger;
  readonly discovery: Discovery;
  readonly http: HttpClient;
  /** Endpoints by hand. */
  readonly control: Control;
  /** Routes by hand. */
  readonly maintenance: MaintenanceControl;
  readonly #parts: BackParts;
  readonly #watch: UpstreamWatch;
  readonly #prober: Prober;
  readonly #warmUp: WarmUp;
  #held = false;
  #leads: boolean;
  #running = false;
  /** Names of those that are served. */
  #routes: ReadonlySet<string> = new Set();

  constructor(parts: BackParts) {
    this.#parts = parts;
    const { clock, log, metrics, snapshot, worker } = parts;
    this.#leads = worker?.probes.leads ?? true;
    const pools = (): Iterable<Pool> => snapshot().pools.values();
    this.#watch = new UpstreamWatch(log, {
      clock,
      metrics,
      pools,
      mirrors: () => snapshot().mirrors,
      discovered: () => this.discovery.counts(),
    });
    this.control = new Control({ pools: () => snapshot().pools, observer: this.#watch });
    this.transport = new TransportByProtocol({ clock, http1: parts.http1 });
    this.streams = new TcpTransport(clock);
    const via = { transport: this.transport, streams: this.streams };
    addConnectionMetrics(metrics, () => connectionsOf(pools(), via));
    this.#warmUp = new WarmUp({ clock, transport: this.transport, pools });
    const { latencySeconds } = parts;
    const upstream = { clock, latencySeconds, random: Math.random, observer: this.#watch, revision: new Revision() };
    const told = worker?.probes.told;
    this.#prober = new Prober(
      { sender: probeSender(this.transport, this.streams), ...upstream, ...(told === undefined ? {} : { told }) },
      worker?.probes.known,
    );
    this.ledger = new Ledger(this.#prober, upstream, {
      secrets: worker?.secrets,
      world: { ...upstream, http: (request) => this.http(request), observer: policyLog(log, metrics) },
    });
    this.maintenance = new MaintenanceControl({
      maintenance: this.ledger.maintenance,
      clock,
      changed: (note) => logMaintenance(log, note),
    });
    addMaintenanceMetrics(metrics, () => this.maintenance.status());
    addBodyMetrics(metrics, () => this.ledger.prefixes);
    this.http = httpClient(this.transport, clock);
    this.discovery = new Discovery({
      ...upstream,
      lookup: new SystemNames(),
      ownFamilies,
      http: this.http,
      stream: httpStream(this.transport),
      changed: () => this.#retainInUse(),
      failed: (pool, reason) => this.#watch.discoveryFailed(pool, reason),
    });
  }

  /** A configuration is being compiled: what is made for it is not forgotten before `adopt` or `disregard`. */
  hold(): void {
    this.#held = true;
  }

  /** Resolves when the endpoints of these pools are known as far as they let themselves be waited for. */
  async foresee(memberships: Compiled['memberships']): Promise<void> {
    if (memberships.length === 0) return;
    this.discovery.expect(memberships);
    await firstAnswers(this.discovery);
  }

  /** It came to nothing. */
  disregard(): void {
    this.#held = false;
    this.discovery.disregard();
    this.ledger.disregard();
    this.ledger.maintenance.retain(this.#routes);
    this.#retainInUse();
  }

  /** From now on the snapshot that is served is made of this: what it does not use is forgotten, or closed when it is idle. */
  adopt({ snapshot, memberships, routes }: Pick<Compiled, 'snapshot' | 'memberships' | 'routes'>): void {
    this.#held = false;
    this.ledger.serve();
    this.#routes = new Set(routes.map(({ name }) => name));
    this.ledger.maintenance.retain(this.#routes);
    for (const pool of snapshot.pools.values()) pool.enforce();
    this.discovery.retain(memberships);
    this.#retainInUse();
  }

  /** Begins to look for endpoints; resolves when the first answers are there, or have let themselves be waited for. */
  async find(): Promise<void> {
    this.discovery.start();
    await firstAnswers(this.discovery);
  }

  /** Begins to look after them. */
  start(): void {
    this.#watch.start();
    this.#running = true;
    if (this.#leads) this.#prober.start();
    this.#warmUp.start();
  }

  /** Checks are made here from now on, or by another process. */
  lead(leads: boolean): void {
    this.#leads = leads;
    if (!leads) this.#prober.stop();
    else if (this.#running) this.#prober.start();
  }

  /** The result of a check that another process has made. */
  hear(news: ProbeNews): void {
    if (this.#prober.hear(news)) this.#watch.heard();
  }

  probes(): readonly ProbeMemory[] {
    return this.#prober.memories();
  }

  /** Nothing new is begun. */
  stop(): void {
    this.#running = false;
    this.discovery.stop();
    this.#prober.stop();
    this.#watch.stop();
    this.#warmUp.stop();
  }

  /** After `stop`: resolves when every connection is closed. */
  async close(): Promise<void> {
    await this.transport.drain(0);
    await this.streams.drain(0);
    this.ledger.close();
  }

  status(): readonly PoolStatus[] {
    const via = { transport: this.transport, streams: this.streams, discovery: this.discovery };
    return [...this.#parts.snapshot().pools.values()].map((pool) => poolStatus(pool, via));
  }

  /** Live state of endpoints that no pool has any more is forgotten; their connections close when nothing is left to do on them. */
  #retainInUse(): void {
    if (this.#held) return;
    const snapshot = this.#parts.snapshot();
    const inUse = inUseOf(snapshot, this.#parts.config());
    this.ledger.retain(inUse);
    this.transport.retain(inUse.connections);
    const endpoints = [...snapshot.pools.values()].flatMap((pool) => pool.endpoints);
    this.#watch.retain(new Set(endpoints.map(({ origin }) => origin)), new Set(snapshot.pools.keys()));
  }
}
