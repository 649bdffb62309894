import type { Servable } from '../config/load.ts';
import { SecretSource } from '../control/common-secrets.ts';
import type { Quarantined } from '../control/quarantine.ts';
import { StartError } from '../gateway/start-error.ts';
import type { Logger } from '../observe/log.ts';
import type { LogLevel } from '../observe/log-level.ts';
import type { ProbeNews } from '../upstream/health/probe-state.ts';
import { FleetCounts } from './counts.ts';
import { Orders } from './orders.ts';
import type { StartOrder } from './protocol.ts';
import { watchPulse } from './pulse.ts';
import type { Served } from './served.ts';
import { Slot } from './slot.ts';
import { StandIns } from './stand-ins.ts';
import { rotationsOf, startOrder } from './start-order.ts';
import { type Ending, WorkerProcess } from './worker-process.ts';

export interface CrewParts extends Pick<StartOrder, 'certificatesDirectory' | 'development' | 'strict'> {
  readonly workers: number;
  readonly served: Served;
  readonly log: Logger;
  readonly logLevel: () => LogLevel;
  /** Another configuration is served from now on. Must not throw. */
  readonly changed: (before: Servable, next: Servable) => void;
}

/** A worker that drains has this long beyond `drainTimeout` to close what it has. */
const SLACK_MS = 10_000;

/** Somebody else has got the place that a worker was started for. */
class Superseded extends StartError {}

/** The processes of a fleet: one for each slot, those that are about to have it, and those that drain. */
export class Crew {
  urls: ReadonlyMap<string, string> = new Map();
  quarantined: readonly Quarantined[] = [];
  readonly slots: readonly Slot[];
  readonly counts = new FleetCounts();
  readonly orders = new Orders();
  readonly #parts: CrewParts;
  readonly #secrets = new SecretSource(() => Date.now());
  readonly #standIns: StandIns;
  /** All that have not ended. */
  readonly #processes = new Set<WorkerProcess>();
  readonly #retiring = new WeakMap<WorkerProcess, Promise<void>>();
  #served: Served;
  /** Who makes the health checks of all. */
  #leader: WorkerProcess | null = null;
  #ending = false;

