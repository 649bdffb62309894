import type { OwnFamilies } from '../../upstream/discovery/reachable.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { UpstreamParts } from '../../upstream/parts.ts';
import type { HttpClient } from '../http-client.ts';
import type { HttpStream } from '../http-stream.ts';
import { DockerListing } from './docker-listing.ts';
import { FileListing } from './file-listing.ts';
import {
  type Known,
  knownOf,
  type Listed,
  type ListingOptions,
  type Membership,
  membersOf,
  type Sources,
} from './membership.ts';
import type { NameLookup } from './name-lookup.ts';
import type { Listing, Source } from './source.ts';
import { SrvListing } from './srv-listing.ts';
import { type NameOptions, nameKey, WatchedName } from './watched-name.ts';

export interface DiscoveryParts extends UpstreamParts {
  readonly lookup: NameLookup;
  readonly ownFamilies: () => OwnFamilies;
  readonly http: HttpClient;
  readonly stream: HttpStream;
  /** The members of a pool are others now: who is in use has to be looked over again. */
  readonly changed: () => void;
  /** Once for each attempt to find something out that failed, and each pool that needs it. */
  readonly failed: (pool: string, reason: string) => void;
}

/** What one source of a pool's members says of itself. */
export interface SourceStatus {
  /** `dns api.internal`, `file endpoints.yaml` */
  readonly source: string;
  /** When it last went well, in ISO 8601; `null` when never. */
  readonly goodAt: string | null;
  /** Enumerated; `null` while all is well. */
  readonly trouble: string | null;
  readonly detail: string | null;
  /** When it is asked next, in ISO 8601; `null` while it is being asked. */
  readonly nextAt: string | null;
  readonly leftOut: readonly { readonly what: string; readonly reason: string }[];
}

/**
 * Finds the members of pools while the gateway runs. Pools that ask the same share one source, whose identity is all that changes
 * its answer; so it outlives snapshots. A reload looks at what is *known* while it is compiled, which asks nobody, and *retains*
 * exactly what the new snapshot needs when that is swapped in. Bounded: a source for each listing and for each name in it, 1024
 * endpoints a pool.
 */
export class Discovery implements Sources {
  readonly #parts: DiscoveryParts;
  readonly #listings = new Map<string, Listing>();
  readonly #names = new Map<string, WatchedName>();
  readonly #members = new Map<Membership, Known>();
  /** What was last said of each source: `''` for no trouble. */
  readonly #said = new Map<Source, { trouble: string; leftOut: string }>();
  readonly #settled: (() => void)[] = [];
  /**
   * Pools that something new was heard for in this turn of the event loop. Each change costs as much as the pool has names, and at
   * the start all of them answer at about the same time (300 names: 3 s of CPU time one by one).
   */
  readonly #outdated = new Set<Membership>();
  #turn: NodeJS.Immediate | null = null;
  #expected: readonly Membership[] = [];
  #running = false;

  constructor(parts: DiscoveryParts) {
    this.#parts = parts;
  }

  /** The members that are known already. */
  known(listed: readonly Listed[]): Known {
    return knownOf(listed, this);
  }

  /** These pools may be served soon: what they need is asked for until `retain` or `disregard`. */
  expect(memberships: readonly Membership[]): void {
    this.#expected = memberships;
    this.#beginExpected();
  }

  /** They will not be served. */
  disregard(): void {
    this.#expected = [];
    this.#forgetUnused();
  }

  /** What is found may have to be asked for further: the names that a file lists. */
  #beginExpected(): void {
    if (this.#running) for (const source of this.#expectedSources()) source.begin();
  }

