import type { CacheEntry } from './entry.ts';
import { type CacheRequest, matchesVary, primaryKey, varyFields } from './key.ts';
import type { CacheStore } from './store.ts';
import { UncacheableKeys } from './uncacheable-keys.ts';

/** How a wait ends, but for the waiter's own end. */
export type Release =
  /** The response that was waited for: confirmed, or arriving. */
  | { readonly kind: 'entry'; readonly entry: CacheEntry }
  /** There is an answer, but not to this request: look again. */
  | { readonly kind: 'again' }
  /** Nothing came. Ask for it in the others' stead; everything said of a `Lead` holds. */
  | { readonly kind: 'lead'; readonly lead: Lead }
  /** What came is nobody else's: ask for one of your own. */
  | { readonly kind: 'alone' };

/** A request that waits for another one's answer. */
export interface Waiter {
  /** What it asks for is what others could use as well: a GET for all of it. */
  readonly mayLead: boolean;
  /** May this response answer it, freshness aside? */
  accepts(entry: CacheEntry): boolean;
  /** Once, unless it left before. */
  released(by: Release): void;
}

/** What a request that finds nothing usable is to do. */
export type Part =
  /** Read what is arriving. */
  | { readonly kind: 'read'; readonly entry: CacheEntry }
  | { readonly kind: 'wait'; readonly flight: Flight }
  /** Ask, so that others can wait. */
  | { readonly kind: 'lead' }
  /**
   * Ask for itself. `uncacheable`: the last answers could not be shared. `full`: too many wait already. `variants`: too many others are
   * being asked for.
   */
  | { readonly kind: 'alone'; readonly why: 'uncacheable' | 'full' | 'variants' };

export interface FlightBounds {
  /** Who may wait for one answer. */
  readonly perFlight: number;
  /** Who may wait at all. */
  readonly waiters: number;
}

/** Who waits costs a connection anyway; these keep one event from having to release more than some 10 ms of work. */
const DEFAULT_BOUNDS: FlightBounds = { perFlight: 10_000, waiters: 50_000 };

/** Answers of one resource that arrive at once and can be read by who comes later. More are read by those who waited only. */
const MAX_LANDED = 16;

/**
 * Answers of one resource that are asked for at the same time, so that others can wait for them. A request is compared with each of them, at 4 µs:
 * thousands of clients that each select a variant of their own would otherwise hold up everybody.
 */
const MAX_FLIGHTS = 64;

/**
 * Requests for one resource made into one (RFC 9111 §4: a cache can collapse requests). Each flight has its leaders, of which there is one
 * unless some have failed, and those who wait for them. The resource is a primary key within a partition; requests that are known to
 * select different variants don't wait for each other.
 *
 * Pure: no timers and no I/O. Whoever leads must settle its `Lead` in the end, and whoever waits may leave at any time.
 */
export class Flights {
  readonly #store: Pick<CacheStore, 'get' | 'epoch' | 'invalidatedSince'>;
  readonly #bounds: FlightBounds;
  readonly #flights = new Map<string, Flight[]>();
  readonly #uncacheable = new UncacheableKeys();
  #waiters = 0;

  constructor(store: Pick<CacheStore, 'get' | 'epoch' | 'invalidatedSince'>, bounds: FlightBounds = DEFAULT_BOUNDS) {
    this.#store = store;
    this.#bounds = bounds;
  }

  /** Who waits now. */
  get waiters(): number {
    return this.#waiters;
  }

  /** Resources that are being asked for, or are arriving. */
  get resources(): number {
    return this.#flights.size;
  }

