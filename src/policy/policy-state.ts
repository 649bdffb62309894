/**
 * Live state of a policy, kept over reloads by its identity: counters, keys that were fetched, connections. Made when a configuration is
 * compiled, which must cost no socket and no timer; opened when it is served.
 */
export interface PolicyState {
  /** Kind, owner and whatever gives it its meaning: `rate-limit route shop 0`. */
  readonly id: string;
  /** Keys of connections of its own that may be kept between requests (`Destination.connectionKey`). */
  readonly connections?: readonly string[];
  /** The configuration that it is for is served: it may do I/O from now on. Called once. */
  open?(): void;
  /** A configuration that uses it has just been loaded, and is served. Not called for one that is new. */
  served?(): void;
  /** Nobody will use it any more: every timer, socket and thread of it is gone after this. Called once, only after `open`. */
  close?(): void;
  /** For `GET /policies` of the admin API: plain data, nothing secret. */
  status?(): Readonly<Record<string, string | number | boolean | null>>;
}

/** Something that operators should hear of, once when it begins and once when it ends. */
export interface PolicyEvent {
  /** Key in the configuration: `rateLimit`, `auth`. */
  readonly policy: string;
  /** Whose it is: `route shop`, `group staff`. */
  readonly owner: string;
  /** Enumerated: `store-lost`, `store-back`, `jwks-failed`, `file-changed`, `file-broken`. */
  readonly event: string;
  readonly level: 'info' | 'warn';
  /** For people; nothing secret. */
  readonly detail: string;
}

/** Must not throw. */
export type PolicyObserver = (event: PolicyEvent) => void;
