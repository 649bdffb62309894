import type { Clock } from '../clock.ts';
import { ConfigError, type Diagnostic } from '../config/config-error.ts';
import { type LoadResult, type Servable, servable } from '../config/load.ts';
import type { Plan, PlanSummary } from './plan/plan.ts';
import type { Quarantined } from './quarantine.ts';
import { ConfigWatch, type WatchedConfig } from './watch.ts';

/** Where a reload finds the configuration. Must not throw. */
export interface ConfigSource {
  load(): LoadResult | Promise<LoadResult>;
  /** What is loaded from, if that is to be watched (`reload.watch`). Default: nothing. */
  readonly watched?: WatchedConfig;
}

/** Who asked. */
export interface ReloadAsker {
  readonly via: 'watch' | 'signal' | 'api' | 'cli' | 'program';
  /** Of the client of the admin listener; else `null`. */
  readonly address: string | null;
}

/** What one reload has changed. */
export interface ReloadChanges extends PlanSummary {
  readonly listeners: {
    readonly opened: readonly string[];
    readonly changed: readonly string[];
    readonly closed: readonly string[];
  };
  /** Sections whose changes only count after a restart: `admin`, `accessLog`. */
  readonly needsRestart: readonly string[];
  /** What is wrong with parts that were left out. */
  readonly quarantined: readonly Quarantined[];
}

/** How one reload went. Plain data, nothing secret. */
export interface ReloadReport {
  /** ISO 8601, of its beginning. */
  readonly at: string;
  readonly by: ReloadAsker;
  /** `refused`: the configuration before serves on, untouched. */
  readonly result: 'applied' | 'refused';
  /** Milliseconds. */
  readonly tookMs: number;
  /** Why it was refused; empty unless it was for the configuration. */
  readonly diagnostics: readonly Diagnostic[];
  /** Why it was refused for another reason than the configuration, like a port in use; else `null`. */
  readonly obstacle: string | null;
  /** `null` when it was refused. */
  readonly changes: ReloadChanges | null;
}

/** A configuration that is ready to serve. */
export interface Prepared {
  /** Makes it the one that serves; synchronous, and can't fail. */
  commit(): ReloadChanges;
  /** Gives back everything that it has opened. */
  abandon(): Promise<void>;
}

/** What a reload would do now. Plain data, nothing secret. */
export type PlanReport =
  | { readonly result: 'planned'; readonly plan: Plan }
  | ({ readonly result: 'refused' } & Pick<ReloadReport, 'diagnostics' | 'obstacle'>);

export interface ReloaderParts {
  /** `null` where there is nothing to load from: every reload is refused. */
  readonly source: ConfigSource | null;
  /** Whether the configuration that is served wants its files to be watched. */
  readonly watches: () => boolean;
  /** Rejects with a `ConfigError`, or with an obstacle that an operator can understand; nothing has changed then. */
  readonly prepare: (next: Servable) => Promise<Prepared>;
  /** Rejects as `prepare` does; nothing changes. */
  readonly plan: (next: Servable) => Promise<Plan>;
  readonly clock: Clock;
  /** Hears of each when it is over. Must not throw. */
  readonly reloaded: (report: ReloadReport) => void;
  /** A bug that a reload met, which refuses it. Must not throw. */
  readonly broke: (bug: unknown) => void;
}

/** Reports that are kept. */
export const MOST_REPORTS = 50;

const PROGRAM: ReloadAsker = { via: 'program', address: null };

/** Takes the gateway from one configuration to the next: one at a time, all or nothing. */
export class Reloader {
  readonly #parts: ReloaderParts;
  readonly #history: ReloadReport[] = [];
  readonly #watch: ConfigWatch | null;
  #last: Promise<unknown> = Promise.resolve();
  #asked = 0;
  #done = 0;
  /** One that has not begun yet: it sees what everybody wants who asks before it does. */
  #waiting: Promise<ReloadReport> | null = null;

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
    const { source, watches: wanted, clock } = parts;
    const watched = source?.watched;
    this.#watch =
      watched === undefined
        ? null
        : new ConfigWatch({ ...watched, clock, wanted, changed: () => this.reload({ via: 'watch', address: null }) });
  }

  /** Reloads by itself from now on, as far as its source is to be watched. */
  start(): void {
    this.#watch?.start();
  }

  /** Does not any more. */
  stop(): void {
    this.#watch?.stop();
  }

  /** The last 50, oldest first. */
  get history(): readonly ReloadReport[] {
    return this.#history;
  }

  /** Loads the configuration anew and serves by it, if it is sound. Never rejects. Who asks while one waits to begin gets that one's report. */
  reload(by: ReloadAsker = PROGRAM): Promise<ReloadReport> {
    if (this.#waiting !== null) return this.#waiting;
    const next = this.#inTurn(() => {
      this.#waiting = null;
      return this.#carryOut(by);
    });
    this.#waiting = next;
    return next;
  }

  /** What a reload would change now. Never rejects. */
  plan(): Promise<PlanReport> {
    return this.#inTurn(() =>
      this.#use<PlanReport>(
        (source) => source.load(),
        async (next) => ({ result: 'planned', plan: await this.#parts.plan(next) }),
      ),
    );
  }

  /** One is under way, or waits. */
  get busy(): boolean {
    return this.#asked > this.#done;
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#last;
  }

  #inTurn<T>(deed: () => Promise<T>): Promise<T> {
    this.#asked += 1;
    const next = this.#last.then(deed).finally(() => {
      this.#done += 1;
    });
    this.#last = next;
    return next;
  }

  async #carryOut(by: ReloadAsker): Promise<ReloadReport> {
    const { clock } = this.#parts;
    const begin = { at: new Date(clock.now()).toISOString(), by };
    const startedMs = clock.monotonic();
    const load = (source: ConfigSource): Loading => this.#watch?.load(() => source.load()) ?? source.load();
    const outcome = await this.#use<Outcome>(load, async (next) => {
      const prepared = await this.#parts.prepare(next);
      return { result: 'applied', diagnostics: [], obstacle: null, changes: prepared.commit() };
    });
    const report: ReloadReport = { ...begin, tookMs: clock.monotonic() - startedMs, ...outcome };
    this.#history.push(report);
    if (this.#history.length > MOST_REPORTS) this.#history.shift();
    this.#parts.reloaded(report);
    return report;
  }

  /** Loads the configuration and does something with it, or says why that is not to be had. */
  async #use<T>(load: (source: ConfigSource) => Loading, deed: (next: Servable) => Promise<T>): Promise<T | Refusal> {
    const { source } = this.#parts;
    if (source === null) return refused([], 'This gateway was started without a file to load from');
    try {
      const loaded = await load(source);
      const next = servable(loaded);
      return next === null ? refused(loaded.ok ? [] : loaded.diagnostics, null) : await deed(next);
    } catch (error) {
      if (error instanceof ConfigError) return refused(error.diagnostics, null);
      if (error instanceof Error && error.name === 'StartError') return refused([], error.message);
      this.#parts.broke(error);
      return refused([], 'The gateway met a bug: its log has more');
    }
  }
}

type Outcome = Pick<ReloadReport, 'result' | 'diagnostics' | 'obstacle' | 'changes'>;
type Loading = LoadResult | Promise<LoadResult>;
type Refusal = Outcome & { readonly result: 'refused'; readonly changes: null };

function refused(diagnostics: readonly Diagnostic[], obstacle: string | null): Refusal {
  return { result: 'refused', diagnostics, obstacle, changes: null };
}
