import type { GatewayError } from '../../errors.ts';
import type { AttemptMark, AttemptWatcher } from '../attempt-watcher.ts';
import { type Endpoint, isAvailable } from '../endpoint.ts';
import type { UpstreamParts } from '../parts.ts';
import { Outlier } from './outlier.ts';
import { type EjectionReason, mostEjected, type OutlierPolicy } from './outlier-policy.ts';
import { outliersAmong } from './outlier-sample.ts';

export interface OutlierWatcherOptions {
  readonly pool: string;
  readonly policy: OutlierPolicy;
  /** Who is in the pool now. */
  readonly members: () => readonly Endpoint[];
  readonly parts: Pick<UpstreamParts, 'clock' | 'observer'>;
}

/**
 * Passive health of one pool: puts endpoints aside that do worse to requests than the others. Failures in a row count at once;
 * error shares and latency are compared at the first result after each interval, so that no timer runs where no traffic is.
 * What it knows is in the live state of the endpoints, so a new watcher with another policy goes on from there.
 */
export class OutlierWatcher implements AttemptWatcher {
  readonly #options: OutlierWatcherOptions;
  readonly #policy: OutlierPolicy;
  /** When the present interval began, on the monotonic clock; `null` before the first result. */
  #begunAt: number | null = null;

  constructor(options: OutlierWatcherOptions) {
    this.#options = options;
    this.#policy = options.policy;
  }

  /** Only here is an endpoint known that was not: one that has left the pool is none by what is still under way there. */
  began(endpoint: Endpoint, { serial }: AttemptMark): void {
    this.#of(endpoint).began(serial);
  }

  answered(endpoint: Endpoint, status: number, headMs: number, { serial }: AttemptMark): void {
    const { outlier } = endpoint.live;
    if (outlier === null) return;
    const good = !this.#policy.isFailure(status);
    outlier.answered(serial, good, headMs);
    if (!good) this.#judgeRun(endpoint, outlier);
    this.#judgeInterval();
  }

  failed(endpoint: Endpoint, error: GatewayError, { serial, status }: AttemptMark): void {
    // A kept-alive connection that the endpoint closed in this moment. What a new connection meets is what counts.
    if (error.retry === 'if-reused') return;
    // Its status has counted as a failure already.
    if (status !== 0 && this.#policy.isFailure(status)) return;
    const { outlier } = endpoint.live;
    if (outlier === null) return;
    outlier.failed(serial, status !== 0);
    this.#judgeRun(endpoint, outlier);
    this.#judgeInterval();
  }

  ended(endpoint: Endpoint, { serial, status }: AttemptMark): void {
    endpoint.live.outlier?.ended(serial, status !== 0 && !this.#policy.isFailure(status));
  }

  /**
   * To be called when members, their health or their standing have changed: brings those back that active checks have seen
   * fall and rise since, and as many as it takes that no more are aside than may be and somebody is left.
   */
  look(): void {
    const members = this.#options.members();
    const aside: Outlier[] = [];
    for (const { live, probe } of members) {
      const { outlier } = live;
      if (outlier === null || outlier.ejectedAt === null) continue;
      if (probe?.up === true && probe.sinceMs > outlier.ejectedAt) outlier.comeBack('checks-passed');
      else aside.push(outlier);
    }
    if (aside.length === 0) return;
    const most = members.some(isAvailable) ? mostEjected(members.length, this.#policy.maxEjected) : 0;
    if (aside.length <= most) return;
    // Those first whose time is over soonest.
    aside.sort((a, b) => (a.ejectedUntil ?? 0) - (b.ejectedUntil ?? 0));
    for (const outlier of aside.slice(0, aside.length - most)) outlier.comeBack('needed');
  }

  #judgeRun(endpoint: Endpoint, outlier: Outlier): void {
    const { consecutive } = this.#policy;
    if (consecutive === 0 || outlier.failuresInARow < consecutive) return;
    this.#eject(endpoint, outlier, 'consecutive-failures');
    outlier.forgive();
  }

  #judgeInterval(): void {
    const now = this.#options.parts.clock.monotonic();
    this.#begunAt ??= now;
    if (now - this.#begunAt < this.#policy.intervalMs) return;
    this.#begunAt = now;
    const present = this.#options
      .members()
      .filter(({ live }) => live.outlier !== null && !live.ejected)
      .map((endpoint) => ({ endpoint, sample: this.#of(endpoint).sample }));
    for (const { item, reason } of outliersAmong(present, this.#policy)) {
      this.#eject(item.endpoint, this.#of(item.endpoint), reason);
    }
    for (const { sample } of present) sample.reset();
  }

  #eject(endpoint: Endpoint, outlier: Outlier, reason: EjectionReason): void {
    const members = this.#options.members();
    let aside = 0;
    let othersLeft = false;
    let isMember = false;
    for (const member of members) {
      if (member.live.ejected) aside += 1;
      if (member.live === endpoint.live) isMember = true;
      else othersLeft ||= isAvailable(member);
    }
    if (!isMember || !othersLeft || aside >= mostEjected(members.length, this.#policy.maxEjected)) return;
    outlier.eject(reason, this.#policy);
  }

  #of({ live, origin }: Endpoint): Outlier {
    if (live.outlier !== null) return live.outlier;
    const { pool, parts } = this.#options;
    const { clock, observer } = parts;
    live.outlier = new Outlier(live, {
      clock,
      changed: (change) => observer.event({ kind: 'outlier', pool, endpoint: origin, change }),
    });
    return live.outlier;
  }
}
