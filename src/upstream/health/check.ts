import type { Clock, TimerHandle } from '../../clock.ts';
import type { GatewayError } from '../../errors.ts';
import type { Destination } from '../../exchange/attempt.ts';
import type { UpstreamObserver } from '../events.ts';
import type { Revision } from '../revision.ts';
import { isExpected } from './expectation.ts';
import type { ProbeDefinition } from './probe-definition.ts';
import { type ProbeOutcome, ProbeState } from './probe-state.ts';

/** One GET to send, or one connection to make. The prober keeps the time: the sender needs no timeout of its own. */
export interface ProbeRequest {
  /** `tcp`: only to connect; `target` and `host` mean nothing. */
  readonly type: 'http' | 'tcp';
  readonly destination: Destination;
  readonly target: string;
  /** Value of the `Host` field. */
  readonly host: string;
}

/** What came back: the status of the final response's head, a connection, or why there is none. */
export type ProbeResult =
  | { readonly kind: 'answered'; readonly status: number }
  /** To a check of type tcp. */
  | { readonly kind: 'connected' }
  | { readonly kind: 'failed'; readonly error: GatewayError };

/** Sends checks. `gateway.ts` makes it of the transport. */
export interface ProbeSender {
  /**
   * Sends one check and calls `done` once, possibly before it returns; never throws. What it does with the body is its own
   * affair until `cancel`, which ends whatever is left: a check that is too late, or a body that goes on when the next check
   * begins (an event stream as health path). After it nothing is reported. It may come when all is over.
   */
  probe(request: ProbeRequest, done: (result: ProbeResult) => void): { cancel(): void };
}

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
}

/** ±20 % around the interval, so that gateways and endpoints that started together do not check in step for ever. */
const JITTER = 0.2;
/** `interval: 0` must not become a busy loop. */
const MIN_INTERVAL_MS = 10;
/** An endpoint that started down and has just answered is asked again after at most this: nobody waits for `rise` intervals. */
const COMING_INTERVAL_MS = 1_000;

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

  #send(): void {
    const { type, destination, target, host, timeoutMs } = this.#definition;
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
    this.#sent = this.#parts.sender.probe({ type, destination, target, host }, (result) => {
      this.#finish(round, this.#judge(result));
    });
  }

  #judge(result: ProbeResult): Judged {
    if (result.kind === 'failed') return { healthy: false, reason: result.error.reason, status: null };
    if (result.kind === 'connected') return { healthy: true, reason: 'connected', status: null };
    const healthy = isExpected(this.#definition.expectation, result.status);
    return { healthy, reason: healthy ? 'expected-status' : 'unexpected-status', status: result.status };
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
    this.#timer = clock.after(this.#pauseMs(), () => this.#send());
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

  #pauseMs(): number {
    const interval = Math.max(MIN_INTERVAL_MS, this.#definition.intervalMs);
    const base = this.state.coming ? Math.min(interval, COMING_INTERVAL_MS) : interval;
    return base * (1 - JITTER + 2 * JITTER * this.#parts.random());
  }
}

type Judged = Omit<ProbeOutcome, 'elapsedMs'>;
