/** Why a route serves nobody: an operator has taken it out of service. */
export interface Outage {
  /** Epoch milliseconds. */
  readonly sinceMs: number;
  /** When clients are told to come again. */
  readonly retryAfterSeconds: number;
}

/** Whether one route is in service. Live state: requests look at it, so that it holds for the next one. */
export class MaintenanceSwitch {
  /** `null`: it is in service. */
  outage: Outage | null = null;
}

/**
 * The switches of all routes, by name, and one for all of them together. A route is out of service while its own switch or that
 * for all says so. Kept over reloads; bounded by the configuration, see `retain`.
 */
export class Maintenance {
  readonly #switches = new Map<string, MaintenanceSwitch>();
  readonly #own = new Map<string, Outage>();
  #all: Outage | null = null;

  /** That of a route, whether it is known or new. */
  of(route: string): MaintenanceSwitch {
    const known = this.#switches.get(route);
    if (known !== undefined) return known;
    const created = new MaintenanceSwitch();
    created.outage = this.#all;
    this.#switches.set(route, created);
    return created;
  }

  get all(): Outage | null {
    return this.#all;
  }

  /** Routes whose own switch has taken them out of service. */
  get own(): ReadonlyMap<string, Outage> {
    return this.#own;
  }

  get routes(): Iterable<string> {
    return this.#switches.keys();
  }

  has(route: string): boolean {
    return this.#switches.has(route);
  }

  /** `null` puts it back in service. */
  set(route: string, outage: Outage | null): void {
    if (outage === null) this.#own.delete(route);
    else this.#own.set(route, outage);
    this.of(route).outage = outage ?? this.#all;
  }

  /** The same for all routes, also those that a reload brings; what single ones are set to stays. */
  setAll(outage: Outage | null): void {
    this.#all = outage;
    for (const [route, one] of this.#switches) one.outage = this.#own.get(route) ?? outage;
  }

  /** Forgets all other routes. */
  retain(routes: ReadonlySet<string>): void {
    for (const route of this.#switches.keys()) {
      if (routes.has(route)) continue;
      this.#switches.delete(route);
      this.#own.delete(route);
    }
  }
}
