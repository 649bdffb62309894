import type { Clock, TimerHandle } from '../../clock.ts';
import type { GatewayError } from '../../errors.ts';
import { Histogram } from '../../histogram.ts';
import type { AttemptWatcher } from '../attempt-watcher.ts';
import type { Endpoint } from '../endpoint.ts';
import type { UpstreamObserver } from '../events.ts';
import type { UpstreamParts } from '../parts.ts';
import type { AdaptiveOptions } from './adaptive-limit.ts';
import { AdaptiveLimits } from './adaptive-limits.ts';
import { DrainRate } from './drain-rate.ts';
import { IMPORTANCES } from './importance.ts';
import { type LimitReason, refusal } from './refusal.ts';
import type { DelayBounds } from './standing-delay.ts';
import type { Place, Waiter } from './waiter.ts';
import { WaitingLine } from './waiting-line.ts';

/** What a pool allows. `Infinity` for no limit. */
export interface LimitOptions {
  /** Attempts in flight at all endpoints together. */
  readonly inFlight: number;
  /** At each endpoint; the most of it when it adapts. */
  readonly perEndpoint: number;
  readonly queue: QueueOptions;
  /** The limit of each endpoint follows its latency; `null` for a fixed one. */
  readonly adaptive: AdaptiveOptions | null;
}

export interface QueueOptions extends DelayBounds {
  /** Most that wait; 0 for none. */
  readonly size: number;
  readonly timeoutMs: number;
}

/** Counts since the start and figures of now, for status and metrics. */
export interface LimitFigures {
  readonly inFlight: number;
  readonly queued: number;
  /** Had to wait, and got their turn. */
  readonly served: number;
  /** Their waits, in seconds; `null` where nobody counts. */
  readonly waits: Histogram | null;
  /** They left while they waited. */
  readonly left: number;
  readonly refused: Readonly<Record<LimitReason, number>>;
  /** The delay stands: newest first. */
  readonly shedding: boolean;
}

/** First the line of those who are to be tried again, then one for each importance. */
const LINES = 1 + IMPORTANCES.length;

/** How exactly waits are bounded, in milliseconds: a quarter of the target, within these. */
const SHORTEST_TICK_MS = 5;
const LONGEST_TICK_MS = 25;

/**
 * Keeps a pool within its limits: counts what is in flight, and lets wait what is over. One for each pool name, kept by the
 * ledger, since what is in flight outlives a configuration.
 *
 * Who waits is bounded by `queue.size`; those who are to be tried again come on top, at most as many as were in flight. A line for each
 * importance, and each by its own delay: oldest first, or newest first while its delay stands (`StandingDelay`). A higher one goes
 * before all of a lower one, and takes its place when the queue is full. Nobody waits longer than `queue.timeoutMs` plus 25 ms.
 */
export class PoolLimit implements AttemptWatcher {
  readonly pool: string;
  readonly #clock: Clock;
  readonly #observer: UpstreamObserver;
  readonly #lines: readonly WaitingLine[] = Array.from({ length: LINES }, () => new WaitingLine());
  readonly #rate = new DrainRate();
  readonly #adaptive: AdaptiveLimits;
  readonly #waits: Histogram | null;
  readonly #refused: Record<LimitReason, number> = { 'queue-full': 0, 'queue-timeout': 0, shed: 0 };
  #options: LimitOptions;
  #inFlight = 0;
  #queued = 0;
  #served = 0;
  #left = 0;
  #tick: TimerHandle | null = null;
  #serving = false;
  #shedding = false;

  constructor(pool: string, options: LimitOptions, parts: UpstreamParts) {
    this.pool = pool;
    this.#options = options;
    this.#clock = parts.clock;
    this.#observer = parts.observer;
    this.#adaptive = new AdaptiveLimits(parts.random);
    this.#waits = parts.latencySeconds === undefined ? null : new Histogram(parts.latencySeconds);
  }

  get options(): LimitOptions {
    return this.#options;
  }

