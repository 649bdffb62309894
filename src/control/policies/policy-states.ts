import type { PolicyState } from '../../policy/policy-state.ts';

/**
 * Live states of policies, by id. Made when something is compiled, opened when it is first served, closed when nothing that is served uses
 * them any more. Bounded by the configuration.
 */
export class PolicyStates {
  readonly #known = new Map<string, { readonly state: PolicyState; isOpen: boolean }>();

  adopt<T extends PolicyState>(id: string, create: () => T): T {
    const known = this.#known.get(id);
    // Ids begin with the kind: two kinds never share one.
    if (known !== undefined) return known.state as T;
    const state = create();
    this.#known.set(id, { state, isOpen: false });
    return state;
  }

  get all(): Iterable<PolicyState> {
    return this.#known.values().map(({ state }) => state);
  }

  /** Something else is served from now on. */
  serve(): void {
    for (const { state, isOpen } of this.#known.values()) if (isOpen) state.served?.();
  }

  retain(inUse: ReadonlySet<PolicyState>): void {
    for (const [id, entry] of this.#known) {
      if (!inUse.has(entry.state)) {
        this.#known.delete(id);
        if (entry.isOpen) entry.state.close?.();
      } else if (!entry.isOpen) {
        entry.isOpen = true;
        entry.state.open?.();
      }
    }
  }
}
