/**
 * What a proposed configuration would change in what it means, compared with the one that serves. Plain data, nothing secret: names, places
 * and keys, never values.
 */
export interface Plan {
  /** Nothing at all would change. */
  readonly same: boolean;
  readonly routes: RouteChanges;
  readonly pools: PoolChanges;
  readonly listeners: ListenerChanges;
  /** Pools and certificates that would be out of service, and are not now: a file that they need can't be used, say. */
  readonly quarantined: readonly PlannedOutage[];
  /** Other sections whose values differ, with their keys. */
  readonly sections: readonly { readonly section: string; readonly keys: readonly string[] }[];
  /** Who has something under way that would be let finish, and nothing new. */
  readonly drained: readonly Drained[];
  /** Sections whose changes only count after a restart. */
  readonly needsRestart: readonly string[];
}

/** How much of each would change. */
export interface PlanSummary {
  readonly routes: Tally;
  readonly pools: Omit<Tally, 'reordered'>;
}

interface Tally {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly reordered: number;
}

export function summaryOf({ routes, pools }: Plan): PlanSummary {
  return {
    routes: {
      added: routes.added.length,
      removed: routes.removed.length,
      changed: routes.changed.length,
      reordered: routes.reordered.length,
    },
    pools: { added: pools.added.length, removed: pools.removed.length, changed: pools.changed.length },
  };
}

export interface RouteChanges {
  readonly added: readonly PlannedRoute[];
  readonly removed: readonly PlannedRoute[];
  readonly changed: readonly (PlannedRoute & { readonly keys: readonly string[] })[];
  /** Stand elsewhere among the others, which only counts where two match equally well. */
  readonly reordered: readonly PlannedRoute[];
  /** Would be out of service, and are not now: hidden by another one, or wrong by themselves. */
  readonly quarantined: readonly (PlannedRoute & { readonly message: string })[];
  /** Requests that another route would take than takes them now. `null`: none does. */
  readonly moved: readonly { readonly request: string; readonly from: string | null; readonly to: string | null }[];
}

export interface PlannedOutage {
  readonly kind: 'pool' | 'certificate';
  /** Of the pool; the file of a certificate. */
  readonly name: string;
  readonly at: string;
  readonly message: string;
}

export interface PlannedRoute {
  readonly name: string;
  /** `routes/shop.yaml:12`; of one that is removed, where it was. */
  readonly at: string;
}

export interface PoolChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly {
    readonly name: string;
    readonly keys: readonly string[];
    /** Addresses, as they are written. */
    readonly endpoints: { readonly added: readonly string[]; readonly removed: readonly string[] };
  }[];
}

export interface ListenerChanges {
  readonly opened: readonly string[];
  readonly closed: readonly string[];
  readonly changed: readonly {
    readonly name: string;
    readonly keys: readonly string[];
    /** Its connections would be drained: what was agreed on with their clients would no longer hold. */
    readonly drains: boolean;
  }[];
}

export interface Drained {
  readonly kind: 'listener' | 'endpoint';
  /** `https`, or `shop http://10.0.0.1:3000`. */
  readonly name: string;
  /** Connections of a listener, requests at an endpoint. */
  readonly underWay: number;
}
