import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CacheEntry } from '../../../src/cache/entry.ts';
import { type Flight, Flights, type Lead, type Release, type Waiter } from '../../../src/cache/flights.ts';
import { type CacheRequest, matchesVary } from '../../../src/cache/key.ts';
import type { MemoryStore } from '../../../src/cache/memory-store.ts';
import { entryOf, get, ok, smallStore, T0 } from './origin.ts';

const MINUTE = ['Cache-Control', 'max-age=60'];

class Client implements Waiter {
  readonly request: CacheRequest;
  readonly mayLead: boolean;
  readonly releases: Release[] = [];
  onRelease: (by: Release) => void = () => {};

  constructor(request: CacheRequest, mayLead = true) {
    this.request = request;
    this.mayLead = mayLead;
  }

  accepts(entry: CacheEntry): boolean {
    return matchesVary(entry.vary, this.request);
  }

  released(by: Release): void {
    this.releases.push(by);
    this.onRelease(by);
  }

  get kinds(): readonly string[] {
    return this.releases.map(({ kind }) => kind);
  }
}

function scene(waiters: number, bounds?: { perFlight: number; waiters: number }) {
  const store = smallStore();
  const flights = new Flights(store, bounds);
  const lead = flights.lead(get(), store.epoch);
  const clients = Array.from({ length: waiters }, () => joined(flights));
  return { store, flights, lead, clients };
}

function find(flights: Flights, request = get(), fits = true) {
  return flights.find(request, () => fits, T0);
}

function joined(flights: Flights, request = get(), mayLead = true): Client {
  const part = find(flights, request);
  if (part.kind !== 'wait') throw new Error(part.kind);
  const client = new Client(request, mayLead);
  flights.join(part.flight, client);
  return client;
}

