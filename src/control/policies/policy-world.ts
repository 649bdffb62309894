import type { Clock } from '../../clock.ts';
import type { PolicyObserver } from '../../policy/policy-state.ts';
import type { HttpClient } from '../http-client.ts';

/** What policies may reach of the world, once their state is opened. */
export interface PolicyWorld {
  readonly clock: Clock;
  readonly random: () => number;
  readonly http: HttpClient;
  readonly observer: PolicyObserver;
}

/** Of a ledger that nothing is served by. */
export function idleWorld({ clock, random }: Pick<PolicyWorld, 'clock' | 'random'>): PolicyWorld {
  const http: HttpClient = () => Promise.reject(new TypeError('Nothing is served, and nobody is asked'));
  return { clock, random, http, observer: () => {} };
}