  constructor(parts: CrewParts) {
    this.#parts = parts;
    this.#served = parts.served;
    this.slots = Array.from({ length: parts.workers }, (_, index) => new Slot(index + 1));
    this.#standIns = new StandIns(
      () => this.members,
      (number) => this.slots.some((slot) => slot.number === number && slot.worker !== null),
    );
  }

  get served(): Served {
    return this.#served;
  }

  /** Those that serve, or are about to: whoever has been told what was set by hand so far. */
  get members(): readonly WorkerProcess[] {
    return this.slots.flatMap(({ members }) => members);
  }

  /** Fills every slot. Rejects as `startGateway` does. */
  async start(): Promise<void> {
    const [first, ...others] = this.slots;
    if (first === undefined) return;
    // What is wrong is said once, and what is to be minted is minted once.
    await this.fill(first);
    await Promise.all(others.map((slot) => this.fill(slot)));
  }

  /** Starts a worker for the slot; resolves when it serves there. Who had it serves on until it is retired. Rejects as `startGateway` does. */
  async fill(slot: Slot): Promise<WorkerProcess> {
    const turn = slot.nextTurn();
    slot.filling = true;
    try {
      while (true) {
        const served = this.#served;
        const worker = await this.spawn(slot, served);
        await this.#orEnd(worker, worker.prepared);
        if (slot.turn !== turn || this.#ending) {
          this.#drop(worker);
          throw new Superseded('Another worker has got its place');
        }
        if (served === this.#served) return await this.enter(slot, worker);
        // A reload has passed by it.
        this.#drop(worker);
      }
    } finally {
      if (slot.turn === turn) slot.filling = false;
    }
  }

  /** A process for the slot that loads what is to be served, and waits to be told to open its listeners. */
  async spawn(slot: Slot, served: Served): Promise<WorkerProcess> {
    const known = (await this.#leader?.ask('probes', []).catch(() => [])) ?? [];
    if (this.#ending) throw new Superseded('Everything ends');
    const leads = this.#leader === null;
    const { certificatesDirectory, development, strict, logLevel } = this.#parts;
    const { fds, order } = startOrder(served.sockets.of(slot.number), {
      ...{ number: slot.number, certificatesDirectory, development, strict, leads, known },
      text: served.text,
      seed: this.seedFor(served.servable),
      logLevel: logLevel(),
    });
    const worker: WorkerProcess = new WorkerProcess({ fds, order, news: (news) => this.#spread(news, worker) });
    // The process that is to check is known from the beginning, so that two never do.
    if (leads) this.#leader = worker;
    this.#processes.add(worker);
    void worker.ended.then((ending) => this.#ended(slot, worker, ending));
    return worker;
  }

  /** Resolves when the worker has the slot. Rejects when it can't open its listeners. */
  async enter(slot: Slot, worker: WorkerProcess): Promise<WorkerProcess> {
    const { turn } = slot;
    slot.entering = worker;
    worker.open({ byHand: this.orders.all, logLevel: this.#parts.logLevel() });
    // Who was to make the checks may have ended while this one loaded.
    if (this.#leader === null) this.#elect(null);
    try {
      const { urls, quarantined } = await this.#orEnd(worker, worker.ready);
      if (slot.turn !== turn || this.#ending) {
        void this.retire(worker);
        throw new Superseded('Another worker has got its place');
      }
      this.urls = urls;
      this.quarantined = quarantined;
    } finally {
      if (slot.entering === worker) slot.entering = null;
    }
    slot.has(worker);
    this.counts.add(worker);
    void watchPulse(worker, () => {
      this.#parts.log.error({ worker: slot.number, pid: worker.pid }, 'A worker hangs: it is ended');
      worker.kill();
    });
    void this.#standIns.giveBack(slot.number);
    return worker;
  }

  /** Workers that were started with `next` take every slot; those before drain. Resolves when all serve, or are started again by and by. */
  async replaceAll(next: Served, fresh: readonly WorkerProcess[]): Promise<void> {
    this.serve(next);
    await Promise.all(
      this.slots.map(async (slot, index) => {
        const before = slot.worker;
        slot.nextTurn();
        slot.filling = false;
        const worker = fresh[index];
        if (worker !== undefined) await this.enter(slot, worker).catch((error: unknown) => this.#again(slot, error));
        if (before?.alive === true) void this.#relieve(slot, before);
      }),
    );
  }

  /** The workers that are there serve by it already, or are about to. */
  serve(next: Served): void {
    const before = this.#served;
    this.#served = next;
    this.#parts.changed(before.servable, next.servable);
  }

  seedFor(servable: Servable): StartOrder['seed'] {
    return this.#secrets.seed(rotationsOf(servable));
  }

  /** Replaces who has the slot. Rejects, with that one still there, when nobody comes. */
  async replace(slot: Slot): Promise<void> {
    const before = slot.worker;
    try {
      await this.fill(slot);
    } catch (error) {
      if (slot.worker === null && !this.#ending && !slot.filling) this.#restart(slot, 0);
      throw error;
    }
    if (before !== null) void this.#relieve(slot, before);
  }

  /** Drains a worker, and keeps what it has counted. Resolves when its process has ended; a second time waits for the first. */
  retire(worker: WorkerProcess): Promise<void> {
    const known = this.#retiring.get(worker);
    if (known !== undefined) return known;
    const retiring = this.#retire(worker);
    this.#retiring.set(worker, retiring);
    return retiring;
  }

  async #retire(worker: WorkerProcess): Promise<void> {
    const patienceMs = this.#served.servable.config.drainTimeout + SLACK_MS;
    try {
      this.counts.keep(worker, await worker.ask('drain', [], patienceMs));
    } catch (error) {
      // It has ended, or does not end by itself.
      this.#parts.log.error({ worker: worker.number, problem: (error as Error).message }, 'A worker did not drain');
      worker.kill();
    }
    await worker.ended;
  }

  /** Nobody is started any more; who serves drains. Resolves when every process has ended. */
  async drain(): Promise<void> {
    const { members } = this;
    this.#stop();
    for (const worker of this.#processes) if (!worker.opened) worker.kill();
    await Promise.all(members.map((worker) => this.retire(worker)));
    await Promise.all(Array.from(this.#processes, ({ ended }) => ended));
  }

  /** Ends every process at once. */
  async close(): Promise<void> {
    this.#stop();
    for (const worker of this.#processes) worker.kill();
    await Promise.all(Array.from(this.#processes, ({ ended }) => ended));
  }

  /** The same for the very end of this process. */
  kill(): void {
    for (const worker of this.#processes) worker.kill();
  }

  #stop(): void {
    this.#ending = true;
    for (const slot of this.slots) slot.nextTurn();
  }

  async #relieve(slot: Slot, old: WorkerProcess): Promise<void> {
    if (slot.worker === old) slot.worker = null;
    if (this.#leader === old) this.#elect(old);
    await this.retire(old);
  }

  async #orEnd<T>(worker: WorkerProcess, state: Promise<T>): Promise<T> {
    try {
      return await state;
    } catch (error) {
      this.#drop(worker);
      throw error;
    }
  }

  #drop(worker: WorkerProcess): void {
    if (this.#leader === worker) this.#elect(worker);
    worker.kill();
  }

  #spread(news: ProbeNews, from: WorkerProcess): void {
    for (const worker of this.members) if (worker !== from) worker.tell(news);
  }

  /** A worker has ended, told to or not. */
  #ended(slot: Slot, worker: WorkerProcess, { code, signal }: Ending): void {
    this.#processes.delete(worker);
    this.counts.keep(worker);
    if (this.#leader === worker) this.#elect(worker);
    if (slot.worker !== worker) return;
    slot.worker = null;
    if (this.#ending) return;
    const restartMs = slot.backOff.next(Date.now() - slot.startedAtMs);
    this.#parts.log.error({ worker: slot.number, pid: worker.pid, code, signal, restartMs }, 'A worker has ended');
    void this.#standIns.replace(slot.number, worker);
    // Unless its successor is under way.
    if (!slot.filling && slot.entering === null) this.#restart(slot, restartMs);
  }

  #restart(slot: Slot, inMs: number): void {
    if (slot.timer !== null) clearTimeout(slot.timer);
    slot.timer = setTimeout(async () => {
      slot.timer = null;
      slot.restarts += 1;
      try {
        const worker = await this.fill(slot);
        this.#parts.log.info({ worker: slot.number, pid: worker.pid }, 'A worker serves again');
      } catch (error) {
        this.#again(slot, error);
      }
    }, inMs);
  }

  #again(slot: Slot, error: unknown): void {
    if (this.#ending || error instanceof Superseded) return;
    const problem = error instanceof Error ? error.message : String(error);
    const restartMs = slot.backOff.next(0);
    this.#parts.log.error({ worker: slot.number, problem, restartMs }, 'A worker can not be started');
    this.#restart(slot, restartMs);
  }

  /** Another worker makes the health checks. */
  #elect(gone: WorkerProcess | null): void {
    this.#leader = this.members.find((worker) => worker !== gone) ?? null;
    this.#leader?.ask('lead', [true]).catch(() => {});
  }
}