  /** Limits of a new configuration. Whoever waits goes on waiting, under these. */
  adopt(options: LimitOptions): void {
    this.#options = options;
    if (this.#queued > 0) this.#serve();
  }

  /** The pool has these endpoints now: each gets its limit, and what was learned of others is forgotten. */
  limit(endpoints: readonly Endpoint[]): void {
    const { adaptive, perEndpoint } = this.#options;
    if (adaptive !== null) this.#adaptive.limit(endpoints, adaptive);
    else for (const { live } of endpoints) live.limit = perEndpoint;
    if (this.#queued > 0) this.#serve();
  }

  /** The pool as a whole has room for one more. Whether an endpoint has, its pick says. */
  get open(): boolean {
    return this.#inFlight < this.#options.inFlight;
  }

  /** It has room that nobody waits for. */
  get spare(): boolean {
    return this.open && this.#queued === 0;
  }

  /** Takes `waiter` into the queue; the error with which it is refused when there is no room in it. */
  wait(waiter: Waiter): Place | GatewayError {
    const now = this.#clock.monotonic();
    const rank = waiter.again ? 0 : 1 + IMPORTANCES.indexOf(waiter.importance);
    if (!waiter.again && this.#queued >= this.#options.queue.size && !this.#makeRoom(rank, now)) {
      return this.#refusal('queue-full', rank, now);
    }
    this.#queued += 1;
    const place = (this.#lines[rank] as WaitingLine).add(waiter, now);
    this.#watch();
    return place;
  }

  /** It does not want to wait any more. Without effect on one whose turn has come, or who was refused. */
  leave(place: Place): void {
    if (!this.#remove(place)) return;
    this.#left += 1;
  }

  began(endpoint: Endpoint): void {
    this.#inFlight += 1;
    if (this.#options.adaptive !== null) this.#adaptive.began(endpoint);
  }

  answered(endpoint: Endpoint, status: number, headMs: number): void {
    const { adaptive } = this.#options;
    if (adaptive !== null)
      this.#adaptive.answered(endpoint, { status, headMs, nowMs: this.#clock.monotonic() }, adaptive);
  }

  failed(endpoint: Endpoint): void {
    if (this.#options.adaptive !== null) this.#adaptive.failed(endpoint);
  }

  ended(): void {
    this.#inFlight -= 1;
    this.#rate.note(this.#clock.monotonic());
    if (this.#queued > 0) this.#serve();
  }

  figures(): LimitFigures {
    return {
      inFlight: this.#inFlight,
      queued: this.#queued,
      served: this.#served,
      waits: this.#waits,
      left: this.#left,
      refused: { ...this.#refused },
      shedding: this.#shedding,
    };
  }

  /** Gives every free place to whoever is next. What begins may end at once and free its place again: then this loop finds it. */
  #serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    try {
      while (this.#queued > 0 && this.open && this.#serveOne());
    } finally {
      this.#serving = false;
    }
  }

  #serveOne(): boolean {
    let roomForAny = true;
    for (const line of this.#lines) {
      for (let place = line.first; place !== null; place = line.after(place)) {
        const { waiter } = place;
        // Both are there so that a queue of sessions whose endpoint is full does not cost a pick each, every time.
        if (waiter.bound() || (waiter.plain && !roomForAny)) continue;
        const choice = waiter.choose();
        if (choice === 'no-room') {
          if (waiter.plain) roomForAny = false;
          continue;
        }
        this.#remove(place);
        if (choice === 'nobody') {
          waiter.unavailable();
          return true;
        }
        this.#served += 1;
        if (this.#waits !== null) this.#waits.observe((this.#clock.monotonic() - place.sinceMs) / 1_000);
        waiter.begin(choice);
        return true;
      }
    }
    return false;
  }

  /** Refuses somebody who matters less than the newcomer; under standing delay also one who matters as much, but waits longer. */
  #makeRoom(rank: number, now: number): boolean {
    for (let i = LINES - 1; i >= rank; i -= 1) {
      const line = this.#lines[i] as WaitingLine;
      if (i === rank && !line.delay.standing) return false;
      const place = line.delay.standing ? line.oldest : line.newest;
      if (place === null) continue;
      this.#refuse(place, 'shed', now);
      return true;
    }
    return false;
  }

  /** Looks after those who wait, for as long as anybody does or a delay is remembered. */
  #watch(): void {
    if (this.#tick !== null) return;
    const tickMs = Math.min(Math.max(this.#options.queue.targetMs / 4, SHORTEST_TICK_MS), LONGEST_TICK_MS);
    this.#tick = this.#clock.after(tickMs, this.#onTick);
  }

  readonly #onTick = (): void => {
    this.#tick = null;
    const now = this.#clock.monotonic();
    let standing = false;
    for (const line of this.#lines) {
      line.delay.observe(line.waitMs(now), now, this.#options.queue);
      this.#refuseLate(line, now);
      if (line.delay.standing) standing = true;
    }
    this.#tell(standing);
    // An endpoint that came back, or a limit that has grown, has told nobody.
    this.#serve();
    if (this.#queued > 0 || standing) this.#watch();
  };

  #refuseLate(line: WaitingLine, now: number): void {
    const { timeoutMs, targetMs } = this.#options.queue;
    for (let place = line.oldest; place !== null; place = line.oldest) {
      const waitedMs = now - place.sinceMs;
      if (waitedMs >= timeoutMs) this.#refuse(place, 'queue-timeout', now);
      else if (line.delay.standing && waitedMs > targetMs) this.#refuse(place, 'shed', now);
      else return;
    }
  }

  #tell(standing: boolean): void {
    if (standing === this.#shedding) return;
    this.#shedding = standing;
    this.#observer.event({ kind: 'queue', pool: this.pool, standing, queued: this.#queued });
  }

  #refuse(place: Place, reason: LimitReason, now: number): void {
    const line = place.line as WaitingLine;
    const rank = this.#lines.indexOf(line);
    this.#remove(place);
    line.delay.shed(now);
    place.waiter.refused(this.#refusal(reason, rank, now));
  }

  #refusal(reason: LimitReason, rank: number, now: number): GatewayError {
    this.#refused[reason] += 1;
    let ahead = 0;
    for (let i = 0; i <= rank; i += 1) ahead += (this.#lines[i] as WaitingLine).size;
    return refusal(reason, this.#rate.secondsFor(ahead, now));
  }

  #remove(place: Place): boolean {
    if (place.line === null) return false;
    (place.line as WaitingLine).remove(place);
    this.#queued -= 1;
    return true;
  }
}
