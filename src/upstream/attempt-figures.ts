import type { Clock } from '../clock.ts';
import type { GatewayError } from '../errors.ts';
import { Histogram } from '../histogram.ts';
import type { AttemptMark, AttemptWatcher } from './attempt-watcher.ts';
import type { Endpoint } from './endpoint.ts';

/** What became of the attempts at one endpoint. One place for each class of status, and one for a connection forwarded as it is. */
export class AttemptCounts {
  /** Without a response. */
  failed = 0;
  /** Neither: the client left, another attempt was faster, it was our own doing. */
  cancelled = 0;
  /** Answered, by the first digit of the status; 0 for a connection that was made and is forwarded as it is. */
  readonly answered: number[] = [0, 0, 0, 0, 0, 0];
}

/**
 * Counts of the attempts at the endpoints of one pool, in plain numbers. Hot: some additions. As large as its buckets, and the enumerated
 * reasons of failures.
 */
export class AttemptFigures implements AttemptWatcher {
  /** Seconds from when a request was begun to be written until its response head, or its failure; of a forwarded connection, until it was made. */
  readonly duration: Histogram;
  /** Seconds that attempts waited for a connection which was made for them. */
  readonly connect: Histogram;
  /** Without a response, by reason. */
  readonly failures = new Map<string, number>();
  readonly #clock: Clock;
  /** Its end comes next. */
  #failed: AttemptMark | null = null;

  constructor(clock: Clock, latencySeconds: readonly number[]) {
    this.#clock = clock;
    this.duration = new Histogram(latencySeconds);
    this.connect = new Histogram(latencySeconds);
  }

  began(): void {}

  answered({ live }: Endpoint, status: number, headMs: number, attempt: AttemptMark): void {
    const { answered } = live.attempts;
    // From 600 on they are no statuses: to be taken for 5xx (RFC 9110 §15).
    const index = Math.min(5, (status / 100) | 0);
    answered[index] = (answered[index] ?? 0) + 1;
    this.duration.observe(headMs / 1_000);
    this.#connected(attempt);
  }

  failed({ live }: Endpoint, error: GatewayError, attempt: AttemptMark): void {
    // Cut short: it was answered all the same.
    if (attempt.status !== 0) return;
    this.#failed = attempt;
    live.attempts.failed += 1;
    this.failures.set(error.reason, (this.failures.get(error.reason) ?? 0) + 1);
    const { sentAt = 0 } = attempt;
    if (sentAt === 0) return;
    this.duration.observe((this.#clock.monotonic() - sentAt) / 1_000);
    this.#connected(attempt);
  }

  ended({ live }: Endpoint, attempt: AttemptMark): void {
    if (attempt.status !== 0 || attempt.connected === true) return;
    if (attempt === this.#failed) this.#failed = null;
    else live.attempts.cancelled += 1;
  }

  #connected({ connectMs = 0, reusedConnection = false }: AttemptMark): void {
    if (connectMs > 0 && !reusedConnection) this.connect.observe(connectMs / 1_000);
  }
}
