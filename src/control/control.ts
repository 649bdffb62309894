import { closest, didYouMean, enumerate } from '../config/suggest.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { Standing } from '../upstream/endpoint-live.ts';
import type { Hand, UpstreamObserver } from '../upstream/events.ts';
import type { Pool } from '../upstream/pool.ts';

/** Largest weight, by hand as in the configuration. */
export const MOST_WEIGHT = 1000;

/** What an endpoint is to do, as it is now. */
export interface HandState {
  readonly pool: string;
  /** Its origin. */
  readonly endpoint: string;
  readonly standing: Standing;
  /** By configuration. */
  readonly weight: number;
  /** By hand, in place of it; `null` for none. */
  readonly weightByHand: number | null;
  /** Attempts under way. */
  readonly inFlight: number;
  /** Sessions that are remembered at it; `null` where they are with the clients alone, or there are none. */
  readonly sessions: number | null;
}

export type ControlResult =
  /** `changed`: it was otherwise before. */
  | { readonly ok: true; readonly changed: boolean; readonly state: HandState }
  | { readonly ok: false; readonly reason: ControlRefusal; readonly message: string };

export type ControlRefusal = 'unknown-pool' | 'unknown-endpoint' | 'ambiguous-endpoint' | 'weight-out-of-range';

export interface ControlOptions {
  /** Those of the snapshot that is served now. */
  readonly pools: () => ReadonlyMap<string, Pool>;
  readonly observer: UpstreamObserver;
}

/**
 * Control of endpoints by hand, at run time. What it sets is live state: it outlives a reload, and is forgotten when the endpoint
 * leaves its pool and when the process ends. Never throws: what can't be done is said. Endpoints are named by origin
 * (`http://10.0.0.1:3000`) or, where that means one alone, by address (`10.0.0.1:3000`) or the name that led there. Requests
 * under way are never touched.
 */
export class Control {
  readonly #pools: () => ReadonlyMap<string, Pool>;
  readonly #observer: UpstreamObserver;

  constructor({ pools, observer }: ControlOptions) {
    this.#pools = pools;
    this.#observer = observer;
  }

  /** No new work but the sessions that it has. */
  drain(pool: string, endpoint: string, by: Hand = PROGRAM): ControlResult {
    return this.#change(pool, endpoint, { standing: 'draining', by });
  }

  /** Nothing at all: its sessions move too. */
  disable(pool: string, endpoint: string, by: Hand = PROGRAM): ControlResult {
    return this.#change(pool, endpoint, { standing: 'disabled', by });
  }

  /** As it is without anybody's hand, but for its weight. */
  enable(pool: string, endpoint: string, by: Hand = PROGRAM): ControlResult {
    return this.#change(pool, endpoint, { standing: 'enabled', by });
  }

  /** A whole number from 0, which keeps sessions and gets nothing new, to 1000; `null` for that of the configuration. */
  setWeight(pool: string, endpoint: string, weight: number | null, by: Hand = PROGRAM): ControlResult {
    if (weight !== null && !(Number.isInteger(weight) && weight >= 0 && weight <= MOST_WEIGHT)) {
      const message = `A weight is a whole number from 0 to ${MOST_WEIGHT}`;
      return { ok: false, reason: 'weight-out-of-range', message };
    }
    return this.#change(pool, endpoint, { weight, by });
  }

  #change(poolName: string, name: string, wish: Wish): ControlResult {
    const pools = this.#pools();
    const pool = pools.get(poolName);
    if (pool === undefined) return unknown('pool', poolName, [...pools.keys()]);
    const named = endpointsNamed(name, pool);
    const [endpoint, another] = named;
    if (endpoint === undefined) return unknown(`endpoint of pool “${poolName}”`, name, namesOf(pool.endpoints));
    if (another !== undefined) {
      const message = `“${name}” names ${named.length} endpoints of pool “${poolName}”: ${enumerate(namesOf(named), 'and')}`;
      return { ok: false, reason: 'ambiguous-endpoint', message };
    }
    return this.#set(pool, endpoint, wish);
  }

  #set(pool: Pool, endpoint: Endpoint, { standing, weight, by }: Wish): ControlResult {
    const { live } = endpoint;
    const changed = (standing ?? live.standing) !== live.standing || (weight !== undefined && weight !== live.weight);
    if (standing !== undefined) live.standing = standing;
    if (weight !== undefined) live.weight = weight;
    const state = handState(pool, endpoint);
    const { standing: now, weightByHand } = state;
    if (changed)
      this.#observer.event({
        kind: 'hand',
        pool: pool.name,
        endpoint: endpoint.origin,
        standing: now,
        weightByHand,
        by,
      });
    return { ok: true, changed, state };
  }
}

const PROGRAM: Hand = { via: 'program', address: null };

interface Wish {
  readonly standing?: Standing;
  readonly weight?: number | null;
  readonly by: Hand;
}

function handState({ name: pool, affinity }: Pool, endpoint: Endpoint): HandState {
  const { origin, weight, live } = endpoint;
  const { standing, inFlight } = live;
  const sessions = affinity?.sessionsAt(endpoint) ?? null;
  return { pool, endpoint: origin, standing, weight, weightByHand: live.weight, inFlight, sessions };
}

function endpointsNamed(name: string, { endpoints }: Pool): readonly Endpoint[] {
  const wanted = name.startsWith('unix:') ? name : name.toLowerCase();
  const exact = endpoints.filter(({ origin }) => origin === wanted);
  if (exact.length > 0) return exact;
  return endpoints.filter((endpoint) => addressesOf(endpoint).includes(wanted));
}

/** By the name that led to it, by its address, and with the port that its scheme has anyway. */
function addressesOf({ origin, authority, destination }: Endpoint): readonly string[] {
  if (destination.socketPath !== null) return [];
  const address = origin.slice(origin.indexOf('://') + '://'.length);
  return [authority, address, `${address}:${destination.port}`];
}

function namesOf(endpoints: readonly Endpoint[]): readonly string[] {
  return endpoints.map(({ origin }) => origin);
}

function unknown(what: string, given: string, known: readonly string[]): ControlResult {
  const near = closest(given, known);
  const hint = near === null ? `there are ${enumerate(known, 'and')}` : didYouMean(near);
  const message = `“${given}” is no ${what}: ${hint}`;
  return { ok: false, reason: what === 'pool' ? 'unknown-pool' : 'unknown-endpoint', message };
}
