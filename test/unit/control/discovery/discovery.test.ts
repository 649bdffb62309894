import { expect, test } from 'vitest';
import { Discovery } from '../../../../src/control/discovery/discovery.ts';
import { type Listed, type Membership, membersOf } from '../../../../src/control/discovery/membership.ts';
import type { Asked } from '../../../../src/upstream/discovery/known-answer.ts';
import type { FoundEndpoint } from '../../../../src/upstream/discovery/listed-endpoint.ts';
import { type Endpoint, placeOf } from '../../../../src/upstream/endpoint.ts';
import { EndpointLive } from '../../../../src/upstream/endpoint-live.ts';
import type { UpstreamEvent } from '../../../../src/upstream/events.ts';
import type { Absence, Pool } from '../../../../src/upstream/pool.ts';
import { Revision } from '../../../../src/upstream/revision.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';
import { limits, plainTls } from '../../upstream/endpoints.ts';

const rules = { minMs: 1_000, maxMs: 30_000, staleMs: null, goneMs: 30_000 };
const names = { family: 4, servers: [], rules } as const;

/** A discovery over names that are resolved from a map; what is not in there does not exist. */
function stage(addresses: Record<string, readonly string[] | 'failed'>) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const events: UpstreamEvent[] = [];
  const failures: string[] = [];
  const counts = { changed: 0 };
  const answer = (name: string): Asked<string> => {
    asked.push(name);
    const items = addresses[name];
    if (items === 'failed') return { kind: 'failed', reason: 'dns-timeout' };
    return items === undefined ? { kind: 'none', reason: 'no-such-name' } : { kind: 'found', items, ttlMs: 5_000 };
  };
  const discovery = new Discovery({
    clock,
    random: () => 0,
    observer: { event: (event) => events.push(event) },
    revision: new Revision(),
    lookup: {
      addresses: (name) => Promise.resolve(answer(name)),
      services: () => Promise.resolve({ kind: 'none', reason: 'no-address' }),
      close: () => {},
    },
    ownFamilies: () => ({ ipv4: true, ipv6: 'global' }),
    http: () => Promise.reject(new TypeError('nobody is asked')),
    stream: () => ({ cancel: () => {} }),
    changed: () => {
      counts.changed += 1;
    },
    failed: (pool, reason) => failures.push(`${pool} ${reason}`),
  });
  return { discovery, clock, asked, events, failures, counts };
}

interface FakePool {
  readonly name: string;
  endpoints: readonly Endpoint[];
  absence: Absence | null;
  replace(endpoints: readonly Endpoint[], absence: Absence | null): void;
}

/** A pool of these hosts, with what is known of them already. */
function membership(discovery: Discovery, name: string, hosts: readonly string[]): Membership & { pool: FakePool } {
  const entries = hosts.map((host) => ({ address: { secure: false, host, port: 80 }, weight: 1, priority: 0 }));
  const listed: readonly Listed[] = [{ entries, names }];
  const make = ({ address, weight, priority, name: of }: FoundEndpoint): Endpoint => {
    const place = placeOf(name, { address, name: of, tls: plainTls, limits });
    return { ...place, weight, priority, live: new EndpointLive(new Revision()), probe: null };
  };
  const known = discovery.known(listed);
  const members = membersOf(known.endpoints, make, new Map());
  const pool: FakePool = {
    name,
    endpoints: [...members.values()],
    absence: known.absence,
    replace: (endpoints, absence) => Object.assign(pool, { endpoints, absence }),
  };
  return { pool: pool as FakePool & Pool, listed, make, members };
}

function hosts({ pool }: { readonly pool: FakePool }): string[] {
  return pool.endpoints.map(({ destination }) => destination.host);
}

/** The answer that is on its way has come, and pools have taken it over. */
async function heard(discovery: Discovery): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await discovery.settled();
}

test('pools that name the same name ask once, and each gets the answer', async () => {
  const { discovery, asked } = stage({ 'a.test': ['10.0.0.1', '10.0.0.2'] });
  const one = membership(discovery, 'one', ['a.test']);
  const two = membership(discovery, 'two', ['10.0.0.9', 'a.test']);
  discovery.retain([one, two]);
  discovery.start();
  await discovery.settled();
  expect([hosts(one), hosts(two)]).toEqual([
    ['10.0.0.1', '10.0.0.2'],
    ['10.0.0.9', '10.0.0.1', '10.0.0.2'],
  ]);
  expect(asked).toEqual(['a.test']);
});

