import type { Clock, TimerHandle } from '../../clock.ts';
import type { UpstreamObserver } from '../events.ts';
import type { Revision } from '../revision.ts';
import { type Judged, judge } from './judge.ts';
import type { ProbeDefinition } from './probe-definition.ts';
import type { ProbeSender } from './probe-sender.ts';
import { type ProbeNews, type ProbeOutcome, ProbeState } from './probe-state.ts';

/** Hears of changes, and of the result of every single check. Must not throw. */
export interface CheckObserver extends UpstreamObserver {
  checked(origin: string, outcome: ProbeOutcome): void;
}

/** Everything outside that checks need. */
export interface CheckParts {
  readonly sender: ProbeSender;
  readonly clock: Clock;
  /** Numbers in [0, 1), for the jitter. */
  readonly random: () => number;
  readonly observer: CheckObserver;
  /** Moves whenever a verdict changes. */
  readonly revision: Revision;
  /** Hears of every result, for those who do not check themselves. Must not throw. Default: there are none. */
  readonly told?: (news: ProbeNews) => void;
}

/** `interval: 0` must not become a busy loop. */
const MIN_INTERVAL_MS = 10;

/** Repeats one check for as long as it is begun. One at a time: the next is scheduled when a result is in. */
export class Check {
  readonly state: ProbeState;
  readonly #definition: ProbeDefinition;
  readonly #parts: CheckParts;
  #begun = false;
  /** The wait for the next check, or for the timeout of this one. */
  #timer: TimerHandle | null = null;
  /** The latest check, answered or not. */
  #sent: { cancel(): void } | null = null;
  /** Number of the check under way; a result that comes for another number is too late. */
  #round = 0;
  #sentAt = 0;

  constructor(definition: ProbeDefinition, parts: CheckParts) {
    this.#definition = definition;
    this.#parts = parts;
    this.state = new ProbeState(definition.id, definition.thresholds, {
      revision: parts.revision,
      nowMs: parts.clock.now(),
    });
  }

  /** Sends the first check at once. Does nothing when begun already. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#send();
  }

  /** Cancels what is under way; its result is not recorded. The state stays as it is. */
  end(): void {
    this.#begun = false;
    this.#settle();
    this.#cancelSent();
  }

  /** A result of somebody else, who checks in place of this one: neither told nor logged again. Returns whether the state changed. */
  hear({ outcome, atMs, nextMs }: ProbeNews): boolean {
    if (this.#begun) return false;
    this.state.nextMs = nextMs;
    return this.state.record(outcome, atMs);
  }

  #send(): void {
    const { request, timeoutMs } = this.#definition;
    this.#cancelSent();
    const round = this.#round;
    this.#sentAt = this.#parts.clock.monotonic();
    if (timeoutMs > 0) {
      this.#timer = this.#parts.clock.after(timeoutMs, () => {
        this.#finish(round, { healthy: false, reason: 'timeout', status: null });
        this.#cancelSent();
      });
    }
    // Kept also when it is answered within the call: its body may still be on the way.
    this.#sent = this.#parts.sender.probe(request, (result) => {
      this.#finish(round, judge(this.#definition, result));
    });
  }

  #finish(round: number, judged: Judged): void {
    if (round !== this.#round) return;
    this.#settle();
    const { clock, observer } = this.#parts;
    const now = clock.now();
    const heldMs = now - this.state.sinceMs;
    const outcome: ProbeOutcome = { ...judged, elapsedMs: clock.monotonic() - this.#sentAt };
    const changed = this.state.record(outcome, now);
    observer.checked(this.#definition.origin, outcome);
    const pauseMs = this.#pauseMs();
    this.state.nextMs = now + pauseMs;
    this.#timer = clock.after(pauseMs, () => this.#send());
    this.#parts.told?.({ id: this.state.id, outcome, atMs: now, nextMs: now + pauseMs });
    if (!changed) return;
    observer.event({ kind: 'health', endpoint: this.#definition.origin, up: this.state.up, outcome, heldMs });
  }

  /** Ends the round: whatever it still reports is ignored. */
  #settle(): void {
    this.#round += 1;
    if (this.#timer !== null) this.#parts.clock.cancel(this.#timer);
    this.#timer = null;
  }

  #cancelSent(): void {
    this.#sent?.cancel();
    this.#sent = null;
  }

  /** Sooner while it fails or comes back: both are news, and waiting for them costs requests. */
  #pauseMs(): number {
    const { intervalMs, failingIntervalMs, jitter } = this.#definition;
    const isSettled = this.state.up && this.state.run === 0;
    const interval = Math.max(MIN_INTERVAL_MS, isSettled ? intervalMs : failingIntervalMs);
    return interval * (1 - jitter + 2 * jitter * this.#parts.random());
  }
}
