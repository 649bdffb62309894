import type { Purge } from '../cache/invalidations.ts';
import { type PurgeMode, Purger, purgeKeys } from '../cache/purge.ts';
import type { PurgeScope } from '../cache/purge-scope.ts';
import type { SharedCache } from '../cache/shared-cache.ts';
import { isTag } from '../cache/tags.ts';
import { hostInKeys, keysOfUrl, prefixOfUrl } from '../cache/url-keys.ts';
import type { Clock } from '../clock.ts';
import type { Hand } from '../upstream/events.ts';
import { type CachedUrl, cachedUrl, type EntryFilter, type EntryPage, entryPage } from './cache-listing.ts';
import { type CacheSummary, cacheSummary } from './cache-summary.ts';
import { inSlices } from './slices.ts';

/** What is to be purged, as a person says it. */
export type PurgeTarget =
  | { readonly kind: 'url'; readonly url: string }
  /** A URL, or the beginning of one: `https://shop.example/assets/`. */
  | { readonly kind: 'prefix'; readonly prefix: string }
  /** `shop.example`, or `shop.example:8443`. */
  | { readonly kind: 'host'; readonly host: string }
  | { readonly kind: 'tag'; readonly tags: readonly string[] }
  | { readonly kind: 'all' };

export type PurgeRefusal = 'bad-url' | 'bad-prefix' | 'bad-host' | 'bad-tag' | 'busy';

export interface PurgeDone {
  readonly ok: true;
  readonly kind: PurgeTarget['kind'];
  readonly mode: 'soft' | 'hard';
  /** Stored responses that were meant. */
  readonly purged: number;
}

export type PurgeResult = PurgeDone | { readonly ok: false; readonly reason: PurgeRefusal; readonly message: string };

/** One purge, for the log. */
export interface PurgeNote extends Omit<PurgeDone, 'ok'> {
  /** What was asked for, in its own words; empty for everything. */
  readonly target: string;
  readonly by: Hand;
}

export interface CacheAdminOptions {
  readonly cache: SharedCache;
  readonly clock: Clock;
  /** Resolves when what was purged is gone from where it would outlive the process. Default: nothing would. */
  readonly forgotten?: () => Promise<void>;
  /** Hears of each purge when it is done. Must not throw. */
  readonly purged: (note: PurgeNote) => void;
}

/** Tags of one purge. */
export const MOST_TAGS = 256;

/** One turn of the event loop goes on for so long, looked at after each step … */
const SLICE_MS = 2;
/** … of so many comparisons, a fraction of a millisecond on a machine that is not busy … */
const STEP = 256;
/** … and has no more of them than this, whatever the clock says. */
const MOST_STEPS = 16;

const PROGRAM: Hand = { via: 'program', address: null };

/** What is stored, by hand: purges, lists, figures. Never throws: what can't be done is said. */
export class CacheAdmin {
  readonly #cache: SharedCache;
  readonly #clock: Clock;
  readonly #purged: (note: PurgeNote) => void;
  readonly #forgotten: (() => Promise<void>) | null;
  readonly #purger: Purger;
  /** At most `MOST_PURGES`. */
  readonly #waiting = new Map<Purge, () => void>();
  #isWalking = false;

  constructor({ cache, clock, purged, forgotten }: CacheAdminOptions) {
    this.#forgotten = forgotten ?? null;
    this.#cache = cache;
    this.#clock = clock;
    this.#purged = purged;
    this.#purger = new Purger(cache.store);
  }

