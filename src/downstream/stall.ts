/** A client that takes nothing for this long, and for as long as its backlog needs at the slowest rate, has stalled. */
const STALL_MS = 60_000;
const SLOWEST_READER_BYTES_PER_SECOND = 4 * 1024;

/** Watches one writable: has its reader stopped reading? Looked at once per sweep. */
export class StallWatch {
  #written = 0;
  #pending = 0;
  #since = 0;

  /** `written` counts everything ever given to the writable, `pending` what of it has not left yet. */
  isStalled(nowMs: number, written: number, pending: number): boolean {
    if (pending === 0 || pending !== this.#pending || written !== this.#written || this.#since === 0) {
      this.#written = written;
      this.#pending = pending;
      this.#since = nowMs;
      return false;
    }
    return nowMs - this.#since >= STALL_MS + (pending * 1000) / SLOWEST_READER_BYTES_PER_SECOND;
  }
}
