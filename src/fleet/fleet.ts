import type { AdminDesk } from '../admin/desk.ts';
import { systemClock } from '../clock.ts';
import type { ConfigText, LoadResult, Servable } from '../config/load.ts';
import type { Quarantined } from '../control/quarantine.ts';
import { type Prepared, type ReloadAsker, Reloader, type ReloadReport } from '../control/reload.ts';
import type { GatewayStatus } from '../control/status.ts';
import type { UpgradeReport } from '../control/upgrade.ts';
import type { WatchedConfig } from '../control/watch.ts';
import { AdminListener } from '../gateway/admin-listener.ts';
import { GatewayLogs } from '../gateway/gateway-logs.ts';
import type { InheritedSocket } from '../gateway/inherited-sockets.ts';
import { logReload } from '../gateway/reload-log.ts';
import { StartError } from '../gateway/start-error.ts';
import { asking } from './asking.ts';
import { Crew } from './crew.ts';
import { fleetDesk } from './fleet-desk.ts';
import { FleetMetrics } from './fleet-metrics.ts';
import { planFleet, reloadFleet } from './fleet-reload.ts';
import { FleetSockets } from './sockets.ts';

export interface FleetOptions {
  readonly workers: number;
  readonly servable: Servable;
  readonly text: ConfigText;
  /** Reads the configuration again. Must not throw. */
  readonly read: () => { readonly result: LoadResult; readonly text: ConfigText };
  readonly watched: WatchedConfig;
  readonly certificatesDirectory: string;
  readonly development: boolean;
  readonly strict: boolean;
  /** Listening sockets that the process was started with. */
  readonly sockets: readonly InheritedSocket[];
}

/** Starts a fleet: the workers, and the admin listener for all of them. Rejects as `startGateway` does, with everything closed again. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const fleet = new Fleet(options);
  try {
    await fleet.open();
  } catch (error) {
    await fleet.close();
    throw error;
  }
  return fleet;
}

/** Several processes that serve by one configuration, and this one, which serves nothing: it holds their sockets and looks after them. */
export class Fleet {
  adminUrl = '';
  readonly #options: FleetOptions;
  readonly #logs: GatewayLogs;
  readonly #crew: Crew;
  readonly #metrics: FleetMetrics;
  readonly #reloader: Reloader;
  readonly #desk: AdminDesk;
  #admin: AdminListener | null = null;
  #phase: 'starting' | 'serving' | 'draining' = 'starting';
  #upgrading: Promise<UpgradeReport> | null = null;
  #endDelay: (() => void) | null = null;