describe('who asks and who waits', () => {
  test('the first one leads, the others wait, and read what has landed', () => {
    const { flights, lead, clients } = scene(2);
    const entry = entryOf(ok(MINUTE));
    lead.landed(entry);
    expect(clients.map(({ kinds }) => kinds)).toEqual([['entry'], ['entry']]);
    expect(find(flights)).toEqual({ kind: 'read', entry });
    expect(find(flights, get(), false).kind).toBe('lead');
    lead.over();
    expect([find(flights).kind, flights.resources, flights.waiters]).toEqual(['lead', 0, 0]);
  });

  test('another URL, and another partition, is another flight', () => {
    const { flights } = scene(0);
    expect(find(flights, get([], { path: '/b' })).kind).toBe('lead');
    expect(find(flights, get([], { partition: 'b' })).kind).toBe('lead');
  });

  test('who turns out to want another variant looks again; variants that are known don’t wait for each other', () => {
    const { flights, store } = scene(0);
    const [x, y] = [get(['Foo', 'x']), get(['Foo', 'y'])];
    const lead = flights.lead(get(['Foo', 'x'], { path: '/v' }), store.epoch);
    const at = (request: CacheRequest) => ({ ...request, path: '/v' });
    const [alike, other] = [joined(flights, at(x)), joined(flights, at(y))];
    lead.landed(entryOf(ok([...MINUTE, 'Vary', 'Foo']), { request: at(x) }));
    expect([alike.kinds, other.kinds]).toEqual([['entry'], ['again']]);
    flights.lead(at(y), store.epoch);
    expect(flights.find(at(get(['Foo', 'z'])), (entry) => matchesVary(entry.vary, get(['Foo', 'z'])), T0).kind).toBe(
      'lead',
    );
    expect(flights.find(at(y), (entry) => matchesVary(entry.vary, y), T0).kind).toBe('wait');
  });

  test('of a resource with a variant for each client, so many are asked for with others waiting, and the rest alone', () => {
    const { store } = scene(0);
    const flights = new Flights(store);
    store.set(entryOf(ok([...MINUTE, 'Vary', 'Foo']), { request: get(['Foo', 'known']) }));
    const kinds = Array.from({ length: 100 }, (_, i) => {
      const request = get(['Foo', String(i)]);
      const part = find(flights, request, false);
      if (part.kind === 'lead') flights.lead(request, store.epoch);
      return part.kind;
    });
    expect(kinds.slice(0, 64).every((kind) => kind === 'lead')).toBe(true);
    expect(kinds.slice(64).every((kind) => kind === 'alone')).toBe(true);
    // Those that are asked for are still waited for.
    expect(find(flights, get(['Foo', '3']), false).kind).toBe('wait');
  });

  test('a leader whose fellow has brought the answer hears that nobody waits for it any more', () => {
    const { lead, clients } = scene(4);
    const leads: Lead[] = [];
    for (const client of clients) {
      client.onRelease = (by) => {
        if (by.kind === 'lead') leads.push(by.lead);
      };
    }
    lead.failed();
    leads[0]?.failed();
    expect(leads.length).toBe(3);
    let deserted = 0;
    const [, one, fellow] = leads;
    if (one === undefined || fellow === undefined) throw new Error('Nobody leads');
    fellow.onDeserted = () => {
      deserted += 1;
    };
    one.landed(entryOf(ok(MINUTE)));
    expect([clients[3]?.kinds, deserted]).toEqual([['entry'], 1]);
  });

  test('what can’t be shared releases all at once, and nobody waits there for a while', () => {
    const { flights, lead, clients } = scene(3);
    lead.uncacheable(T0 + 1000);
    expect(clients.map(({ kinds }) => kinds)).toEqual([['alone'], ['alone'], ['alone']]);
    expect(flights.find(get(), () => true, T0 + 999)).toEqual({ kind: 'alone', why: 'uncacheable' });
    expect(flights.find(get(), () => true, T0 + 1000).kind).toBe('lead');
    lead.uncacheable(T0 + 5000);
    flights.alone(get()).uncacheable(T0 + 5000);
    expect(find(flights).kind).toBe('alone');
    flights.alone(get()).landed(entryOf(ok(MINUTE)));
    expect(find(flights).kind).toBe('lead');
  });

  test('§4.4 who comes after an invalidation does not wait for what was asked for before it', () => {
    const { flights, store, lead } = scene(1);
    store.delete('http://shop.test/a');
    expect(find(flights).kind).toBe('lead');
    lead.landed(entryOf(ok(MINUTE)));
    expect(find(flights).kind).toBe('lead');
  });

  test('above the bounds, requests go alone', () => {
    const { flights } = scene(2, { perFlight: 2, waiters: 10 });
    expect(find(flights)).toEqual({ kind: 'alone', why: 'full' });
  });

  test('a confirmed response goes to those who waited, and the store has it for the others', () => {
    const { flights, lead, clients } = scene(2);
    lead.confirmed(entryOf(ok(MINUTE)));
    expect(clients.map(({ kinds }) => kinds)).toEqual([['entry'], ['entry']]);
    expect(flights.resources).toBe(0);
  });
});

describe('failures', () => {
  test('one leads next, then two, then four', () => {
    const { lead, clients, flights } = scene(10);
    const leads: Lead[] = [];
    for (const client of clients) client.onRelease = (by) => void (by.kind === 'lead' && leads.push(by.lead));
    const failAll = () => {
      for (const each of leads.splice(0)) each.failed();
    };
    lead.failed();
    const rounds = [leads.length];
    while (leads.length > 0) {
      failAll();
      rounds.push(leads.length);
    }
    expect(rounds).toEqual([1, 2, 4, 3, 0]);
    expect([flights.waiters, flights.resources]).toEqual([0, 0]);
  });

  test('that come at once, within the call, come to an end', () => {
    const { lead, clients, flights } = scene(5_000);
    for (const client of clients) client.onRelease = (by) => by.kind === 'lead' && by.lead.failed();
    lead.failed();
    expect(clients.every(({ kinds }) => kinds.join() === 'lead')).toBe(true);
    expect([flights.waiters, flights.resources]).toEqual([0, 0]);
  });

  test('who may not lead goes alone when nobody else is there', () => {
    const { lead, flights } = scene(0);
    const client = joined(flights, get([], { method: 'HEAD' }), false);
    lead.failed();
    expect(client.kinds).toEqual(['alone']);
  });

  test('the leader hears when nobody waits any more', () => {
    const { lead, flights } = scene(0);
    let deserted = 0;
    lead.onDeserted = () => {
      deserted += 1;
    };
    const part = find(flights);
    if (part.kind !== 'wait') throw new Error(part.kind);
    const client = new Client(get());
    flights.join(part.flight, client);
    flights.leave(part.flight, client);
    flights.leave(part.flight, client);
    expect([deserted, flights.waiters]).toEqual([1, 0]);
  });
});

