import { randomUUID } from 'node:crypto';
import type { AdminDesk } from '../admin/desk.ts';
import { type Clock, CoarseClock, systemClock } from '../clock.ts';
import type { Servable } from '../config/load.ts';
import type { Config } from '../config/schema/config.ts';
import { NO_FAULTS } from '../config/sound-part.ts';
import type { CacheAdmin } from '../control/cache-admin.ts';
import type { Control } from '../control/control.ts';
import { explain } from '../control/explain/explain.ts';
import type { Explanation } from '../control/explain/explanation.ts';
import type { Question } from '../control/explain/question.ts';
import type { Plan } from '../control/plan/plan.ts';
import { policyStatuses } from '../control/policies/policy-status.ts';
import { type Quarantined, type QuarantineStatus, quarantineStatus } from '../control/quarantine.ts';
import { type PlanReport, type Prepared, type ReloadAsker, Reloader, type ReloadReport } from '../control/reload.ts';
import type { GatewayStatus } from '../control/status.ts';
import { Engine } from '../engine/engine.ts';
import { ReplayMemory } from '../engine/kept-chunks.ts';
import { OpenTunnels } from '../engine/open-tunnels.ts';
import type { OverloadOptions } from '../engine/overload.ts';
import type { EngineParts } from '../engine/parts.ts';
import type { Gateway, GatewayOptions } from '../gateway.ts';
import type { FamilyReading } from '../observe/family.ts';
import type { LogLevel } from '../observe/log.ts';
import { addLogMetrics } from '../observe/log-metrics.ts';
import { RecentExchanges } from '../observe/recent.ts';
import { newRequestId } from '../observe/request-id.ts';
import { Tail } from '../observe/tail.ts';
import type { ProbeMemory, ProbeNews } from '../upstream/health/probe-state.ts';
import { version } from '../version.ts';
import { AdminListener } from './admin-listener.ts';
import { Back } from './back.ts';
import { Front } from './front.ts';
import { gatewayDesk } from './gateway-desk.ts';
import { type AccessLogChange, GatewayLogs, inTurn } from './gateway-logs.ts';
import { GatewayMetrics } from './gateway-metrics.ts';
import { InheritedSockets } from './inherited-sockets.ts';
import { OverloadGuard } from './overload-guard.ts';
import { logQuarantine } from './quarantine-log.ts';
import { logReload } from './reload-log.ts';
import { type Running, Serving } from './serving.ts';
import { Store } from './store.ts';
import { Traces } from './traces.ts';
import type { WorkerDeeds } from './worker-part.ts';

/** Request bodies of all exchanges that are kept for another attempt: a thousand of 64 KiB. */
const REPLAY_BYTES = 64 * 1024 ** 2;

