import * as promises from 'node:fs/promises';
import { type CacheEntry, restoredEntry, withBody } from '../../cache/entry.ts';
import { MemoryBody } from '../../cache/memory-body.ts';
import type { SecondTier, TierOwner } from '../../cache/second-tier.ts';
import type { StoredBody } from '../../cache/stored-body.ts';
import type { Clock } from '../../clock.ts';
import { BrokenFiles } from './broken-files.ts';
import { Directory } from './directory.ts';
import { DiskBody, type DiskBodyParts, type ReadFailure } from './disk-body.ts';
import { DiskCounts, type DiskObserver, type Operation } from './disk-events.ts';
import { DiskIndex, type DiskRecord, headBytesOf } from './disk-index.ts';
import type { FoundFile } from './entry-file.ts';
import { EntryWriter } from './entry-writer.ts';
import { codeOf, type FileSystem } from './file-system.ts';
import { bodyEnd, type FileLayout } from './format.ts';
import { OpenFiles } from './open-files.ts';
import { Removals } from './removals.ts';
import { Renewals } from './renewals.ts';
import { scan } from './scan.ts';
import { Suspension } from './suspension.ts';
import { Tenancy } from './tenancy.ts';
import { WriteBehind, type WriteJob } from './write-behind.ts';

/** Bodies that are kept while they are read, for memory to have them afterwards, together. */
const KEPT_BYTES = 32 * 1024 * 1024;

/** Room that most file systems give out at a time. */
const BLOCK_BYTES = 4096;

/** A head that is good for less is not worth a write: the old one leads to the same validation. */
const WORTH_RENEWING_MS = 10_000;

/** Of what is written at the end; the queue takes as many. */
const REST_AT_ONCE = 16;
/** What was received so far in the future is not read again: the clock was wrong then, or it is now. */
const CLOCK_SKEW_MS = 60_000;

const noEntries: readonly CacheEntry[] = Object.freeze([]);

export interface DiskTierOptions {
  /** A directory; made if it is not there. */
  readonly path: string;
  /** Bound on all files. */
  readonly sizeBytes: number;
  /** Bound on the heads of what is in them, which are in memory. */
  readonly headsBytes: number;
  /** A body above this is not kept for memory. */
  readonly objectBytes: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observer: DiskObserver;
  /** Default: the system's. */
  readonly fs?: FileSystem;
}

/** `waiting`: for the directory. `closed` also before it is started. */
export type DiskPhase = 'closed' | 'waiting' | 'scanning' | 'ready' | 'suspended';

/**
 * Stored responses in files, one each, found again after a restart or a crash. Does nothing before `start`. Nothing here blocks:
 * everything is written behind, and what the disk refuses is not stored. Bounded: bytes of files, bytes of heads, writes that
 * wait (`write-behind.ts`), descriptors (`open-files.ts`).
 */
export class DiskTier implements SecondTier {
  readonly counts = new DiskCounts();
  readonly #options: DiskTierOptions;
  readonly #fs: FileSystem;
  readonly #index: DiskIndex;
  readonly #files: OpenFiles;
  readonly #suspension: Suspension;
  readonly #broken: BrokenFiles;
  readonly #tenancy: Tenancy;
  readonly #writer: EntryWriter;
  // A bug met while writing costs that file, and not the process.
  readonly #writes = new WriteBehind((job) => this.#write(job).catch(() => this.#failed('write', 'bug')));
  readonly #removals: Removals;
  readonly #renewals: Renewals;
  readonly #bodyParts: DiskBodyParts;
  #owner: TierOwner | null = null;
  /** `null` while the directory is not ours. */
  #directory: Directory | null = null;
  #phase: Exclude<DiskPhase, 'suspended'> = 'closed';
  #keptBytes = 0;
  #clearing: Promise<void> = Promise.resolve();
  #scanning: Promise<void> = Promise.resolve();