  constructor(options: FleetOptions) {
    const { workers, servable, text, sockets } = options;
    this.#logs = new GatewayLogs(servable.config.log.level, 0);
    this.#options = options;
    this.#crew = new Crew({
      ...options,
      served: { servable, text, sockets: new FleetSockets(workers, sockets) },
      log: this.#logs.log,
      logLevel: () => this.#logs.level,
      changed: (before, { config }) => {
        if (config.log.level !== before.config.log.level) this.#logs.level = config.log.level;
      },
    });
    this.#metrics = new FleetMetrics(this.#crew.slots, systemClock);
    this.#reloader = this.#newReloader();
    this.#desk = this.#newDesk();
  }

  get urls(): ReadonlyMap<string, string> {
    return this.#crew.urls;
  }

  get quarantined(): readonly Quarantined[] {
    return this.#crew.quarantined;
  }

  async open(): Promise<void> {
    const { servable, sockets } = this.#crew.served;
    const { config, origins } = servable;
    await sockets.open(config, origins);
    await this.#crew.start();
    this.#admin = new AdminListener({
      ...{ config: config.admin, origins, desk: this.#desk, clock: systemClock, log: this.#logs.log },
    });
    this.adminUrl = await this.#admin.open();
    this.#phase = 'serving';
    this.#reloader.start();
    this.#logs.log.info({ workers: this.#pids() }, 'Workers serve');
  }

  status(): Promise<GatewayStatus> {
    return this.#desk.status();
  }

  /** Every worker loads the same, and all of them serve by it, or none. */
  reload(by?: ReloadAsker): Promise<ReloadReport> {
    return this.#reloader.reload(by);
  }

  reopenLogs(): void {
    this.#logs.reopen();
    for (const worker of this.#crew.members) worker.ask('reopenLogs', []).catch(() => {});
  }

  /**
   * Replaces every worker, one after the other, by a process that runs the code that is on the disk now: the new one serves before
   * the old one drains. One that does not become ready ends it, and those that are left stay. Never rejects.
   */
  upgrade(): Promise<UpgradeReport> {
    this.#upgrading ??= this.#upgradeAll().finally(() => {
      this.#upgrading = null;
    });
    return this.#upgrading;
  }

  /** Readiness fails at once; after `drainDelay` nobody can connect any more, and every worker drains. */
  async drain(): Promise<void> {
    if (this.#phase === 'draining') return;
    this.#phase = 'draining';
    const { servable } = this.#crew.served;
    const { drainDelay: delayMs, drainTimeout: deadlineMs } = servable.config;
    this.#logs.log.info({ delayMs, deadlineMs }, 'Draining');
    this.#reloader.stop();
    if (delayMs > 0) await this.#delay(delayMs);
    this.#crew.served.sockets.close();
    await this.#crew.drain();
    await this.close();
  }

  async close(): Promise<void> {
    this.#phase = 'draining';
    this.#reloader.stop();
    this.#endDelay?.();
    this.#crew.served.sockets.close();
    await this.#crew.close();
    await this.#admin?.close();
    await this.#logs.close();
  }

  abort(): void {
    this.#crew.kill();
  }

  async #delay(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endDelay = resolve;
    const timer = setTimeout(resolve, delayMs);
    await promise;
    clearTimeout(timer);
  }

  async #upgradeAll(): Promise<UpgradeReport> {
    // A reload replaces workers too.
    if (this.#reloader.busy) await this.#reloader.settled();
    this.#logs.log.info({}, 'Workers are replaced one after the other');
    let replaced = 0;
    for (const slot of this.#crew.slots) {
      // One that is about to be started again runs the new code anyway.
      if (slot.worker === null || this.#phase === 'draining') continue;
      try {
        await this.#crew.replace(slot);
      } catch (error) {
        const message = `Worker ${slot.number} was not replaced: ${(error as Error).message}`;
        this.#logs.log.error({ worker: slot.number, problem: message }, 'The workers before serve on');
        return { ok: false, reason: 'worker-not-ready', message };
      }
      replaced += 1;
    }
    this.#logs.log.info({ workers: this.#pids() }, 'Workers are replaced');
    return { ok: true, replaced };
  }

  #pids(): readonly (number | undefined)[] {
    return this.#crew.slots.map(({ worker }) => worker?.pid);
  }

  #newReloader(): Reloader {
    const { log } = this.#logs;
    let read: ConfigText = this.#options.text;
    return new Reloader({
      source: {
        load: () => {
          const { result, text } = this.#options.read();
          read = text;
          return result;
        },
        watched: this.#options.watched,
      },
      watches: () => this.#crew.served.servable.config.reload.watch,
      prepare: (servable) => this.#prepare(servable, read),
      plan: () => planFleet(this.#crew, read),
      clock: systemClock,
      reloaded: (report) => {
        logReload(log, report);
        this.#metrics.reloaded(report);
      },
      broke: (bug) => log.error({ err: bug }, 'A reload met a bug'),
    });
  }

  async #prepare(servable: Servable, text: ConfigText): Promise<Prepared> {
    if (this.#upgrading !== null) await this.#upgrading;
    if (this.#phase === 'draining') throw new StartError('The gateway is draining');
    return reloadFleet(this.#crew, { servable, text });
  }

  #newDesk(): AdminDesk {
    return fleetDesk({
      ...asking(this.#crew),
      remember: (key, call) => this.#crew.orders.remember(key, call),
      isDraining: () => this.#phase === 'draining',
      families: async () => this.#metrics.with(await this.#crew.counts.read()),
      workers: () =>
        this.#crew.slots.map(({ number, worker, startedAtMs, restarts }) => ({
          ...{ number, pid: worker?.pid ?? null, restarts },
          startedAt: worker === null ? null : new Date(startedAtMs).toISOString(),
        })),
      reload: (by) => this.reload(by),
      plan: () => this.#reloader.plan(),
      upgrade: () => this.upgrade(),
      logs: this.#logs,
      reloads: () => this.#reloader.history,
    });
  }
}
