import type { HeaderDraft } from '../http/headers.ts';
import type { AdmitPolicy } from './admit.ts';
import type { BodyTransform } from './body-transform.ts';
import type { ErrorPages } from './error-pages.ts';
import type { InboundPolicy } from './inbound.ts';
import type { PolicyState } from './policy-state.ts';
import type { Variables } from './variables.ts';

/** Everything that policies do on one route of one listener, compiled. What there is nothing of is `null`, and costs one test. */
export interface PolicyPlan {
  /** In the order of their phases. */
  readonly admit: readonly AdmitPolicy[] | null;
  /** Of the groups, before the route's own. */
  readonly editRequest: ((draft: HeaderDraft, variables: Variables) => void) | null;
  /** In the order of their phases. */
  readonly inbound: readonly InboundPolicy[] | null;
  /** In the order in which bodies go through them: `substitute`, then `compress`. */
  readonly transforms: readonly BodyTransform[] | null;
  readonly errorPages: ErrorPages | null;
  /** Clients that are served although an operator has taken the route out of service, by their address; `null` for none. */
  readonly servedInMaintenance: ((address: string) => boolean) | null;
  /** In place of the listener's limit; `null` leaves that one in force. */
  readonly bodyLimitBytes: number | null;
  readonly states: readonly PolicyState[];
  /** Names, lower case, of fields by which endpoints are told who it is. */
  readonly identityFields: readonly string[];
}

/** What policies do on one route. */
export interface RoutePolicies {
  readonly base: PolicyPlan | null;
  /** Listeners that have policies of their own for everything; `null` when none has. */
  readonly on: ReadonlyMap<string, PolicyPlan | null> | null;
}

/** Those that hold on `listener`; `null` for none. */
export function policiesOn({ base, on }: RoutePolicies, listener: string): PolicyPlan | null {
  const there = on === null ? undefined : on.get(listener);
  return there === undefined ? base : there;
}
