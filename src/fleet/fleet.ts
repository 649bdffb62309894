import type { AdminDesk } from '../admin/desk.ts';
import { systemClock } from '../clock.ts';
import type { ConfigText, LoadResult, Servable } from '../config/load.ts';
import { SecretSource } from '../control/common-secrets.ts';
import type { Quarantined } from '../control/quarantine.ts';
import { type Prepared, type ReloadAsker, type ReloadChanges, Reloader, type ReloadReport } from '../control/reload.ts';
import type { GatewayStatus } from '../control/status.ts';
import type { UpgradeReport } from '../control/upgrade.ts';
import type { WatchedConfig } from '../control/watch.ts';
import { AdminListener } from '../gateway/admin-listener.ts';
import { GatewayLogs } from '../gateway/gateway-logs.ts';
import type { InheritedSocket } from '../gateway/inherited-sockets.ts';
import { logReload } from '../gateway/reload-log.ts';
import { StartError } from '../gateway/start-error.ts';
import type { ProbeMemory, ProbeNews } from '../upstream/health/probe-state.ts';
import { FleetCounts } from './counts.ts';
import { fleetDesk } from './fleet-desk.ts';
import type { DeskCall, StartOrder } from './protocol.ts';
import { errorOf } from './refusal.ts';
import { Slot } from './slot.ts';
import { FleetSockets } from './sockets.ts';
import { fdInWorker, NoAnswer, WorkerProcess } from './worker-process.ts';

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

/** Copies of the socket of another worker that each has: so often it can stand in for it, the last time for good. */
const COPIES = 2;

/** Endpoints that are set by hand, and routes out of service. More than any operator has at a time. */
const MOST_BY_HAND = 10_000;

/** A worker that drains has this long beyond `drainTimeout` to close what it has. */
const SLACK_MS = 10_000;

