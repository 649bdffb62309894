import type { ProbeId } from '../identity.ts';
import { Check, type CheckParts } from './check.ts';
import type { ProbeDefinition } from './probe-definition.ts';
import type { ProbeMemory, ProbeNews, ProbeState } from './probe-state.ts';

/**
 * All active health checks, one per `ProbeId` however many pools share it. Outlives snapshots. A reload *adopts* what the
 * new snapshot needs while it is compiled, which sends nothing, and *retains* exactly that when it is swapped in: a reload
 * that fails in between leaves the running checks as they were.
 */
export class Prober {
  readonly #parts: CheckParts;
  readonly #checks = new Map<ProbeId, Check>();
  #retained: ReadonlySet<ProbeId> = new Set();
  /** What others knew when this began. As large as what they check. */
  readonly #remembered: ReadonlyMap<ProbeId, ProbeMemory>;
  #running = false;

  /** `remembered`: what another process knows, to go on from. */
  constructor(parts: CheckParts, remembered: readonly ProbeMemory[] = []) {
    this.#parts = parts;
    this.#remembered = new Map(remembered.map((memory) => [memory.id, memory]));
  }

  /** The state under `definition.id`: the present one with all it knows, or a new one that `retain` will start to check. */
  adopt(definition: ProbeDefinition): ProbeState {
    let check = this.#checks.get(definition.id);
    if (check === undefined) {
      check = new Check(definition, this.#parts);
      const remembered = this.#remembered.get(definition.id);
      if (remembered !== undefined) check.state.remember(remembered);
      this.#checks.set(definition.id, check);
    }
    return check.state;
  }

  /**
   * From now on exactly these are checked. Kept ones go on undisturbed, new ones are checked at once, all others end and are
   * forgotten; so the number of checks is bounded by the configuration.
   */
  retain(ids: ReadonlySet<ProbeId>): void {
    this.#retained = ids;
    for (const [id, check] of this.#checks) {
      if (ids.has(id)) continue;
      check.end();
      this.#checks.delete(id);
    }
    if (this.#running) this.#begin();
  }

  /** Sends the first check of everything retained, now; without jitter, so that nobody waits for what is up already. */
  start(): void {
    this.#running = true;
    this.#begin();
  }

  /** Ends all checks and cancels what is under way. States stay as they are; `start` goes on from them. */
  stop(): void {
    this.#running = false;
    for (const check of this.#checks.values()) check.end();
  }

  /** A result of another process, which checks while this one does not. Unknown ones are not for us. Returns whether a state changed. */
  hear(news: ProbeNews): boolean {
    return this.#checks.get(news.id)?.hear(news) ?? false;
  }

  memories(): readonly ProbeMemory[] {
    return [...this.#checks.values()].map(({ state }) => state.memory());
  }

  #begin(): void {
    for (const id of this.#retained) this.#checks.get(id)?.begin();
  }
}
