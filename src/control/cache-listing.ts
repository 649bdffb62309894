import type { CacheEntry } from '../cache/entry.ts';
import { currentAge, remainingMs } from '../cache/freshness.ts';
import { scopeTest } from '../cache/purge-scope.ts';
import type { CacheStore } from '../cache/store.ts';
import { listTags } from '../cache/tags.ts';
import { inSlices } from './slices.ts';

/** Which stored responses are wanted. `null`: whatever it is. */
export interface EntryFilter {
  /** As in keys: see `url-keys.ts`. */
  readonly prefix: string | null;
  readonly host: string | null;
  readonly tag: string | null;
  /** Those behind this URL, the last one of the page before. */
  readonly after: string | null;
  /** 1 to `MOST_ENTRIES`; variants of one URL stay together, so that there may be some more. */
  readonly limit: number;
}

export const MOST_ENTRIES = 1000;

/** Stored responses that are looked at in one turn of the event loop: below 1 ms. */
const SLICE = 2_000;

export interface EntryPage {
  /** In the order of their URLs. */
  readonly entries: readonly ListedEntry[];
  /** `after` for the next page; `null` when this is the last. */
  readonly next: string | null;
}

/** A stored response. Nothing of it is a secret: what a client's cookie or credentials were is left out. */
export interface ListedEntry {
  readonly url: string;
  /** First word of the partition: the route that it was stored for. */
  readonly route: string;
  /** Request fields that it was selected by; `null`: the field was absent. */
  readonly vary: Readonly<Record<string, string | null>>;
  readonly status: number;
  readonly ageSeconds: number;
  /** Negative for how long it has been stale. */
  readonly freshSeconds: number;
  /** Of its body; `null` while that is not known. */
  readonly length: number | null;
  /** Memory accounted for all of it. */
  readonly bytes: number;
  readonly tags: readonly string[];
}

export interface CachedUrl {
  readonly variants: readonly (ListedEntry & {
    /** Stored fields in order, name and value; values of `Set-Cookie` and of whatever sounds like a secret are left out. */
    readonly headers: readonly (readonly [name: string, value: string])[];
  })[];
}

export function cachedUrl(store: CacheStore, keys: readonly string[], nowMs: number): CachedUrl {
  const variants = keys.flatMap((key) => store.get(key).slice());
  return { variants: variants.map((entry) => ({ ...listed(entry, nowMs), headers: shownHeaders(entry) })) };
}

/** Walks the whole store in slices, and keeps no more than a page. */
export async function entryPage(store: CacheStore, filter: EntryFilter, nowMs: number): Promise<EntryPage> {
  const wanted = wants(filter);
  const page = new Page(filter.limit);
  const lists = store.variantLists();
  await inSlices(() => {
    for (let i = 0; i < SLICE; i += 1) {
      const next = lists.next();
      if (next.done === true) return 'done';
      for (const entry of next.value) if (wanted(entry)) page.offer(entry.key);
    }
    return 'more';
  });
  const entries = page.keys.flatMap((key) => store.get(key).filter(wanted));
  return {
    entries: entries.map((entry) => listed(entry, nowMs)),
    next: page.isCut ? (page.keys.at(-1) ?? null) : null,
  };
}

/** The smallest keys that were offered. */
class Page {
  readonly #limit: number;
  readonly #keys: string[] = [];
  isCut = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get keys(): readonly string[] {
    return this.#keys;
  }

  offer(key: string): void {
    const isFull = this.#keys.length === this.#limit;
    const last = this.#keys.at(-1);
    if (isFull && last !== undefined && key > last) {
      this.isCut = true;
      return;
    }
    const at = placeOf(key, this.#keys);
    if (this.#keys[at] === key) return;
    this.#keys.splice(at, 0, key);
    if (!isFull) return;
    this.isCut = true;
    this.#keys.pop();
  }
}

/** Where `key` is, or belongs, in a sorted list. */
function placeOf(key: string, keys: readonly string[]): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function wants({ prefix, host, tag, after }: EntryFilter): (entry: CacheEntry) => boolean {
  const tests = [
    ...(prefix === null ? [] : [scopeTest({ kind: 'prefix', prefix })]),
    ...(host === null ? [] : [scopeTest({ kind: 'host', host })]),
    ...(tag === null ? [] : [scopeTest({ kind: 'tag', tags: [tag] })]),
  ];
  return (entry) => (after === null || entry.key > after) && tests.every((test) => test(entry));
}

function listed(entry: CacheEntry, nowMs: number): ListedEntry {
  const { key: url, status, body, bytes } = entry;
  return {
    url,
    route: entry.partition.split(/\s/, 1)[0] ?? '',
    vary: Object.fromEntries(entry.vary.map(({ name, raw }) => [name, shownValue(name, raw)])),
    ...{ status, length: body.length, bytes },
    ageSeconds: currentAge(entry, nowMs),
    freshSeconds: Math.floor(remainingMs(entry, nowMs) / 1000),
    tags: listTags(entry.tags),
  };
}

const LEFT_OUT = '(left out)';

/** Fields by which people are known, and their like. */
const SECRET = /^((set-)?cookie|authorization|proxy-authorization)$|auth|token|secret|session|api-?key/;

function shownValue(name: string, raw: string | null): string | null {
  return raw !== null && SECRET.test(name) ? LEFT_OUT : raw;
}

function shownHeaders({ headers }: CacheEntry): readonly (readonly [string, string])[] {
  const shown: (readonly [string, string])[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    shown.push([name, shownValue(name.toLowerCase(), value) ?? value]);
  }
  return shown;
}