/** Longest that preparing a configuration takes in a worker. */
const PREPARE_MS = 120_000;

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
  urls: ReadonlyMap<string, string> = new Map();
  quarantined: readonly Quarantined[] = [];
  readonly #options: FleetOptions;
  readonly #logs: GatewayLogs;
  readonly #slots: readonly Slot[];
  readonly #sockets: FleetSockets;
  readonly #counts: FleetCounts;
  readonly #secrets = new SecretSource(() => Date.now());
  readonly #reloader: Reloader;
  readonly #desk: AdminDesk;
  /** In the order in which they were set. At most `MOST_BY_HAND`. */
  readonly #byHand = new Map<string, DeskCall>();
  /** Who accepts for whom is not there, by number. */
  readonly #standIns = new Map<number, { readonly worker: WorkerProcess; readonly left: number }>();
  #admin: AdminListener | null = null;
  #servable: Servable;
  #text: ConfigText;
  /** Who makes the health checks of all. */
  #leader: WorkerProcess | null = null;
  #phase: 'starting' | 'serving' | 'draining' = 'starting';
  #upgrading: Promise<UpgradeReport> | null = null;
  #endDelay: (() => void) | null = null;

  constructor(options: FleetOptions) {
    const { workers, servable, text, sockets } = options;
    this.#logs = new GatewayLogs(servable.config.log.level, 0);
    this.#options = options;
    this.#servable = servable;
    this.#text = text;
    this.#slots = Array.from({ length: workers }, (_, index) => new Slot(index + 1));
    this.#sockets = new FleetSockets(workers, sockets);
    this.#counts = new FleetCounts(this.#slots);
    this.#reloader = this.#newReloader();
    this.#desk = this.#newDesk();
  }

  async open(): Promise<void> {
    const { config, origins } = this.#servable;
    await this.#sockets.open(config, origins);
    const [first, ...others] = this.#slots;
    if (first === undefined) return;
    // What is wrong is said once, and what is to be minted is minted once.
    await this.#fill(first);
    await Promise.all(others.map((slot) => this.#fill(slot)));
    this.#admin = new AdminListener({
      ...{ config: config.admin, origins, desk: this.#desk, clock: systemClock, log: this.#logs.log },
    });
    this.adminUrl = await this.#admin.open();
    this.#phase = 'serving';
    this.#reloader.start();
    this.#logs.log.info({ workers: this.#slots.map(({ worker }) => worker?.pid) }, 'Workers serve');
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
    for (const worker of this.#alive()) worker.ask('reopenLogs', []).catch(() => {});
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
    const { drainDelay: delayMs, drainTimeout: deadlineMs } = this.#servable.config;
    this.#logs.log.info({ delayMs, deadlineMs }, 'Draining');
    this.#reloader.stop();
    if (delayMs > 0) await this.#delay(delayMs);
    this.#sockets.close();
    for (const { timer } of this.#slots) if (timer !== null) clearTimeout(timer);
    await Promise.all(this.#alive().map((worker) => this.#retire(worker)));
    await this.close();
  }

  async close(): Promise<void> {
    this.#phase = 'draining';
    this.#reloader.stop();
    this.#endDelay?.();
    this.#sockets.close();
    for (const { timer } of this.#slots) if (timer !== null) clearTimeout(timer);
    for (const worker of this.#alive()) worker.kill();
    await Promise.all(this.#slots.map(({ worker }) => worker?.ended));
    await this.#admin?.close();
    await this.#logs.close();
  }

  #alive(): readonly WorkerProcess[] {
    return this.#slots.flatMap(({ worker }) => (worker?.alive === true ? [worker] : []));
  }

  async #delay(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endDelay = resolve;
    const timer = setTimeout(resolve, delayMs);
    await promise;
    clearTimeout(timer);
  }

  /** Starts a worker for the slot; resolves when it serves there. Rejects as `startGateway` does. */
  async #fill(slot: Slot): Promise<WorkerProcess> {
    const text = this.#text;
    const leads = this.#leader === null;
    const worker = this.#spawn(slot.number, { leads, known: await this.#knownProbes() });
    // The process that is to check is known from the beginning, so that two never do.
    if (leads) this.#leader = worker;
    try {
      const { urls, quarantined } = await worker.ready;
      this.urls = urls;
      this.quarantined = quarantined;
    } catch (error) {
      if (this.#leader === worker) this.#leader = null;
      worker.kill();
      throw error;
    }
    if (text !== this.#text) {
      // A reload has passed by it.
      worker.kill();
      return this.#fill(slot);
    }
    slot.has(worker);
    this.#counts.add(worker);
    void worker.ended.then(({ code, signal }) => this.#ended(slot, worker, { code, signal }));
    return worker;
  }

  #spawn(number: number, probes: { readonly leads: boolean; readonly known: readonly ProbeMemory[] }): WorkerProcess {
    const { certificatesDirectory, development, strict } = this.#options;
    const { own, others } = this.#sockets.of(number);
    const loans = Array.from({ length: COPIES }, () => others).flat();
    const order: StartOrder = {
      ...{ number, certificatesDirectory, development, strict, ...probes },
      text: this.#text,
      sockets: own.map(({ name }, index) => ({ name, fd: fdInWorker(index) })),
      loans: loans.map(({ name, of }, index) => ({ name, of, fd: fdInWorker(own.length + index) })),
      seed: this.#secrets.seed(rotationsOf(this.#servable)),
      logLevel: this.#logs.level,
      byHand: [...this.#byHand.values()],
    };
    const fds = [...own, ...loans].map(({ fd }) => fd);
    const worker: WorkerProcess = new WorkerProcess({ fds, order, news: (news) => this.#spread(news, worker) });
    return worker;
  }

  async #knownProbes(): Promise<readonly ProbeMemory[]> {
    return (await this.#leader?.ask('probes', []).catch(() => [])) ?? [];
  }

  #spread(news: ProbeNews, from: WorkerProcess): void {
    for (const worker of this.#alive()) if (worker !== from) worker.tell(news);
  }

  /** A worker has ended that nobody has told to, unless everything ends. */
  #ended(slot: Slot, worker: WorkerProcess, ending: { code: number | null; signal: string | null }): void {
    this.#counts.keep(worker);
    if (slot.worker !== worker) return;
    slot.worker = null;
    if (this.#phase === 'draining') return;
    const inMs = slot.backOff.next(Date.now() - slot.startedAtMs);
    this.#logs.log.error({ worker: slot.number, pid: worker.pid, ...ending, restartMs: inMs }, 'A worker has ended');
    if (this.#leader === worker) this.#elect();
    for (const [number, standIn] of this.#standIns) if (standIn.worker === worker) void this.#lend(number);
    void this.#lend(slot.number);
    this.#restart(slot, inMs);
  }

  #restart(slot: Slot, inMs: number): void {
    slot.timer = setTimeout(() => {
      slot.timer = null;
      slot.restarts += 1;
      const startedMs = Date.now();
      this.#fill(slot).then(
        (worker) => {
          this.#logs.log.info({ worker: slot.number, pid: worker.pid }, 'A worker serves again');
          void this.#giveBack(slot.number);
        },
        (error: unknown) => {
          if (this.#phase === 'draining') return;
          const nextMs = slot.backOff.next(Date.now() - startedMs);
          const problem = error instanceof Error ? error.message : String(error);
          this.#logs.log.error({ worker: slot.number, problem, restartMs: nextMs }, 'A worker can not be started');
          this.#restart(slot, nextMs);
        },
      );
    }, inMs);
  }

  /** Another worker makes the health checks. */
  #elect(): void {
    this.#leader = this.#alive()[0] ?? null;
    this.#leader?.ask('lead', [true]).catch(() => {});
  }

  /** Somebody else accepts what comes to the sockets of worker `number` until it is back. */
  async #lend(number: number): Promise<void> {
    this.#standIns.delete(number);
    for (const worker of this.#alive()) {
      const left = await worker.ask('borrow', [number]).catch(() => null);
      if (left === null) continue;
      this.#standIns.set(number, { worker, left });
      return;
    }
  }

  /** Once the last copy is in use it stays so: the socket would have nobody at the next time. */
  async #giveBack(number: number): Promise<void> {
    const standIn = this.#standIns.get(number);
    if (standIn === undefined || standIn.left === 0) return;
    this.#standIns.delete(number);
    await standIn.worker.ask('giveBack', [number]).catch(() => {});
  }

  async #upgradeAll(): Promise<UpgradeReport> {
    this.#logs.log.info({}, 'Workers are replaced one after the other');
    let replaced = 0;
    for (const slot of this.#slots) {
      const before = slot.worker;
      // One that is about to be started again runs the new code anyway.
      if (before === null || this.#phase === 'draining') continue;
      try {
        await this.#fill(slot);
      } catch (error) {
        const message = `Worker ${slot.number} was not replaced: ${(error as Error).message}`;
        this.#logs.log.error({ worker: slot.number, problem: message }, 'The workers before serve on');
        return { ok: false, reason: 'worker-not-ready', message };
      }
      if (this.#leader === before) this.#elect();
      replaced += 1;
      void this.#retire(before);
    }
    this.#logs.log.info({ workers: this.#slots.map(({ worker }) => worker?.pid) }, 'Workers are replaced');
    return { ok: true, replaced };
  }

  /** Drains a worker, and keeps what it has counted. Resolves when its process has ended. */
  async #retire(worker: WorkerProcess): Promise<void> {
    const patienceMs = this.#servable.config.drainTimeout + SLACK_MS;
    try {
      this.#counts.keep(worker, await worker.ask('drain', [], patienceMs));
    } catch (error) {
      // It has ended, or does not end by itself.
      this.#logs.log.error({ worker: worker.number, problem: (error as Error).message }, 'A worker did not drain');
      worker.kill();
    }
    await worker.ended;
  }

  #newReloader(): Reloader {
    const { log } = this.#logs;
    let read: ConfigText = this.#text;
    return new Reloader({
      source: {
        load: () => {
          const { result, text } = this.#options.read();
          read = text;
          return result;
        },
        watched: this.#options.watched,
      },
      watches: () => this.#servable.config.reload.watch,
      prepare: (servable) => this.#prepare(servable, read),
      // A worker is asked for one: it knows what serves.
      plan: () => Promise.reject(new TypeError('Cannot plan in the process that looks after workers')),
      clock: systemClock,
      reloaded: (report) => logReload(log, report),
      broke: (bug) => log.error({ err: bug }, 'A reload met a bug'),
    });
  }

  /** All workers are ready for it before the first serves by it. Rejects with the reason of the first that is not. */
  async #prepare(servable: Servable, text: ConfigText): Promise<Prepared> {
    if (this.#phase === 'draining') throw new StartError('The gateway is draining');
    if (this.#upgrading !== null) await this.#upgrading;
    const missing = this.#sockets.missing(servable.config);
    if (missing.length > 0) {
      const which = missing.map((name) => `“${name}”`).join(', ');
      throw new StartError(
        `Listener ${which} is new or elsewhere, and several workers get their sockets at the start: restart`,
      );
    }
    const workers = this.#alive();
    const next = { text, seed: this.#secrets.seed(rotationsOf(servable)) };
    const refusals = await Promise.all(
      workers.map((worker) => worker.ask('prepare', [next], PREPARE_MS).catch((error: unknown) => obstacleOf(error))),
    );
    const refusal = refusals.find((candidate) => candidate !== null);
    if (refusal !== undefined && refusal !== null) {
      await Promise.all(workers.map((worker) => worker.ask('abandon', []).catch(() => {})));
      throw errorOf(refusal);
    }
    return this.#committed(workers, { servable, text });
  }

  async #committed(
    workers: readonly WorkerProcess[],
    { servable, text }: { readonly servable: Servable; readonly text: ConfigText },
  ): Promise<Prepared> {
    const before = this.#servable.config;
    this.#servable = servable;
    this.#text = text;
    if (servable.config.log.level !== before.log.level) this.#logs.level = servable.config.log.level;
    const answers = await Promise.all(
      workers.map((worker) =>
        worker.ask('commit', []).catch(() => {
          // It would serve by the configuration before: its successor does not.
          worker.kill();
          return null;
        }),
      ),
    );
    const done = answers.find((answer) => answer !== null);
    if (done === undefined || done === null) throw new StartError('No worker is left to serve by it');
    this.#sockets.retain(servable.config);
    this.quarantined = done.quarantined;
    const changes: ReloadChanges = done;
    return { commit: () => changes, abandon: async () => {} };
  }

  #newDesk(): AdminDesk {
    return fleetDesk({
      askAll: async (call) => {
        const answers = await Promise.all(this.#alive().map((worker) => worker.ask('desk', [call]).catch(unanswered)));
        return answers.filter((answer) => answer !== UNANSWERED);
      },
      askOne: async (call) => {
        for (const worker of this.#alive()) {
          const answer = await worker.ask('desk', [call]).catch(unanswered);
          if (answer !== UNANSWERED) return answer;
        }
        throw new NoAnswer('No worker answers');
      },
      remember: (key, call) => {
        this.#byHand.delete(key);
        if (this.#byHand.size < MOST_BY_HAND) this.#byHand.set(key, call);
      },
      isDraining: () => this.#phase === 'draining',
      families: () => this.#counts.read(),
      workers: () =>
        this.#slots.map(({ number, worker, startedAtMs, restarts }) => ({
          ...{ number, pid: worker?.pid ?? null, restarts },
          startedAt: worker === null ? null : new Date(startedAtMs).toISOString(),
        })),
      reload: (by) => this.reload(by),
      upgrade: () => this.upgrade(),
      logs: this.#logs,
      reloads: () => this.#reloader.history,
    });
  }
}

const UNANSWERED = Symbol('unanswered');

/** One that has ended has no part in the answer; a bug has. */
function unanswered(error: unknown): typeof UNANSWERED {
  if (error instanceof NoAnswer) return UNANSWERED;
  throw error;
}

function obstacleOf(error: unknown) {
  return { kind: 'obstacle', obstacle: 'configuration', message: (error as Error).message } as const;
}

/** How often session tickets change their keys, wherever they do. */
function rotationsOf({ config }: Servable): readonly number[] {
  return Object.values(config.listeners).flatMap(({ tls }) =>
    tls === undefined || tls.ticketRotation <= 0 ? [] : [tls.ticketRotation],
  );
}
