/** A window moves in steps of a tenth of it: what is counted is between nine tenths of it and all of it old. */
const BUCKETS = 10;

/** What became of an attempt: whether it failed, and for one that was answered whether that took too long. */
export interface AttemptResult {
  readonly failed: boolean;
  /** A head came. */
  readonly answered: boolean;
  readonly slow: boolean;
}

/** Results of the last `windowMs`, as counts. Ten buckets of four numbers, whatever the traffic; a result costs no allocation. */
export class ResultWindow {
  readonly windowMs: number;
  attempts = 0;
  failures = 0;
  answers = 0;
  slow = 0;
  readonly #counts = new Int32Array(BUCKETS * 4);
  readonly #bucketMs: number;
  /** Number of the bucket that counts now, from the start of the clock. */
  #current = 0;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
    this.#bucketMs = windowMs / BUCKETS;
  }

  /** Counts one more attempt. */
  add(nowMs: number, { failed, answered, slow }: AttemptResult): void {
    this.forget(nowMs);
    this.#count(1, failed ? 1 : 0, answered ? 1 : 0, slow ? 1 : 0);
  }

  /** An attempt that counted as a success has failed after all. */
  addLateFailure(nowMs: number): void {
    this.forget(nowMs);
    this.#count(0, 1, 0, 0);
  }

  /** Leaves out what is older than the window. The clock is monotonic. */
  forget(nowMs: number): void {
    const bucket = Math.floor(nowMs / this.#bucketMs);
    const passed = Math.min(bucket - this.#current, BUCKETS);
    for (let i = 1; i <= passed; i += 1) this.#empty(((bucket - passed + i) % BUCKETS) * 4);
    this.#current = bucket;
  }

  clear(): void {
    this.#counts.fill(0);
    this.attempts = 0;
    this.failures = 0;
    this.answers = 0;
    this.slow = 0;
  }

  #count(attempts: number, failures: number, answers: number, slow: number): void {
    const at = (this.#current % BUCKETS) * 4;
    this.#add(at, attempts);
    this.#add(at + 1, failures);
    this.#add(at + 2, answers);
    this.#add(at + 3, slow);
    this.attempts += attempts;
    this.failures += failures;
    this.answers += answers;
    this.slow += slow;
  }

  #add(at: number, count: number): void {
    this.#counts[at] = (this.#counts[at] as number) + count;
  }

  #empty(at: number): void {
    this.attempts -= this.#counts[at] as number;
    this.failures -= this.#counts[at + 1] as number;
    this.answers -= this.#counts[at + 2] as number;
    this.slow -= this.#counts[at + 3] as number;
    this.#counts.fill(0, at, at + 4);
  }
}
