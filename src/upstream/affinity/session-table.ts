import type { Clock } from '../../clock.ts';
import type { EndpointId } from '../identity.ts';

export interface SessionTableOptions {
  /** Sessions at most, at least 1. */
  readonly capacity: number;
  /** A session that nobody asks for is forgotten after this. */
  readonly idleMs: number;
}

/** Sessions used within this part of their idle time are not moved to the end again: a busy one costs one look-up a request. */
const FRESH = 1 / 64;

interface Session {
  endpoint: EndpointId;
  usedAt: number;
}

/**
 * Which endpoint each session is at, for one pool. Bounded: the session that was not used for the longest time makes room. About 250 bytes
 * a session.
 *
 * Why not lru-cache: every use renews a session, so that the order of use is the order of expiry, and a Map alone has both. What has
 * expired is found at its beginning; lru-cache looks through everything, tens of milliseconds for 100 000 sessions, to count
 * those of an endpoint that drains.
 */
export class SessionTable {
  /** In the order of `usedAt`. */
  readonly #sessions = new Map<string, Session>();
  readonly #counts = new Map<EndpointId, number>();
  readonly #clock: Clock;
  #options: SessionTableOptions;

  constructor(options: SessionTableOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** New bounds count from now on, for the sessions that are known too. */
  adopt(options: SessionTableOptions): void {
    this.#options = options;
    this.#shrink();
  }

  /** Where a session is, and that it is in use; `null` for an unknown or forgotten one. */
  at(key: string): EndpointId | null {
    const session = this.#sessions.get(key);
    if (session === undefined) return null;
    const now = this.#clock.monotonic();
    if (now - session.usedAt >= this.#options.idleMs) {
      this.#forget(key, session);
      return null;
    }
    if (now - session.usedAt > this.#options.idleMs * FRESH) this.#renew(key, session, now);
    return session.endpoint;
  }

  /** Where a session is, without using it; `null` for an unknown or forgotten one. */
  peek(key: string): EndpointId | null {
    const session = this.#sessions.get(key);
    if (session === undefined || this.#clock.monotonic() - session.usedAt >= this.#options.idleMs) return null;
    return session.endpoint;
  }

  /** The session is at this endpoint from now on. */
  put(key: string, endpoint: EndpointId): void {
    const known = this.#sessions.get(key);
    if (known?.endpoint === endpoint && this.at(key) !== null) return;
    if (known !== undefined) this.#forget(key, known);
    this.#sessions.set(key, { endpoint, usedAt: this.#clock.monotonic() });
    this.#counts.set(endpoint, this.#countAt(endpoint) + 1);
    this.#shrink();
  }

  /** Sessions at an endpoint that are not forgotten, now. */
  sessionsAt(endpoint: EndpointId): number {
    this.#shrink();
    return this.#countAt(endpoint);
  }

  #countAt(endpoint: EndpointId): number {
    return this.#counts.get(endpoint) ?? 0;
  }

  #renew(key: string, session: Session, now: number): void {
    session.usedAt = now;
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
  }

  /** Forgets what is too much or expired: all of it is at the beginning. */
  #shrink(): void {
    const oldest = this.#clock.monotonic() - this.#options.idleMs;
    for (const [key, session] of this.#sessions) {
      if (this.#sessions.size <= this.#options.capacity && session.usedAt > oldest) return;
      this.#forget(key, session);
    }
  }

  #forget(key: string, { endpoint }: Session): void {
    this.#sessions.delete(key);
    const left = this.#countAt(endpoint) - 1;
    if (left > 0) this.#counts.set(endpoint, left);
    else this.#counts.delete(endpoint);
  }
}