  constructor(options: DiskTierOptions) {
    this.#options = options;
    const { sizeBytes: fileBytes, headsBytes: headBytes, clock, observer, path } = options;
    const fs = options.fs ?? promises;
    this.#fs = fs;
    this.#index = new DiskIndex({ fileBytes, headBytes }, (record) => this.#evicted(record));
    this.#files = new OpenFiles(fs);
    this.#suspension = new Suspension(clock, observer);
    this.#broken = new BrokenFiles(clock, observer, this.counts);
    const newId = (): string => newName(options.random);
    this.#writer = new EntryWriter(fs, newId);
    const pathOf = (id: string): string => this.#pathOf(id);
    this.#removals = new Removals(
      (id) => fs.unlink(pathOf(id)),
      (code) => this.#failed('remove', code),
    );
    this.#renewals = new Renewals({ fs, pathOf, failed: (record, code) => this.#renewalFailed(record, code) });
    this.#tenancy = new Tenancy({
      ...{ fs, path, clock, observer, newToken: newId },
      movedIn: (realPath) => this.#movedIn(realPath),
      movedOut: () => this.#movedOut(),
      failed: (code) => this.#failed('open', code),
    });
    this.#bodyParts = {
      ...{ files: this.#files, clock, pathOf },
      broken: (id, why) => this.#readFailed(id, why),
      mayKeep: (bytes) => this.#mayKeep(bytes),
      noLongerKept: (bytes) => {
        this.#keptBytes -= bytes;
      },
      fetched: (id, chunks) => this.#fetched(id, chunks),
      segmentRead: (bytes) => this.counts.read(bytes),
    };
  }

  get path(): string {
    return this.#options.path;
  }

  get sizeBytes(): number {
    return this.#options.sizeBytes;
  }

  get phase(): DiskPhase {
    return this.#suspension.ofWrites && this.#phase !== 'closed' ? 'suspended' : this.#phase;
  }

  /** With those that wait to be written. */
  get entries(): number {
    return this.#index.count + this.#writes.count;
  }

  get fileBytes(): number {
    return this.#index.fileBytes;
  }

  get headBytes(): number {
    return this.#index.headBytes;
  }

  /** Responses that wait to be written, or are. */
  get queued(): number {
    return this.#writes.count;
  }

  get openFiles(): number {
    return this.#files.count;
  }

  connect(owner: TierOwner): void {
    this.#owner = owner;
  }

  /** Takes the directory and finds what is in it, in the background. */
  start(): void {
    if (this.#phase !== 'closed') return;
    this.#phase = 'waiting';
    this.#tenancy.start();
  }

  /**
   * Stops for good. What waits is written first, then what is in memory and was asked for once only, for at most `patienceMs`; a disk
   * that does not answer gets a second more. Never rejects.
   */
  async close(patienceMs: number): Promise<void> {
    if (this.#phase === 'closed') return;
    await within(this.#writeRest(), patienceMs);
    this.#tenancy.stop();
    this.#phase = 'closed';
    this.#writes.cancelAll();
    this.#renewals.clear();
    await within(this.#end(), 1_000);
    this.#suspension.stop();
    this.#directory = null;
  }

  /** Resolves when everything that was to be written, changed or deleted is. */
  async settled(): Promise<void> {
    await this.#clearing;
    await this.#writes.idle();
    await this.#renewals.idle();
    await this.#removals.idle();
  }

  /** Resolves when what was invalidated until now is gone from the disk too, or when that takes longer than `patienceMs`. */
  forgotten(patienceMs: number): Promise<void> {
    const gone = Promise.all([this.#clearing, this.#renewals.idle(), this.#removals.idle()]);
    return within(gone, patienceMs);
  }

  get(key: string): readonly CacheEntry[] {
    return this.#suspension.ofReads ? noEntries : this.#index.get(key);
  }

  has(entry: CacheEntry): boolean {
    return this.#index.recordOf(entry) !== null;
  }

  use(entry: CacheEntry): void {
    const record = this.#index.recordOf(entry);
    if (record !== null) this.#index.touch(record);
  }

  all(): Iterable<CacheEntry> {
    return this.#index.entries();
  }

  offer(entry: CacheEntry): void {
    if (this.#directory === null || this.phase === 'suspended' || this.#phase === 'closed') {
      this.counts.decline('off');
      return;
    }
    const kept = this.#index.variantOf(entry);
    if (kept !== null && kept.entry.receivedAtMs >= entry.receivedAtMs) {
      if (kept.entry.receivedAtMs === entry.receivedAtMs) this.#index.touch(kept);
      return;
    }
    const waiting = this.#writes.variantOf(entry);
    if (waiting !== null && waiting.entry.receivedAtMs >= entry.receivedAtMs) return;
    if (kept !== null) this.#drop(kept);
    if (waiting !== null) this.#writes.cancel(waiting);
    if ((entry.body.length ?? 0) > this.#options.sizeBytes) this.counts.decline('too-large');
    else if (!this.#writes.add(entry, this.#epoch)) this.counts.decline('queue-full');
  }

  renew(old: CacheEntry, entry: CacheEntry): CacheEntry | null {
    const waiting = this.#writes.variantOf(old);
    if (waiting?.entry.receivedAtMs === old.receivedAtMs) this.#writes.renew(waiting, entry, this.#epoch);
    const twin = this.#index.variantOf(old);
    const record =
      this.#index.recordOf(old) ?? (twin !== null && twin.entry.receivedAtMs === old.receivedAtMs ? twin : null);
    if (record === null) return null;
    const renewed = this.#index.renew(record, entry);
    // The same answer with less freshness: a purge, which has to hold after a restart.
    const isPurged = entry.receivedAtMs === old.receivedAtMs;
    if (isPurged || entry.freshMs - entry.initialAgeMs >= WORTH_RENEWING_MS) this.#renewals.add(record);
    return renewed;
  }

  remove(entry: CacheEntry): void {
    const kept = this.#index.variantOf(entry);
    if (kept !== null && kept.entry.receivedAtMs <= entry.receivedAtMs) this.#drop(kept);
    const waiting = this.#writes.variantOf(entry);
    if (waiting !== null && waiting.entry.receivedAtMs <= entry.receivedAtMs) this.#writes.cancel(waiting);
  }

  delete(key: string): void {
    for (const record of this.#index.ofKey(key)) this.#drop(record);
    this.#writes.cancelKey(key);
  }

  clear(): void {
    this.#writes.cancelAll();
    this.#renewals.clear();
    this.#index.clear();
    const directory = this.#directory;
    if (directory === null) return;
    // What is stored from now on must not be moved aside with the rest.
    this.#writes.hold();
    this.#clearing = this.#clearing.then(() => this.#moveAside(directory));
  }

  async #writeRest(): Promise<void> {
    await this.#tenancy.known();
    for (const entry of this.#owner?.unwritten() ?? []) {
      if (this.#phase === 'closed' || this.#directory === null) return;
      if (this.#writes.count >= REST_AT_ONCE) await this.#writes.idle();
      this.offer(entry);
    }
    await this.settled();
  }

  async #end(): Promise<void> {
    await this.#scanning;
    await this.settled();
    await this.#tenancy.leave();
  }

  // ---- the directory

  #movedIn(path: string): void {
    this.#directory = new Directory(this.#fs, path);
    this.#phase = 'scanning';
    this.#options.observer.disk({ kind: 'opened', path });
    this.#scanning = this.#scan(this.#directory);
  }

  #movedOut(): void {
    this.#writes.cancelAll();
    this.#renewals.clear();
    this.#index.clear();
    this.#directory = null;
    this.#phase = 'waiting';
  }

  async #scan(directory: Directory): Promise<void> {
    await this.#discardTrash(directory);
    const removed = await scan({
      ...{ fs: this.#fs, directory },
      isOurs: (id) => this.#writer.isWriting(id) || this.#index.byId(id) !== undefined,
      adopt: (found) => this.#adopt(found),
      stopped: () => this.#directory !== directory || this.#phase === 'closed',
      failed: (code) => this.#failed('scan', code),
    });
    if (this.#phase !== 'scanning' || this.#directory !== directory) return;
    this.#phase = 'ready';
    const { count: entries, fileBytes: bytes } = this.#index;
    this.#options.observer.disk({ kind: 'scanned', entries, bytes, removed });
  }

  async #discardTrash(directory: Directory): Promise<void> {
    try {
      for (const path of await directory.trash()) await directory.discard(path);
    } catch (error) {
      this.#failed('remove', codeOf(error));
    }
  }

  #adopt({ layout, head, fileBytes }: FoundFile): boolean {
    const entry = restoredEntry(head, this.#bodyOf(layout));
    if (this.#owner === null || !this.#owner.mayAdopt(entry)) return false;
    // By this clock it would not age until that time has come.
    if (entry.receivedAtMs > this.#options.clock.now() + CLOCK_SKEW_MS) return false;
    const kept = this.#index.variantOf(entry);
    if (kept !== null && kept.entry.receivedAtMs > entry.receivedAtMs) return false;
    const waiting = this.#writes.variantOf(entry);
    if (waiting !== null && waiting.entry.receivedAtMs >= entry.receivedAtMs) return false;
    if (kept !== null) this.#drop(kept);
    return this.#index.add(recordOf(entry, layout, fileBytes));
  }

  async #moveAside(directory: Directory): Promise<void> {
    try {
      const discarded = await directory.moveAside(newName(this.#options.random));
      this.#writes.resume();
      if (discarded !== null) await directory.discard(discarded);
    } catch (error) {
      this.#writes.resume();
      this.#failed('remove', codeOf(error));
    }
  }

  // ---- files

  async #write(job: WriteJob): Promise<void> {
    const directory = this.#directory;
    if (directory === null || this.#suspension.ofWrites) {
      this.counts.decline('off');
      return;
    }
    const written = await this.#writer.write(directory, job);
    if (written.kind === 'failed') this.#failed('write', written.code);
    if (written.kind === 'too-large') this.counts.decline('too-large');
    if (written.kind === 'written') this.#keep(job, written.layout, directory);
  }

  #keep(job: WriteJob, layout: FileLayout, directory: Directory): void {
    const { entry, epoch, renewed, cancelled } = job;
    this.counts.written(layout.bodyBytes);
    const isInvalid = cancelled || (this.#owner?.invalidatedSince(entry, epoch) ?? true);
    const record = recordOf(withBody(entry, this.#bodyOf(layout)), layout, 0);
    if (directory !== this.#directory || isInvalid || !this.#index.add(record)) this.#removals.add(layout.id);
    else if (renewed) this.#renewals.add(record);
  }

  #bodyOf(layout: FileLayout): StoredBody {
    return layout.bodyBytes === 0 ? new MemoryBody([]) : new DiskBody(layout, this.#bodyParts);
  }

  #drop(record: DiskRecord): void {
    if (this.#index.delete(record)) this.#discard(record);
  }

  #evicted(record: DiskRecord): void {
    this.counts.evictions += 1;
    this.#discard(record);
  }

  #discard(record: DiskRecord): void {
    this.#renewals.drop(record);
    if (this.#directory !== null) this.#removals.add(record.layout.id);
  }

  #readFailed(id: string, why: ReadFailure): void {
    // Nothing is wrong with the file.
    if (why === 'busy' || why === 'EMFILE' || why === 'ENFILE') {
      this.#failed('read', why);
      return;
    }
    const record = this.#index.byId(id);
    if (why === 'checksum' || why === 'cut-short' || why === 'ENOENT') this.#broken.found(why);
    else this.#failed('read', why);
    if (record !== undefined) this.#drop(record);
  }

  #renewalFailed(record: DiskRecord, code: string): void {
    if (this.#index.byId(record.layout.id) !== record) return;
    this.#failed('write', code);
    this.#drop(record);
  }

  #failed(operation: Operation, code: string): void {
    this.counts.failed(operation, code);
    this.#suspension.note(operation, code);
  }

  #mayKeep(bytes: number): boolean {
    if (bytes > this.#options.objectBytes || this.#keptBytes + bytes > KEPT_BYTES) return false;
    this.#keptBytes += bytes;
    return true;
  }

  #fetched(id: string, chunks: readonly Uint8Array[]): void {
    const record = this.#index.byId(id);
    if (record !== undefined) this.#owner?.fetched(record.entry, chunks);
  }

  #pathOf(id: string): string {
    if (this.#directory === null) throw Object.assign(new Error('No directory'), { code: 'ENOENT' });
    return this.#directory.pathOf(id);
  }

  get #epoch(): number {
    return this.#owner?.epoch ?? 0;
  }
}

/** With room for a newer head at the end, and in whole blocks. */
function recordOf(entry: CacheEntry, layout: FileLayout, foundBytes: number): DiskRecord {
  const bytes = Math.max(foundBytes, bodyEnd(layout) + layout.bodyOffset);
  const fileBytes = Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
  return { layout, entry, fileBytes, headBytes: headBytesOf(entry) };
}

/** 64 random bits in hexadecimal. */
function newName(random: () => number): string {
  const half = (): string =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return half() + half();
}

/** Waits for `work`, but not longer than this. By the clock on the wall: a disk takes its time by that one. */
async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}