  /**
   * The part of `request`, for which there is nothing in the store. `fits` says whether a response that is arriving, asked for
   * before, is fresh enough and allowed. Changes nothing.
   */
  find(request: CacheRequest, fits: (entry: CacheEntry) => boolean, nowMs: number): Part {
    const key = flightKey(request);
    const flights = this.#flights.get(key);
    if (flights !== undefined) {
      for (const { entry, epoch } of flights) {
        if (entry !== null && fits(entry) && !this.#store.invalidatedSince(entry, epoch))
          return { kind: 'read', entry };
      }
      const flight = flights.find((one) => this.#isFor(one, request));
      if (flight !== undefined) return this.#hasRoom(flight) ? { kind: 'wait', flight } : alone.full;
      if (flights.length >= MAX_FLIGHTS) return alone.variants;
    }
    return this.#uncacheable.has(key, nowMs) ? alone.uncacheable : { kind: 'lead' };
  }

  /** Begins a flight. `epoch`: the store's when `request` was looked up. */
  lead(request: CacheRequest, epoch: number): Lead {
    const key = flightKey(request);
    const flight = new Flight(key, request, epoch);
    const flights = this.#flights.get(key);
    if (flights === undefined) this.#flights.set(key, [flight]);
    else flights.push(flight);
    return this.#leadOf(flight, epoch);
  }

  /** For a request that asks for itself: what it gets may show that answers can be shared again. */
  alone(request: CacheRequest): Lead {
    return new Lead(this, new Flight(flightKey(request), request, 0), 0);
  }

  /** To be called when `find` has said so. Until `released` or `leave`. */
  join(flight: Flight, waiter: Waiter): void {
    flight.waiters.set(waiter, this.#store.epoch);
    this.#waiters += 1;
  }

  leave(flight: Flight, waiter: Waiter): void {
    if (!flight.waiters.delete(waiter)) return;
    this.#waiters -= 1;
    if (flight.waiters.size === 0) for (const lead of flight.leads) lead.onDeserted?.();
  }

  // ---- what leaders report, through their `Lead`

  landed(flight: Flight, lead: Lead, entry: CacheEntry): void {
    this.#uncacheable.delete(flight.key);
    flight.leads.delete(lead);
    if (flight.isOver || flight.entry !== null) return;
    flight.entry = entry;
    flight.landedBy = lead;
    flight.epoch = lead.epoch;
    this.#forgetOldest(flight.key);
    this.#release(flight, (waiter, joinedAt) => this.#accepts(waiter, joinedAt, flight, entry));
  }

  confirmed(flight: Flight, lead: Lead, entry: CacheEntry): void {
    flight.leads.delete(lead);
    if (flight.isOver) return;
    flight.epoch = lead.epoch;
    this.#remove(flight);
    this.#release(flight, (waiter, joinedAt) => this.#accepts(waiter, joinedAt, flight, entry));
  }

  uncacheable(flight: Flight, lead: Lead, untilMs: number | null): void {
    flight.leads.delete(lead);
    if (untilMs !== null) this.#uncacheable.add(flight.key, untilMs);
    if (flight.isOver || flight.entry !== null) return;
    this.#remove(flight);
    this.#release(flight, () => ({ kind: 'alone' }));
  }

  /** One leads next; if that fails too, two, then four: neither a herd, nor one after the other. */
  failed(flight: Flight, lead: Lead): void {
    if (!flight.leads.delete(lead) || flight.isOver || flight.leads.size > 0 || flight.entry !== null) return;
    const next: Waiter[] = [];
    for (const waiter of flight.waiters.keys()) {
      if (next.length === flight.next) break;
      if (waiter.mayLead) next.push(waiter);
    }
    if (next.length === 0) {
      this.#remove(flight);
      this.#release(flight, () => ({ kind: 'alone' }));
      return;
    }
    flight.next *= 2;
    flight.epoch = this.#store.epoch;
    const leads = next.map((waiter) => {
      flight.waiters.delete(waiter);
      return this.#leadOf(flight, flight.epoch);
    });
    this.#waiters -= next.length;
    // All are there before the first one begins: it may fail at once, and the others are still to be asked.
    next.forEach((waiter, i) => {
      waiter.released({ kind: 'lead', lead: leads[i] as Lead });
    });
  }

  /** What had landed can no longer be read from its beginning, or has come to its end. */
  over(flight: Flight, lead: Lead): void {
    if (flight.landedBy === lead && !flight.isOver) this.#remove(flight);
  }

  #leadOf(flight: Flight, epoch: number): Lead {
    const lead = new Lead(this, flight, epoch);
    flight.leads.add(lead);
    return lead;
  }

  /** It has not landed, was not overtaken by an invalidation, and will bring what this request selects, as far as can be known. */
  #isFor(flight: Flight, request: CacheRequest): boolean {
    const { key } = flight;
    if (flight.entry !== null || this.#store.invalidatedSince({ key: flight.primaryKey, tags: '' }, flight.epoch))
      return false;
    for (const { entry } of this.#flights.get(key) ?? []) {
      if (entry !== null && !selectAlike(entry, flight.request, request)) return false;
    }
    return this.#store
      .get(flight.primaryKey)
      .every((entry) => entry.partition !== request.partition || selectAlike(entry, flight.request, request));
  }

  #hasRoom(flight: Flight): boolean {
    return flight.waiters.size < this.#bounds.perFlight && this.#waiters < this.#bounds.waiters;
  }

  /**
   * Whoever came after an invalidation must not get what was asked for before it. Of one by tag, nobody could know when they came. In
   * doubt they look again.
   */
  #accepts(waiter: Waiter, joinedAt: number, flight: Flight, entry: CacheEntry): Release {
    const overtaken = joinedAt > flight.epoch && this.#store.invalidatedSince(entry, flight.epoch);
    return !overtaken && waiter.accepts(entry) ? { kind: 'entry', entry } : { kind: 'again' };
  }

