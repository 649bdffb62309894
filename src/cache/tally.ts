import type { CacheReport, CacheResult, ExchangeRecord } from '../exchange/outcome.ts';
import type { FillEnd } from './fill.ts';

/** What the cache did for one route, counted. Kept until `retain` forgets the route. */
export class RouteTally {
  /** Requests by what became of them. */
  readonly results: Record<CacheResult, number> = noResults();
  /** Requests that the cache was not asked for, by why. */
  readonly bypassed = new Map<string, number>();
  /** Answers of endpoints that were not stored, by why: known at the head, or at the end of the body. */
  readonly notStored = new Map<string, number>();
  stored = 0;
  /** Bodies on their way into the store now. */
  filling = 0;
  /** Of bodies sent to clients: from the store, and from endpoints. */
  bytesFromStore = 0;
  bytesFromUpstream = 0;

  /** An exchange is over. Hot: plain numbers. */
  finished(report: CacheReport, bytesOut: number): void {
    this.results[report.result] += 1;
    if (FROM_STORE[report.result]) {
      this.bytesFromStore += bytesOut;
      return;
    }
    // Its 504 is from neither.
    if (report.result === 'unsatisfiable') return;
    this.bytesFromUpstream += bytesOut;
    this.answered(report);
  }

  /** An endpoint has answered, whoever had asked it. */
  answered({ result, why, notStored }: CacheReport): void {
    if (notStored !== null) add(this.notStored, notStored);
    else if (result === 'bypass' && why !== null) add(this.bypassed, why);
  }

  fillBegan(): void {
    this.filling += 1;
  }

  fillEnded(end: FillEnd): void {
    this.filling -= 1;
    if (end === 'stored') this.stored += 1;
    else add(this.notStored, end);
  }
}

/** What the cache did, by route. */
export class CacheTally {
  readonly #routes = new Map<string, RouteTally>();
  readonly #purged = new Map<string, number>();

  of(route: string): RouteTally {
    let tally = this.#routes.get(route);
    if (tally === undefined) {
      tally = new RouteTally();
      this.#routes.set(route, tally);
    }
    return tally;
  }

  finished({ route, cache, bytesOut }: ExchangeRecord): void {
    if (cache !== null) this.of(route ?? '').finished(cache, bytesOut);
  }

  purged(kind: string, mode: 'soft' | 'hard', count: number): void {
    const key = `${kind} ${mode}`;
    this.#purged.set(key, (this.#purged.get(key) ?? 0) + count);
  }

  routes(): Iterable<readonly [route: string, tally: RouteTally]> {
    return this.#routes;
  }

  /** Forgets the counts of all routes but these, and of those that have nothing more on its way into the store. */
  retain(routes: ReadonlySet<string>): void {
    for (const [route, { filling }] of this.#routes) {
      if (filling === 0 && !routes.has(route)) this.#routes.delete(route);
    }
  }

  /** Stored responses that purges have meant, by what kind of purge, and whether it dropped them. */
  *purges(): Iterable<readonly [kind: string, mode: string, count: number]> {
    for (const [key, count] of this.#purged) {
      const [kind = '', mode = ''] = key.split(' ');
      yield [kind, mode, count];
    }
  }
}

/** Share of the requests for which the cache was asked that it answered without waiting for an endpoint; `null` for none. */
export function hitRatio(results: Readonly<Record<CacheResult, number>>): number | null {
  let asked = 0;
  let hits = 0;
  for (const [result, count] of Object.entries(results) as readonly (readonly [CacheResult, number])[]) {
    if (result !== 'bypass') asked += count;
    if (WITHOUT_WAITING[result]) hits += count;
  }
  return asked === 0 ? null : hits / asked;
}

const WITHOUT_WAITING: Readonly<Record<CacheResult, boolean>> = {
  hit: true,
  stale: true,
  'stale-while-revalidate': true,
  'stale-if-error': true,
  'stale-fallback': true,
  revalidated: false,
  collapsed: false,
  miss: false,
  bypass: false,
  fallback: false,
  unsatisfiable: false,
};

/** Whose body is not that of an endpoint's answer to this very request. */
const FROM_STORE: Readonly<Record<CacheResult, boolean>> = { ...WITHOUT_WAITING, revalidated: true, collapsed: true };

function noResults(): Record<CacheResult, number> {
  return {
    hit: 0,
    stale: 0,
    'stale-while-revalidate': 0,
    'stale-if-error': 0,
    'stale-fallback': 0,
    revalidated: 0,
    collapsed: 0,
    miss: 0,
    bypass: 0,
    fallback: 0,
    unsatisfiable: 0,
  };
}

function add(counts: Map<string, number>, reason: string): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}
