import type { Endpoint } from '../endpoint.ts';
import type { Balancer, Cursor } from './balancer.ts';
import { LeastConnections } from './least-connections.ts';
import { Random } from './random.ts';
import { roundRobin } from './round-robin.ts';
import { SourceIp } from './source-ip.ts';

export type BalanceName = 'round-robin' | 'least-connections' | 'source-ip' | 'random';

/** Live and injected things that some balancers need. */
export interface BalanceState {
  /** The pool's, from the ledger. */
  readonly cursor: Cursor;
  /** Numbers in [0, 1). */
  readonly random: () => number;
}

/** The balancer that configuration names, over the endpoints of one pool (at least one). */
export function balancerOf(name: BalanceName, endpoints: readonly Endpoint[], state: BalanceState): Balancer {
  switch (name) {
    case 'round-robin':
      return roundRobin(endpoints, state.cursor);
    case 'least-connections':
      return new LeastConnections(endpoints, state.cursor);
    case 'source-ip':
      return new SourceIp(endpoints);
    case 'random':
      return new Random(endpoints, state.random);
  }
}
