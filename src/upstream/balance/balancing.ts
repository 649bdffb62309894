import type { Clock } from '../../clock.ts';
import type { AttemptWatcher } from '../attempt-watcher.ts';
import { type BalanceRequest, type Balancer, type Cursor, createCursor } from './balancer.ts';
import { ConsistentHash } from './consistent-hash.ts';
import { ewmaLoads, latencyWatcher } from './ewma.ts';
import { type HashKey, type ReadKey, readKey } from './hash-key.ts';
import { mix } from './hash-text.ts';
import { LeastConnections } from './least-connections.ts';
import { Random } from './random.ts';
import { RoundRobin } from './round-robin.ts';
import { inFlightLoads, TwoChoices } from './two-choices.ts';

/** How the endpoints of a pool are picked. */
export type BalanceMethod =
  | 'round-robin'
  | 'least-connections'
  | 'random'
  | 'two-choices'
  | 'ewma'
  /** `load`: most load of an endpoint as a multiple of its share, at least 1; `null` for no bound. */
  | { readonly hash: HashKey; readonly load: number | null };

/** Live and injected things that some balancers need. */
export interface BalanceState {
  /** The pool's, from the ledger. */
  readonly cursor: Cursor;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly clock: Clock;
}

/** A method with what it needs, for one pool. */
export interface Balancing {
  /** A balancer without candidates, for the endpoints of one priority. */
  readonly balancer: (priority: number) => Balancer;
  /** A number in [0, 1) that decides which priority a request belongs to when several share the traffic: its key's, else chance. */
  readonly point: (request: BalanceRequest) => number;
  /** What the balancers must hear of attempts; `null` for nothing. */
  readonly watcher: AttemptWatcher | null;
}

export function balancingOf(method: BalanceMethod, state: BalanceState): Balancing {
  const { random, clock } = state;
  const chosen = { point: random, watcher: null };
  // Further priorities are rarely used: their turn may begin at the first again after a reload.
  const cursorOf = (priority: number): Cursor => (priority === 0 ? state.cursor : createCursor());
  if (typeof method === 'object') {
    const key = readKey(method.hash);
    const balancer = () => new ConsistentHash({ key, load: method.load, random });
    return { balancer, point: pointOf(key, random), watcher: null };
  }
  switch (method) {
    case 'round-robin':
      return { ...chosen, balancer: (priority) => new RoundRobin(cursorOf(priority)) };
    case 'least-connections':
      return { ...chosen, balancer: (priority) => new LeastConnections(cursorOf(priority)) };
    case 'random':
      return { ...chosen, balancer: () => new Random(random) };
    case 'two-choices':
      return { ...chosen, balancer: () => new TwoChoices(random, inFlightLoads) };
    case 'ewma': {
      // Two choices rather than the best of all: everybody's best is the same one, and gets everybody's next requests before
      // its first answer could say that it is no longer the best. And two estimates cost less than a hundred.
      const loads = ewmaLoads(clock);
      return { ...chosen, balancer: () => new TwoChoices(random, loads), watcher: latencyWatcher(clock) };
    }
  }
}

/** The same key stays with the same priority as long as the shares do. */
function pointOf(key: ReadKey, random: () => number): (request: BalanceRequest) => number {
  return (request) => {
    const hash = key(request);
    // Mixed again: the slot within a priority is taken from the same hash.
    return hash === -1 ? random() : mix(hash ^ 0x9e3779b9) / 2 ** 32;
  };
}
