import type { PolicyState } from '../../policy/policy-state.ts';

/** How the live state of a policy is: plain data, nothing secret. */
export interface PolicyStatus {
  /** Kind, owner, and what else gives it its meaning: `rate-limit route shop 0`. */
  readonly id: string;
  /** Named by the kind. */
  readonly figures: Readonly<Record<string, string | number | boolean | null>>;
}

/** Of those that have something to tell, by id. */
export function policyStatuses(states: Iterable<PolicyState>): readonly PolicyStatus[] {
  const all = [...states].flatMap((state) => {
    const figures = state.status?.();
    return figures === undefined ? [] : [{ id: state.id, figures }];
  });
  return all.sort((a, b) => (a.id < b.id ? -1 : 1));
}
