import type { CacheEntry } from './entry.ts';

/**
 * How a refresh ended. `confirmed`: by a 304. `replaced`: the endpoint had something new, whether it could be stored or not. `kept`:
 * it answered, and what is stored is still what it was. `failed`: no answer, or an error.
 */
export type RefreshResult = 'confirmed' | 'replaced' | 'kept' | 'failed';

/** Why a response was served stale without being refreshed. `pause`: the last refresh of it failed just now. */
export type RefreshSkip = 'bound' | 'pause' | 'overload' | 'closing';

/** What became of the refreshes of one route's responses, counted. */
export interface RefreshFigures {
  readonly route: string;
  readonly ended: Readonly<Record<RefreshResult, number>>;
  readonly skipped: Readonly<Record<RefreshSkip, number>>;
}

/** After a refresh that changed nothing the next one of the same response waits for so long, twice as long each further time … */
const FIRST_PAUSE_MS = 1_000;
/** … and never longer than this. */
const LONGEST_PAUSE_MS = 60_000;

interface Pause {
  readonly lengthMs: number;
  readonly untilMs: number;
}

/**
 * The refreshes of stale responses that are under way: one for each stored response, `limit` for all. Pauses are kept for as long as
 * the response they are about is stored, and figures for as many routes as `retain` leaves.
 */
export class Refreshes {
  readonly #limit: number;
  /** How each is cut off. */
  readonly #underWay = new Map<CacheEntry, () => void>();
  readonly #pauses = new WeakMap<CacheEntry, Pause>();
  readonly #figures = new Map<string, { ended: Record<RefreshResult, number>; skipped: Record<RefreshSkip, number> }>();
  #closing = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** Forgets the figures of all routes but these. */
  retain(routes: ReadonlySet<string>): void {
    for (const route of this.#figures.keys()) if (!routes.has(route)) this.#figures.delete(route);
  }

  *figures(): Iterable<RefreshFigures> {
    for (const [route, { ended, skipped }] of this.#figures) yield { route, ended, skipped };
  }

  isUnderWay(entry: CacheEntry): boolean {
    return this.#underWay.has(entry);
  }

  /** What keeps `entry` from being refreshed now; `null` for nothing. `nowMs` is monotonic. */
  obstacle(entry: CacheEntry, nowMs: number): RefreshSkip | null {
    if (this.#closing) return 'closing';
    const pause = this.#pauses.get(entry);
    if (pause !== undefined && nowMs < pause.untilMs) return 'pause';
    return this.#underWay.size >= this.#limit ? 'bound' : null;
  }

  skip(route: string, why: RefreshSkip): void {
    this.#of(route).skipped[why] += 1;
  }

  /** To be followed by `end`. `cut` must make it end soon. */
  begin(entry: CacheEntry, cut: () => void): void {
    this.#underWay.set(entry, cut);
  }

  end(entry: CacheEntry, of: { readonly route: string; readonly result: RefreshResult; readonly nowMs: number }): void {
    this.#underWay.delete(entry);
    this.#of(of.route).ended[of.result] += 1;
    if (of.result !== 'failed' && of.result !== 'kept') return;
    const before = this.#pauses.get(entry);
    const lengthMs = before === undefined ? FIRST_PAUSE_MS : Math.min(2 * before.lengthMs, LONGEST_PAUSE_MS);
    this.#pauses.set(entry, { lengthMs, untilMs: of.nowMs + lengthMs });
  }

  /** None begins any more, and those under way are cut off. */
  close(): void {
    this.#closing = true;
    for (const cut of [...this.#underWay.values()]) cut();
  }

  #of(route: string) {
    let figures = this.#figures.get(route);
    if (figures === undefined) {
      figures = {
        ended: { confirmed: 0, replaced: 0, kept: 0, failed: 0 },
        skipped: { bound: 0, pause: 0, overload: 0, closing: 0 },
      };
      this.#figures.set(route, figures);
    }
    return figures;
  }
}