  /**
   * Purges what is stored and what is on its way there. Holds when this returns; resolves when the store has been walked for it, with
   * how much it was. Soft unless `hard`: what is meant is stale from now on, and dropped otherwise.
   */
  async purge(
    target: PurgeTarget,
    { hard = false, by = PROGRAM }: { hard?: boolean; by?: Hand } = {},
  ): Promise<PurgeResult> {
    const mode = { hard, nowMs: this.#clock.now() };
    const purged = target.kind === 'url' ? this.#purgeUrl(target.url, mode) : await this.#purgeScope(target, mode);
    if (typeof purged !== 'number') return purged;
    await this.#forgotten?.();
    const { kind } = target;
    const note = { kind, mode: hard ? ('hard' as const) : ('soft' as const), purged };
    this.#cache.tally.purged(kind, note.mode, purged);
    this.#purged({ ...note, target: wordsOf(target), by });
    return { ok: true, ...note };
  }

  /** Totals, and what the cache did for each route. */
  summary(): CacheSummary {
    return cacheSummary(this.#cache);
  }

  /** A page of what is stored, by URL. */
  entries(filter: EntryFilter): Promise<EntryPage> {
    const { prefix, host } = filter;
    const inKeys = {
      prefix: prefix === null ? null : (prefixOfUrl(prefix) ?? prefix),
      host: host === null ? null : (hostInKeys(host) ?? host),
    };
    return entryPage(this.#cache.store, { ...filter, ...inKeys }, this.#clock.now());
  }

  /** Everything that is stored for one URL; `null` for what is no URL. */
  inspect(url: string): CachedUrl | null {
    const keys = keysOfUrl(url, this.#cache.keys);
    return keys === null ? null : cachedUrl(this.#cache.store, keys, this.#clock.now());
  }

  #purgeUrl(url: string, mode: PurgeMode): number | Refused {
    const keys = keysOfUrl(url, this.#cache.keys);
    return keys === null ? refused('bad-url', `“${url}” is not a URL`) : purgeKeys(this.#cache.store, keys, mode);
  }

  async #purgeScope(target: Exclude<PurgeTarget, { kind: 'url' }>, mode: PurgeMode): Promise<number | Refused> {
    const scope = scopeOf(target);
    if ('ok' in scope) return scope;
    const purge = this.#purger.begin(scope, mode);
    if (purge === null) return refused('busy', 'Too many purges are under way: try again in a second');
    await new Promise<void>((resolve) => {
      this.#waiting.set(purge, resolve);
      if (this.#isWalking) return;
      this.#isWalking = true;
      void inSlices(() => this.#slice());
    });
    return purge.found;
  }

  /** One walk at a time, for all purges together. */
  #slice(): 'more' | 'done' {
    const startedAt = this.#clock.monotonic();
    for (let steps = 0; steps < MOST_STEPS; steps += 1) {
      const settled = this.#purger.step(STEP);
      if (settled === null) {
        this.#isWalking = false;
        return 'done';
      }
      for (const purge of settled) {
        this.#waiting.get(purge)?.();
        this.#waiting.delete(purge);
      }
      if (this.#clock.monotonic() - startedAt >= SLICE_MS) break;
    }
    return 'more';
  }
}

type Refused = Extract<PurgeResult, { ok: false }>;

function refused(reason: PurgeRefusal, message: string): Refused {
  return { ok: false, reason, message };
}

function scopeOf(target: Exclude<PurgeTarget, { kind: 'url' }>): PurgeScope | Refused {
  switch (target.kind) {
    case 'all':
      return target;
    case 'prefix': {
      const prefix = prefixOfUrl(target.prefix);
      return prefix === null
        ? refused('bad-prefix', `“${target.prefix}” is not the beginning of a URL`)
        : { kind: 'prefix', prefix };
    }
    case 'host': {
      const host = hostInKeys(target.host);
      return host === null ? refused('bad-host', `“${target.host}” is not a host`) : { kind: 'host', host };
    }
    case 'tag': {
      const wrong = target.tags.find((tag) => !isTag(tag));
      if (wrong !== undefined) return refused('bad-tag', `“${wrong}” is not a tag: tags have no blanks and no commas`);
      if (target.tags.length === 0) return refused('bad-tag', 'There is no tag');
      if (target.tags.length > MOST_TAGS) return refused('bad-tag', `At most ${MOST_TAGS} tags at once`);
      return target;
    }
  }
}

function wordsOf(target: PurgeTarget): string {
  switch (target.kind) {
    case 'url':
      return target.url;
    case 'prefix':
      return target.prefix;
    case 'host':
      return target.host;
    case 'tag':
      return target.tags.join(' ');
    case 'all':
      return '';
  }
}