/** Everything that can happen, with each waiter released once at most, and none forgotten. */
class Play {
  readonly #store: MemoryStore = smallStore();
  readonly flights = new Flights(this.#store, { perFlight: 20, waiters: 30 });
  readonly #leads: Lead[] = [];
  readonly #landed: Lead[] = [];
  readonly #waiting: [Client, Flight][] = [];

  ask(path: string, foo: string): void {
    const request = get(['Foo', foo], { path });
    const part = this.flights.find(request, (entry) => matchesVary(entry.vary, request), T0);
    if (part.kind === 'lead') this.#leads.push(this.flights.lead(request, this.#store.epoch));
    if (part.kind !== 'wait') return;
    const client = new Client(request);
    const waits: [Client, Flight] = [client, part.flight];
    client.onRelease = (by) => {
      this.#waiting.splice(this.#waiting.indexOf(waits), 1);
      if (by.kind === 'lead') this.#leads.push(by.lead);
      if (by.kind === 'again') this.ask(path, foo);
    };
    this.#waiting.push(waits);
    this.flights.join(part.flight, client);
  }

  settle(nth: number, how: 'landed' | 'confirmed' | 'uncacheable' | 'failed', path: string, varies: boolean): void {
    const [lead] = this.#leads.splice(nth % Math.max(1, this.#leads.length), 1);
    if (lead === undefined) return;
    const entry = entryOf(ok(varies ? [...MINUTE, 'Vary', 'Foo'] : MINUTE), { request: get(['Foo', 'x'], { path }) });
    if (how === 'landed') this.#landed.push(lead);
    if (how === 'uncacheable') lead.uncacheable(T0 - 1);
    else if (how === 'failed') lead.failed();
    else lead[how](entry);
    lead.failed();
  }

  leave(nth: number): void {
    const [waits] = this.#waiting.splice(nth % Math.max(1, this.#waiting.length), 1);
    if (waits !== undefined) this.flights.leave(waits[1], waits[0]);
  }

  over(nth: number): void {
    this.#landed.splice(nth % Math.max(1, this.#landed.length), 1)[0]?.over();
  }

  change(path: string): void {
    this.#store.delete(`http://shop.test${path}`);
  }

  /** Nobody waits where nobody leads, and all is forgotten when all is over. */
  judge(): void {
    expect(this.flights.waiters).toBe(this.#waiting.length);
    for (const [client, flight] of this.#waiting) {
      expect(client.releases).toEqual([]);
      expect(flight.leads.size).toBeGreaterThan(0);
    }
  }

  end(): void {
    for (let i = 0; i < 1000 && this.#leads.length > 0; i += 1) this.settle(0, 'failed', '/1', false);
    while (this.#landed.length > 0) this.over(0);
    expect([this.#waiting.length, this.flights.waiters, this.flights.resources]).toEqual([0, 0, 0]);
  }
}

const nth = fc.nat({ max: 7 });
const path = fc.constantFrom('/1', '/2');
const step: fc.Arbitrary<(play: Play) => void> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(path, fc.constantFrom('x', 'y')).map(
      ([p, f]) =>
        (play: Play) =>
          play.ask(p, f),
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(nth, fc.constantFrom('landed', 'confirmed', 'uncacheable', 'failed', 'failed'), path, fc.boolean())
      .map(
        ([n, how, p, v]) =>
          (play: Play) =>
            play.settle(n, how, p, v),
      ),
  },
  { weight: 2, arbitrary: nth.map((n) => (play: Play) => play.leave(n)) },
  { weight: 1, arbitrary: nth.map((n) => (play: Play) => play.over(n)) },
  { weight: 1, arbitrary: path.map((p) => (play: Play) => play.change(p)) },
);

test('nobody waits for nobody, is released twice or is forgotten, whatever happens (property)', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 80, size: 'max' }), (steps) => {
      const play = new Play();
      for (const each of steps) {
        each(play);
        play.judge();
      }
      play.end();
    }),
    { numRuns: 500, seed: 20261121 },
  );
});
