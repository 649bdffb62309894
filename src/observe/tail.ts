import type { Clock } from '../clock.ts';
import type { ExchangeLine } from '../exchange/line.ts';
import { compileFilter, type Matches } from '../filter/filter.ts';
import type { RecentExchanges } from './recent.ts';
import { type TopQuery, type TopTable, topOf } from './top.ts';

/** What somebody wants to see of the exchanges that ended lately. */
export interface TailQuery {
  /** `null` for all of them. */
  readonly filter: string | null;
  /** `next` of the page before; `null` for the first. */
  readonly after: string | null;
  /** Of a first page: how many that ended before. */
  readonly last: number;
  /** Most lines. */
  readonly limit: number;
  /** How long to wait for the first line of a page that would be empty. */
  readonly waitMs: number;
}

export interface TailPage {
  readonly ok: true;
  /** Oldest first. */
  readonly lines: readonly ExchangeLine[];
  readonly next: string;
  /** Exchanges since `after` that were forgotten before they were read. */
  readonly missed: number;
  /** Everything that ended since then is remembered, milliseconds since the epoch. */
  readonly sinceMs: number;
}

export interface FilteredTop extends TopQuery {
  readonly filter: string | null;
}

/** Why there is no answer. */
export type TailRefusal =
  | { readonly ok: false; readonly reason: 'bad-filter'; readonly message: string; readonly column: number }
  | { readonly ok: false; readonly reason: 'not-remembered'; readonly message: string };

const NOTHING: TailRefusal = {
  ok: false,
  reason: 'not-remembered',
  message: 'This gateway remembers no exchanges: accessLog.recent is 0',
};

/** What is remembered of exchanges, for whoever asks in words. */
export class Tail {
  readonly #recent: RecentExchanges | null;
  readonly #clock: Clock;
  /** Tells the numbers of this life of the gateway from those of another. */
  readonly #life: string;

  /** `recent`: `null` where nothing is remembered; `life`: letters and digits, unique to this process. */
  constructor(recent: RecentExchanges | null, clock: Clock, life: string) {
    this.#recent = recent;
    this.#clock = clock;
    this.#life = life;
  }

  async tail({ filter, after, last, limit, waitMs }: TailQuery): Promise<TailPage | TailRefusal> {
    if (this.#recent === null) return NOTHING;
    const chosen = matchesOf(filter);
    if (!chosen.ok) return chosen;
    const query = { after: this.#numberOf(after), last, limit, matches: chosen.matches };
    const page = await this.#recent.follow(query, waitMs);
    return {
      ok: true,
      lines: page.lines,
      next: `${this.#life}.${page.next}`,
      missed: page.missed,
      sinceMs: this.#recent.sinceMs,
    };
  }

  top({ filter, ...query }: FilteredTop): (TopTable & { readonly ok: true }) | TailRefusal {
    if (this.#recent === null) return NOTHING;
    const chosen = matchesOf(filter);
    if (!chosen.ok) return chosen;
    const { matches } = chosen;
    const lines = matches === null ? this.#recent : filtered(this.#recent, matches);
    return { ok: true, ...topOf(lines, query, { nowMs: this.#clock.now(), sinceMs: this.#recent.sinceMs }) };
  }

  /** Several processes have one number each (`1f.7,2a.5`). Where this one has none, all that it remembers is new. */
  #numberOf(after: string | null): number | null {
    if (after === null) return null;
    for (const part of after.slice(0, 4096).split(',')) {
      const [life, number = ''] = part.split('.');
      if (life === this.#life && /^\d{1,15}$/.test(number)) return Number(number);
    }
    return Number.MAX_SAFE_INTEGER;
  }
}

function* filtered(lines: Iterable<ExchangeLine>, matches: Matches): Generator<ExchangeLine> {
  for (const line of lines) if (matches(line)) yield line;
}

function matchesOf(filter: string | null): { readonly ok: true; readonly matches: Matches | null } | TailRefusal {
  if (filter === null) return { ok: true, matches: null };
  const compiled = compileFilter(filter);
  return compiled.ok ? compiled : { ...compiled, reason: 'bad-filter' };
}