  #expectedSources(): readonly Source[] {
    return this.#expected.flatMap(({ listed }) => [...this.known(listed).sources]);
  }

  /** From now on the members of these pools are found, and of no others. */
  retain(memberships: readonly Membership[]): void {
    this.#expected = [];
    this.#members.clear();
    this.#outdated.clear();
    for (const membership of memberships) this.#members.set(membership, this.known(membership.listed));
    for (const membership of memberships) this.#update(membership);
    this.#forgetUnused();
  }

  start(): void {
    this.#running = true;
    for (const source of this.#used()) source.begin();
  }

  /** Asks no more. Members stay as they are. */
  stop(): void {
    this.#running = false;
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#turn = null;
    for (const source of [...this.#listings.values(), ...this.#names.values()]) source.end();
    this.#parts.lookup.close();
  }

  /** Resolves once every source has answered or failed for the first time. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled.push(resolve);
      this.#checkSettled();
    });
  }

  /** Of the pool `name`; empty when nothing has to be found. */
  status(name: string): readonly SourceStatus[] {
    for (const [{ pool }, { sources }] of this.#members) {
      if (pool.name === name) return [...sources].map((source) => this.#statusOf(source));
    }
    return [];
  }

  /** How many endpoints were found, by pool. */
  *counts(): Iterable<readonly [pool: string, found: number]> {
    for (const [{ pool }, { endpoints }] of this.#members) yield [pool.name, endpoints.length];
  }

  listing(options: ListingOptions, names: NameOptions): Listing {
    const key = JSON.stringify(options.kind === 'srv' ? [options, names] : options);
    const known = this.#listings.get(key);
    if (known !== undefined) return known;
    const listing = this.#newListing(key, options, names);
    this.#listings.set(key, listing);
    return listing;
  }

  name(name: string, options: NameOptions): WatchedName {
    const key = nameKey(name, options);
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const watched = new WatchedName(name, options, { ...this.#parts, heard: this.#heard });
    this.#names.set(key, watched);
    return watched;
  }

  #newListing(key: string, options: ListingOptions, names: NameOptions): Listing {
    const parts = { ...this.#parts, heard: this.#heard };
    if (options.kind === 'srv') return new SrvListing(key, options, { ...parts, names });
    return options.kind === 'file' ? new FileListing(key, options.path, parts) : new DockerListing(key, options, parts);
  }

  readonly #heard = (source: Source, items: boolean): void => {
    const isNews = this.#tell(source);
    const concerned = [...this.#members].filter(([, { sources }]) => sources.has(source));
    const { trouble } = source.state;
    if (trouble !== null) {
      for (const [{ pool }] of concerned) this.#parts.failed(pool.name, trouble.reason);
    }
    if (items) this.#beginExpected();
    if (items || isNews) for (const [membership] of concerned) this.#outdated.add(membership);
    if (this.#outdated.size > 0) this.#turn ??= setImmediate(this.#catchUp);
    else this.#checkSettled();
  };

  readonly #catchUp = (): void => {
    this.#turn = null;
    const outdated = [...this.#outdated];
    this.#outdated.clear();
    for (const membership of outdated) this.#update(membership);
    this.#forgetUnused();
    this.#checkSettled();
  };

  /** One event for each change. Returns whether there was one, or it is the first that was heard of `source`. */
  #tell(source: Source): boolean {
    const { text } = source;
    const { trouble } = source.state;
    const leftOut = 'leftOut' in source ? (source as Listing).leftOut : [];
    const now = { trouble: trouble === null ? '' : (trouble.detail ?? 'trouble'), leftOut: JSON.stringify(leftOut) };
    const before = this.#said.get(source);
    this.#said.set(source, now);
    const { observer } = this.#parts;
    if (trouble !== null && now.trouble !== before?.trouble) {
      observer.event({
        kind: 'discovery',
        source: text,
        works: false,
        reason: trouble.reason,
        detail: trouble.detail ?? null,
      });
    } else if (trouble === null && before !== undefined && before.trouble !== '') {
      observer.event({ kind: 'discovery', source: text, works: true, reason: null, detail: null });
    }
    if (leftOut.length > 0 && now.leftOut !== before?.leftOut)
      observer.event({ kind: 'left-out', source: text, leftOut });
    return now.trouble !== before?.trouble;
  }

  /** Takes what is known now over into the pool, if it is anything new. */
  #update(membership: Membership): void {
    const { pool } = membership;
    const known = this.known(membership.listed);
    const before = this.#members.get(membership);
    this.#members.set(membership, known);
    if (this.#running) for (const source of known.sources) source.begin();
    const members = membersOf(known.endpoints, membership.make, membership.members);
    const isSame = [...members.keys()].join('\n') === [...membership.members.keys()].join('\n');
    if (isSame && known.absence?.reason === pool.absence?.reason) return;
    const earlier = pool.endpoints;
    membership.members = members;
    pool.replace([...members.values()], known.absence);
    const found = originsMissing(pool.endpoints, earlier);
    const lost = originsMissing(earlier, pool.endpoints);
    if (found.length + lost.length > 0) {
      this.#parts.observer.event({ kind: 'members', pool: pool.name, found, lost, count: members.size });
    }
    if (known.dropped > 0 && known.dropped !== before?.dropped) {
      this.#parts.observer.event({
        kind: 'members-dropped',
        pool: pool.name,
        dropped: known.dropped,
        most: members.size,
      });
    }
    this.#parts.changed();
  }

  #used(): ReadonlySet<Source> {
    const served = [...this.#members.values()].flatMap(({ sources }) => [...sources]);
    return new Set([...served, ...this.#expectedSources()]);
  }

  #forgetUnused(): void {
    const used = this.#used();
    for (const sources of [this.#listings, this.#names] as Map<string, Source>[]) {
      for (const [key, source] of sources) {
        if (used.has(source)) continue;
        source.end();
        sources.delete(key);
        this.#said.delete(source);
      }
    }
  }

  #checkSettled(): void {
    if (this.#settled.length === 0 || this.#outdated.size > 0) return;
    for (const { state } of this.#used()) if (!state.asked) return;
    for (const resolve of this.#settled.splice(0)) resolve();
  }

  #statusOf(source: Source): SourceStatus {
    const { text } = source;
    const { trouble, goodAtMs, nextAtMs } = source.state;
    return {
      source: text,
      goodAt: this.#dateOf(goodAtMs),
      trouble: trouble?.reason ?? null,
      detail: trouble?.detail ?? null,
      nextAt: this.#dateOf(nextAtMs),
      leftOut: 'leftOut' in source ? (source as Listing).leftOut : [],
    };
  }

  #dateOf(monotonicMs: number | null): string | null {
    const { clock } = this.#parts;
    return monotonicMs === null ? null : new Date(clock.now() + monotonicMs - clock.monotonic()).toISOString();
  }
}

function originsMissing(among: readonly Endpoint[], from: readonly Endpoint[]): string[] {
  const ids = new Set(from.map(({ id }) => id));
  return among.filter(({ id }) => !ids.has(id)).map(({ origin }) => origin);
}
