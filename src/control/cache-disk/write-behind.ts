import type { CacheEntry } from '../../cache/entry.ts';
import { sameVary } from '../../cache/key.ts';

/** Bodies that wait to be written, together. */
const QUEUE_BYTES = 32 * 1024 * 1024;
const QUEUE_ENTRIES = 1024;
/** Writes at a time: two keep a disk busy, and leave the other threads for reads. */
const WRITERS = 2;

/** One response on its way to the disk. */
export interface WriteJob {
  /** Its head may be replaced meanwhile. */
  entry: CacheEntry;
  /** The store's epoch when it was offered, or when its head was replaced. */
  epoch: number;
  /** Its head was replaced after the write had begun. */
  renewed: boolean;
  writing: boolean;
  /** It is not wanted any more: nothing of it may stay. */
  cancelled: boolean;
}

/**
 * Responses that wait to be written, first come first. Bounded in bytes and number; what is beyond is declined. One larger than
 * the bound is taken when nothing else waits.
 */
export class WriteBehind {
  /** Must not reject. */
  readonly #write: (job: WriteJob) => Promise<void>;
  readonly #byKey = new Map<string, WriteJob[]>();
  readonly #queue: WriteJob[] = [];
  readonly #idle: (() => void)[] = [];
  #bytes = 0;
  #active = 0;
  #held = 0;

  constructor(write: (job: WriteJob) => Promise<void>) {
    this.#write = write;
  }

  /** Waiting and being written. */
  get count(): number {
    return this.#queue.length + this.#active;
  }

  /** False when there is no room. */
  add(entry: CacheEntry, epoch: number): boolean {
    const bytes = entry.body.length ?? 0;
    const isFull = this.#queue.length >= QUEUE_ENTRIES || this.#bytes + bytes > QUEUE_BYTES;
    if (isFull && this.#queue.length > 0) return false;
    const job: WriteJob = { entry, epoch, renewed: false, writing: false, cancelled: false };
    const ofKey = this.#byKey.get(entry.key);
    if (ofKey === undefined) this.#byKey.set(entry.key, [job]);
    else ofKey.push(job);
    this.#queue.push(job);
    this.#bytes += bytes;
    this.#run();
    return true;
  }

  /** The job for the same variant. */
  variantOf({ key, partition, vary }: CacheEntry): WriteJob | null {
    const jobs = this.#byKey.get(key) ?? [];
    return jobs.find(({ entry }) => entry.partition === partition && sameVary(entry.vary, vary)) ?? null;
  }

  /** `job` has another head from now on, around the same body. */
  renew(job: WriteJob, entry: CacheEntry, epoch: number): void {
    job.entry = entry;
    job.epoch = epoch;
    job.renewed ||= job.writing;
  }

  cancel(job: WriteJob): void {
    job.cancelled = true;
    this.#forget(job);
    const at = this.#queue.indexOf(job);
    if (at === -1) return;
    this.#queue.splice(at, 1);
    this.#bytes -= job.entry.body.length ?? 0;
  }

  cancelKey(key: string): void {
    for (const job of this.#byKey.get(key)?.slice() ?? []) this.cancel(job);
  }

  cancelAll(): void {
    for (const jobs of [...this.#byKey.values()]) for (const job of jobs.slice()) this.cancel(job);
  }

  /** Nothing new is begun until as many `resume`s. */
  hold(): void {
    this.#held += 1;
  }

  resume(): void {
    this.#held -= 1;
    this.#run();
  }

  /** Resolves when nothing waits and nothing is being written. */
  idle(): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle.push(resolve);
    return promise;
  }

  #run(): void {
    while (this.#held === 0 && this.#active < WRITERS) {
      const job = this.#queue.shift();
      if (job === undefined) break;
      this.#bytes -= job.entry.body.length ?? 0;
      this.#active += 1;
      job.writing = true;
      void this.#write(job).then(() => this.#ended(job));
    }
    if (this.count === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #ended(job: WriteJob): void {
    this.#active -= 1;
    this.#forget(job);
    this.#run();
  }

  #forget(job: WriteJob): void {
    const jobs = this.#byKey.get(job.entry.key);
    const at = jobs?.indexOf(job) ?? -1;
    if (jobs === undefined || at === -1) return;
    jobs.splice(at, 1);
    if (jobs.length === 0) this.#byKey.delete(job.entry.key);
  }
}