/** Every room, wired to the others: a gateway, and what it can do besides when it is one of several. */
export class Composition implements Gateway, WorkerDeeds {
  adminUrl = '';
  readonly control: Control;
  readonly cache: CacheAdmin;
  readonly #options: GatewayOptions;
  readonly #startedAt = new Date().toISOString();
  readonly #clock: Clock;
  readonly #logs: GatewayLogs;
  readonly #metrics: GatewayMetrics;
  readonly #front: Front;
  readonly #engine: Engine;
  readonly #back: Back;
  readonly #store: Store;
  readonly #traces: Traces;
  /** `null` where exchanges are not remembered. */
  readonly #recent: RecentExchanges | null;
  readonly #guard: OverloadGuard;
  readonly desk: AdminDesk;
  readonly #reloader: Reloader;
  readonly #serving: Serving;
  #admin: AdminListener | null = null;
  readonly #sockets: InheritedSockets;
  /** Ends the time in which readiness fails and nothing else has changed. */
  #endDelay: (() => void) | null = null;
  #phase: 'serving' | 'draining' = 'serving';

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { config, origins } = options;
    this.#clock = options.clock ?? systemClock;
    this.#logs = new GatewayLogs(options.logLevel ?? config.log.level, options.worker?.number ?? null);
    this.#sockets = new InheritedSockets(options.sockets ?? []);
    this.#metrics = new GatewayMetrics({
      config: config.metrics,
      clock: this.#clock,
      front: {
        connections: () => this.#front.status().map(({ name, connections }) => [name, connections]),
        certificates: () => this.#front.certificates(),
      },
      quarantined: () => this.#quarantine(),
    });
    const { metrics, traffic, latencySeconds } = this.#metrics;
    addLogMetrics(metrics, () => this.#logs.droppedLines);
    const common = { clock: this.#clock, log: this.#logs.log, metrics };
    this.#back = new Back({
      ...common,
      latencySeconds,
      snapshot: () => this.#engine.snapshot,
      config: () => this.#running.config,
      worker: options.worker ?? null,
      http1: options.http1 ?? 'lean',
    });
    this.control = this.#back.control;
    const { recent: entries, recentBytes: bytes } = config.accessLog;
    this.#recent = entries === 0 ? null : new RecentExchanges({ entries, bytes }, this.#clock);
    this.#traces = new Traces({ ...common, http: this.#back.http, environment: process.env });
    this.#store = new Store(config.cache, common);
    this.cache = this.#store.admin;
    this.#serving = new Serving(
      { config, origins, faults: options.faults ?? NO_FAULTS },
      {
        ...{ clock: this.#clock, back: this.#back, store: this.#store, front: () => this.#front },
        development: options.development ?? false,
        strict: options.strict ?? false,
        status: () => this.status(),
        open: (config) => this.#openLog(config),
        changed: (before, next) => this.#changed(before, next),
      },
    );
    this.#guard = new OverloadGuard(overloadOptions(config), {
      ...common,
      ...{ random: Math.random, pressure: options.pressure },
    });
    this.#openLog(config).commit();
    this.#engine = new Engine(this.#engineParts(), this.#running.compiled.snapshot);
    this.#front = new Front({
      ...common,
      admin: config.admin,
      directory: options.certificatesDirectory,
      engine: this.#engine,
      ledger: this.#back.ledger,
      http: this.#back.http,
      downstreamLog: this.#logs.downstream(traffic),
      sockets: this.#sockets,
    });
    const { compiled } = this.#running;
    this.#back.adopt(compiled);
    this.#store.adopt(compiled);
    this.#metrics.adopt(config, compiled);
    this.#traces.adopt(compiled);
    this.#reloader = this.#newReloader();
    this.desk = gatewayDesk({
      status: () => this.status(),
      state: () => ({ phase: this.#phase, overload: this.#guard.status() }),
      metrics,
      running: () => this.#running,
      reload: (by) => this.reload(by),
      plan: () => this.plan(),
      reloads: () => this.reloads,
      logs: this.#logs,
      maintenance: this.#back.maintenance,
      policies: () => policyStatuses(this.#back.ledger.policyStates),
      control: this.control,
      cache: this.cache,
      tail: new Tail(this.#recent, this.#clock, randomUUID().slice(0, 8)),
      explain: (question) => this.explain(question),
      revocationList: () => this.#front.revocationList(),
    });
  }

  get #running(): Running {
    return this.#serving.running;
  }

  get quarantined(): readonly Quarantined[] {
    return this.#running.compiled.quarantined;
  }

  get reloads(): readonly ReloadReport[] {
    return this.#reloader.history;
  }

  get urls(): ReadonlyMap<string, string> {
    return this.#front.urls;
  }

  async open(): Promise<void> {
    this.#logs.warnOf(this.#options.config);
    logQuarantine(this.#logs.log, [], this.quarantined);
    this.#store.start();
    await this.#back.find();
    await this.#options.worker?.beforeOpening(this.desk);
    const listeners = await this.#front.prepare(this.#running);
    listeners.commit();
    for (const { fd, name: socket } of this.#sockets.closeRest()) {
      this.#logs.log.warn({ fd, socket }, 'No listener is for a socket that was passed to the process: it is closed');
    }
    if (this.#options.worker === undefined) await this.#openAdmin();
    this.#back.start();
    this.#guard.start();
    this.#metrics.start();
    this.#front.start();
    this.#reloader.start();
  }

  async #openAdmin(): Promise<void> {
    this.#admin = new AdminListener({
      config: this.#options.config.admin,
      origins: this.#options.origins,
      desk: this.desk,
      clock: this.#clock,
      log: this.#logs.log,
    });
    this.adminUrl = await this.#admin.open();
  }

  reload(by?: ReloadAsker): Promise<ReloadReport> {
    return this.#reloader.reload(by);
  }

  plan(): Promise<PlanReport> {
    return this.#reloader.plan();
  }

  #quarantine(): readonly QuarantineStatus[] {
    return quarantineStatus(this.quarantined, this.#front.certificates());
  }

  status(): GatewayStatus {
    return {
      version,
      startedAt: this.#startedAt,
      phase: this.#phase,
      listeners: this.#front.status(),
      pools: this.#back.status(),
      routes: this.#running.compiled.routes.length,
      quarantined: this.#quarantine(),
      lastReload: this.reloads.at(-1) ?? null,
      maintenance: this.#back.maintenance.status(),
      overload: this.#guard.status(),
      certificates: this.#front.certificates(),
      ...this.#store.status(),
      workers: null,
    };
  }

  lead(leads: boolean): void {
    this.#back.lead(leads);
  }

  hear(news: ProbeNews): void {
    this.#back.hear(news);
  }

  probes(): readonly ProbeMemory[] {
    return this.#back.probes();
  }

  adopt(listener: string, fd: number): Promise<void> {
    return this.#front.adopt(listener, fd);
  }

  release(listener: string, fd: number): void {
    this.#front.release(listener, fd);
  }

  explain(question: Question): Explanation {
    const { config, origins, compiled } = this.#running;
    const { ports } = this.#back.ledger;
    const state = { ports, running: true, nowMs: this.#clock.now() };
    return explain({ snapshot: compiled.snapshot, config, origins, ...state }, question);
  }

  metrics(): Promise<readonly FamilyReading[]> {
    return this.#metrics.metrics.reading();
  }

  get logLevel(): LogLevel {
    return this.#logs.level;
  }

  reopenLogs(): void {
    this.#logs.reopen();
  }

  async drain(): Promise<void> {
    if (this.#phase === 'draining') return;
    this.#phase = 'draining';
    this.#reloader.stop();
    const { drainDelay: delayMs, drainTimeout: deadlineMs } = this.#running.config;
    this.#logs.log.info({ delayMs, deadlineMs }, 'Draining');
    // Of several, it is their supervisor's to wait.
    if (delayMs > 0 && this.#options.worker === undefined) await this.#delay(delayMs);
    // What is being opened is drained with the rest.
    if (this.#reloader.busy) await this.#reloader.settled();
    this.#store.stop();
    await this.#front.drain(deadlineMs);
    await this.close();
  }

  /** Load balancers learn that nothing more should come, and what comes until then is served. */
  async #delay(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endDelay = resolve;
    const timer = this.#clock.after(delayMs, resolve);
    await promise;
    this.#clock.cancel(timer);
  }

  async close(): Promise<void> {
    this.#phase = 'draining';
    this.#endDelay?.();
    this.#reloader.stop();
    await this.#reloader.settled();
    this.#recent?.close();
    this.#back.stop();
    this.#guard.stop();
    this.#metrics.stop();
    this.#store.stop();
    await this.#front.close();
    await this.#store.close();
    await this.#traces.close();
    await this.#back.close();
    await this.#admin?.close();
    await this.#logs.close();
  }

  #engineParts(): EngineParts {
    const written = this.#options.observer ?? this.#logs.access;
    const observer = inTurn(
      this.#metrics.traffic,
      inTurn(this.#traces, this.#recent === null ? written : inTurn(this.#recent, written)),
    );
    return {
      transport: this.#back.transport,
      clock: this.#clock,
      deadlines: new CoarseClock(this.#clock),
      observer,
      streams: this.#back.streams,
      streamObserver: observer,
      newRequestId,
      replay: new ReplayMemory(REPLAY_BYTES),
      random: Math.random,
      overload: this.#guard.overload,
      tunnels: new OpenTunnels(this.#clock),
    };
  }

  #newReloader(): Reloader {
    const { log } = this.#logs;
    return new Reloader({
      source: this.#options.source ?? null,
      watches: () => this.#running.config.reload.watch,
      prepare: (next) => this.#serving.prepare(next),
      plan: (next) => this.#serving.plan(next),
      clock: this.#clock,
      reloaded: (report) => {
        logReload(log, report);
        this.#metrics.reloaded(report);
      },
      broke: (bug) => log.error({ err: bug }, 'A reload met a bug'),
    });
  }

  planFor(next: Servable): Promise<Plan> {
    return this.#serving.plan(next);
  }

  prepare(next: Servable): Promise<Prepared> {
    return this.#serving.prepare(next);
  }

  #changed(before: Running, { config, compiled }: Running): void {
    logQuarantine(this.#logs.log, before.compiled.quarantined, compiled.quarantined);
    if (before.config.log.level !== config.log.level) this.#logs.level = config.log.level;
    this.#engine.publish(compiled.snapshot, () => {});
    this.#guard.adopt(overloadOptions(config));
    this.#metrics.adopt(config, compiled);
    this.#traces.adopt(compiled);
  }

  /** Where exchanges are written to. Throws what the file system says. */
  #openLog({ accessLog }: Config): AccessLogChange {
    if (this.#options.observer !== undefined) return { commit: () => {}, abandon: () => {} };
    return this.#logs.prepareAccessLog(accessLog);
  }
}

function overloadOptions({ overload }: Config): OverloadOptions {
  return { eventLoopDelayMs: overload.eventLoopDelay, memory: overload.memory };
}
