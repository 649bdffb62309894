import type { Clock } from '../clock.ts';
import { ConfigError } from '../config/config-error.ts';
import type { Servable } from '../config/load.ts';
import type { Origins } from '../config/origins.ts';
import type { Config } from '../config/schema/config.ts';
import { type Compiled, type CompileInput, type CompileResult, compile, compileSteps } from '../control/compile.ts';
import { planSteps } from '../control/plan/make-plan.ts';
import { type Plan, summaryOf } from '../control/plan/plan.ts';
import type { Prepared, ReloadChanges } from '../control/reload.ts';
import { sliced } from '../control/slices.ts';
import type { GatewayStatus } from '../control/status.ts';
import type { Back } from './back.ts';
import type { Front, FrontChange } from './front.ts';
import { drainsListener } from './listener-options.ts';
import { StartError } from './start-error.ts';
import type { Store } from './store.ts';

/** What is served now. */
export interface Running {
  readonly config: Config;
  readonly origins: Origins;
  readonly compiled: Compiled;
}

export interface ServingParts {
  readonly clock: Clock;
  readonly back: Back;
  readonly store: Store;
  /** The one that is not opened before something is served. */
  readonly front: () => Front;
  readonly development: boolean;
  readonly strict: boolean;
  readonly status: () => Pick<GatewayStatus, 'phase' | 'listeners' | 'pools'>;
  /** What a configuration wants to be opened besides the listeners. Throws what the system says. */
  readonly open: (config: Config) => Opening;
  /** Everybody else who has to know that something else is served from now on. Must not throw. */
  readonly changed: (before: Running, next: Running) => void;
}

/** What was opened beside what serves. */
export interface Opening {
  commit(): void;
  abandon(): void;
}

interface Changes {
  readonly change: FrontChange;
  readonly opening: Opening;
}

/** Sections, and keys of sections, that are looked at once, when the process starts. */
export const ONCE: readonly string[] = [
  ...['accessLog.recent', 'accessLog.recentBytes', 'admin'],
  ...['cache.disk', 'cache.fills', 'cache.objectSize', 'cache.refreshes', 'cache.size'],
  ...['metrics', 'pidFile', 'workers'],
];

/** The configuration that is served, and the way from one to the next. */
export class Serving {
  readonly #parts: ServingParts;
  #running: Running;
  /** Settled when nothing is compiled or ready beside what serves. */
  #turn: Promise<void> = Promise.resolve();

  /** Compiles the first one. Throws a `ConfigError`. */
  constructor(first: Servable, parts: ServingParts) {
    this.#parts = parts;
    const { config, origins } = first;
    this.#running = { config, origins, compiled: accepted(compile(this.#input(first, 'start'))) };
  }

  get running(): Running {
    return this.#running;
  }

  /**
   * Everything that can fail, beside the configuration that serves. Rejects with a `ConfigError` or a `StartError`. Until it is committed or
   * abandoned, whoever prepares or plans another one waits.
   */
  async prepare(servable: Servable): Promise<Prepared> {
    const done = await this.#alone();
    return this.#beside(servable, done, async (next) => {
      const { clock, front } = this.#parts;
      const plan = await sliced(planSteps(this.#running, next, this.#context(false)), clock);
      await this.#parts.back.foresee(next.compiled.memberships);
      const opening = this.#open(next.config);
      const change = await front()
        .prepare(next)
        .catch((error: unknown) => {
          opening.abandon();
          throw error;
        });
      const changes = { change, opening };
      return {
        commit: () => {
          done();
          return this.#commit(next, changes, plan);
        },
        abandon: () => {
          done();
          return this.#abandon(changes);
        },
      };
    });
  }

  /** What would change. Rejects as `prepare` does, but looks at no socket. */
  async plan(servable: Servable): Promise<Plan> {
    const done = await this.#alone();
    const plan = await this.#beside(servable, done, (next) =>
      sliced(planSteps(this.#running, next, this.#context(true)), this.#parts.clock),
    );
    this.#parts.back.disregard();
    done();
    return plan;
  }

  /** Waits until nothing else is beside what serves: what is new for one would be forgotten with the other. Call what it resolves with. */
  async #alone(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#turn;
    this.#turn = promise;
    await before;
    return resolve;
  }

  /** Calls `done` if it comes to nothing. */
  async #beside<T>(servable: Servable, done: () => void, use: (next: Running) => Promise<T>): Promise<T> {
    const { back, clock, status } = this.#parts;
    if (status().phase === 'draining') {
      done();
      throw new StartError('The gateway is draining');
    }
    back.hold();
    try {
      const { config, origins } = servable;
      const { parts: before, quarantined: quarantinedBefore } = this.#running.compiled;
      const steps = compileSteps({ ...this.#input(servable, 'reload'), before, quarantinedBefore });
      return await use({ config, origins, compiled: accepted(await sliced(steps, clock)) });
    } catch (error) {
      back.disregard();
      done();
      throw error;
    }
  }

  #input({ config, origins, faults }: Servable, when: 'start' | 'reload'): CompileInput {
    const { back, store, development, strict } = this.#parts;
    return {
      ...{ config, origins, faults, development },
      tolerance: strict || (when === 'reload' && config.reload.strict) ? 'strict' : when,
      ledger: back.ledger,
      discovery: back.discovery,
      cache: store.cache,
    };
  }

  #context(requests: boolean) {
    return { once: ONCE, live: this.#parts.status(), drains: drainsListener, requests };
  }

  #open(config: Config): Opening {
    try {
      return this.#parts.open(config);
    } catch (error) {
      const { message } = error as Error;
      throw new StartError(`Cannot write the access log: ${message}`, { cause: error });
    }
  }

  #abandon({ change, opening }: Changes): Promise<void> {
    this.#parts.back.disregard();
    opening.abandon();
    return change.abandon();
  }

  /** One pointer; then what the new one does not use is let go of. */
  #commit(next: Running, { change, opening }: Changes, plan: Plan): ReloadChanges {
    const before = this.#running;
    this.#running = next;
    this.#parts.changed(before, next);
    change.commit();
    opening.commit();
    this.#parts.back.adopt(next.compiled);
    this.#parts.store.adopt(next.compiled);
    const { opened, changed, closed } = change;
    const { needsRestart } = plan;
    const { quarantined } = next.compiled;
    return { ...summaryOf(plan), listeners: { opened, changed, closed }, needsRestart, quarantined };
  }
}

function accepted(compiled: CompileResult): Compiled {
  if (!compiled.ok) throw new ConfigError(compiled.diagnostics);
  return compiled;
}