test('a reload has what is known from the first moment, and asks only for what is new', async () => {
  const { discovery, asked, clock } = stage({ 'a.test': ['10.0.0.1'], 'b.test': ['10.0.0.2'] });
  discovery.retain([membership(discovery, 'shop', ['a.test'])]);
  discovery.start();
  await discovery.settled();
  const next = membership(discovery, 'shop', ['a.test', 'b.test']);
  expect(hosts(next)).toEqual(['10.0.0.1']);
  discovery.retain([next]);
  await discovery.settled();
  expect(hosts(next)).toEqual(['10.0.0.1', '10.0.0.2']);
  expect(asked).toEqual(['a.test', 'b.test']);
  discovery.retain([]);
  expect(clock.pending).toBe(0);
});

test('an answer in another order, or the same one again, changes nothing; nor are the others made anew', async () => {
  const addresses: Record<string, readonly string[]> = { 'a.test': ['10.0.0.1', '10.0.0.2'] };
  const { discovery, clock, counts, events } = stage(addresses);
  const shop = membership(discovery, 'shop', ['a.test']);
  discovery.retain([shop]);
  discovery.start();
  await discovery.settled();
  const [first] = shop.pool.endpoints;
  addresses['a.test'] = ['10.0.0.2', '10.0.0.1'];
  clock.advance(5_000);
  await heard(discovery);
  expect([counts.changed, events.length]).toEqual([1, 1]);
  addresses['a.test'] = ['10.0.0.3', '10.0.0.1'];
  clock.advance(5_000);
  await heard(discovery);
  expect(hosts(shop)).toEqual(['10.0.0.1', '10.0.0.3']);
  expect(shop.pool.endpoints[0]).toBe(first);
  expect(events.at(-1)).toEqual({
    kind: 'members',
    pool: 'shop',
    found: ['http://10.0.0.3'],
    lost: ['http://10.0.0.2'],
    count: 2,
  });
});

test('names that answer together change a pool once', async () => {
  const many = Array.from({ length: 100 }, (_, i) => `n${i}.test`);
  const { discovery, events } = stage(Object.fromEntries(many.map((name, i) => [name, [`10.0.0.${i + 1}`]])));
  const shop = membership(discovery, 'shop', many);
  discovery.retain([shop]);
  discovery.start();
  await discovery.settled();
  expect(hosts(shop).length).toBe(100);
  expect(events.map(({ kind }) => kind)).toEqual(['members']);
});

test('trouble is told once, however long it lasts, counted each time, and its end is told', async () => {
  const addresses: Record<string, readonly string[] | 'failed'> = { 'a.test': 'failed' };
  const { discovery, clock, events, failures } = stage(addresses);
  const shop = membership(discovery, 'shop', ['a.test']);
  expect(shop.pool.absence?.reason).toBe('discovery-pending');
  discovery.retain([shop]);
  discovery.start();
  await discovery.settled();
  expect(shop.pool.absence).toEqual({ code: 'dns_timeout', reason: 'name-not-resolved' });
  for (let i = 0; i < 3; i += 1) {
    clock.advance(10_000);
    await heard(discovery);
  }
  expect(events).toEqual([
    { kind: 'discovery', source: 'dns a.test', works: false, reason: 'dns-timeout', detail: null },
  ]);
  expect(failures).toEqual(Array(4).fill('shop dns-timeout'));
  addresses['a.test'] = ['10.0.0.1'];
  clock.advance(30_000);
  await heard(discovery);
  expect(events.map(({ kind }) => kind)).toEqual(['discovery', 'discovery', 'members']);
  expect(events[1]).toMatchObject({ works: true });
  expect(shop.pool.absence).toBeNull();
  expect(discovery.status('shop')).toEqual([
    {
      source: 'dns a.test',
      goodAt: new Date(clock.now()).toISOString(),
      trouble: null,
      detail: null,
      nextAt: new Date(clock.now() + 5_000).toISOString(),
      leftOut: [],
    },
  ]);
});

test('what has stopped asks nobody and keeps no timer', async () => {
  const { discovery, clock, asked } = stage({ 'a.test': ['10.0.0.1'] });
  discovery.retain([membership(discovery, 'shop', ['a.test', 'b.test'])]);
  discovery.start();
  await discovery.settled();
  discovery.stop();
  expect(clock.pending).toBe(0);
  clock.advance(100_000);
  expect(asked).toEqual(['a.test', 'b.test']);
});