  /** Those with an answer first. The others may wait for each other again, by the variant that they now know to be of. */
  #release(flight: Flight, how: (waiter: Waiter, joinedAt: number) => Release): void {
    if (flight.waiters.size === 0) return;
    const others: [Waiter, Release][] = [];
    const waiters = [...flight.waiters];
    this.#waiters -= waiters.length;
    flight.waiters.clear();
    for (const [waiter, joinedAt] of waiters) {
      const by = how(waiter, joinedAt);
      if (by.kind === 'entry') waiter.released(by);
      else others.push([waiter, by]);
    }
    for (const [waiter, by] of others) waiter.released(by);
    for (const lead of flight.leads) lead.onDeserted?.();
  }

  #forgetOldest(key: string): void {
    const landed = (this.#flights.get(key) ?? []).filter(({ entry }) => entry !== null);
    if (landed.length > MAX_LANDED) this.#remove(landed[0] as Flight);
  }

  #remove(flight: Flight): void {
    flight.isOver = true;
    const flights = this.#flights.get(flight.key);
    const at = flights === undefined ? -1 : flights.indexOf(flight);
    if (flights === undefined || at === -1) return;
    flights.splice(at, 1);
    if (flights.length === 0) this.#flights.delete(flight.key);
  }
}

const alone = {
  full: { kind: 'alone', why: 'full' },
  uncacheable: { kind: 'alone', why: 'uncacheable' },
  variants: { kind: 'alone', why: 'variants' },
} as const;

/** One resource that is being asked for, or is arriving. Its fields are those of `Flights`. */
export class Flight {
  readonly key: string;
  readonly primaryKey: string;
  /** Of the first leader. */
  readonly request: CacheRequest;
  /** The store's when the leaders looked. */
  epoch: number;
  /** In the order they came, each with the store's epoch at that time. Bounded by `FlightBounds`. */
  readonly waiters = new Map<Waiter, number>();
  /** Those who are asking. */
  readonly leads = new Set<Lead>();
  /** How many lead next if all fail. */
  next = 1;
  /** Not `null` once it has landed. */
  entry: CacheEntry | null = null;
  /** Whose response `entry` is. */
  landedBy: Lead | null = null;
  isOver = false;

  constructor(key: string, request: CacheRequest, epoch: number) {
    this.key = key;
    this.primaryKey = primaryKey(request);
    this.request = request;
    this.epoch = epoch;
  }
}

/**
 * The duty of a leader: to say once what came of its request. The first word counts; `failed` may follow anything, so that whoever
 * gives up need not know.
 */
export class Lead {
  /** Nobody waits any more. */
  onDeserted: (() => void) | null = null;
  readonly epoch: number;
  readonly #flights: Flights;
  readonly #flight: Flight;
  #settled = false;

  constructor(flights: Flights, flight: Flight, epoch: number) {
    this.#flights = flights;
    this.#flight = flight;
    this.epoch = epoch;
  }

  /** Who waits for it, or for one of its fellows. */
  get waiters(): number {
    return this.#flight.waiters.size;
  }

  /** A response that is to be stored has begun: whoever waits reads it, and so may others, until `over`. */
  landed(entry: CacheEntry): void {
    if (this.#settle()) this.#flights.landed(this.#flight, this, entry);
  }

  /** The endpoint says that what is stored still holds. */
  confirmed(entry: CacheEntry): void {
    if (this.#settle()) this.#flights.confirmed(this.#flight, this, entry);
  }

  /** What came is for one client only. Until `untilMs`, nobody waits for its like; `null`: it says nothing of the next answer. */
  uncacheable(untilMs: number | null): void {
    if (this.#settle()) this.#flights.uncacheable(this.#flight, this, untilMs);
  }

  /** Nothing came, or an error that says nothing of the resource. */
  failed(): void {
    if (this.#settle()) this.#flights.failed(this.#flight, this);
  }

  /** What has landed is stored, or will not be. */
  over(): void {
    this.#flights.over(this.#flight, this);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    return true;
  }
}

function flightKey(request: CacheRequest): string {
  return `${primaryKey(request)} ${request.partition}`;
}

/** Do both requests have the same values of the fields that `entry` was selected by? */
function selectAlike(entry: CacheEntry, one: CacheRequest, other: CacheRequest): boolean {
  if (entry.vary.length === 0) return true;
  const fields = varyFields(['Vary', entry.vary.map(({ name }) => name).join(', ')], one);
  return typeof fields !== 'string' && matchesVary(fields, other);
}
