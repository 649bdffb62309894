import { encodeHead } from '../../cache/entry-codec.ts';
import type { DiskRecord } from './disk-index.ts';
import { writeRenewal } from './entry-file.ts';
import { codeOf, type FileSystem } from './file-system.ts';
import { encodeRenewal } from './format.ts';

export interface RenewalsParts {
  readonly fs: FileSystem;
  readonly pathOf: (id: string) => string;
  /** Its file does not say what it should, and has to go. */
  readonly failed: (record: DiskRecord, code: string) => void;
}

/**
 * Writes newer heads into files that are there, one after the other; a head that is replaced while it waits is written once. Bounded by
 * the number of files.
 */
export class Renewals {
  readonly #parts: RenewalsParts;
  readonly #waiting = new Map<string, DiskRecord>();
  readonly #idle: (() => void)[] = [];
  #active = false;

  constructor(parts: RenewalsParts) {
    this.#parts = parts;
  }

  get count(): number {
    return this.#waiting.size + (this.#active ? 1 : 0);
  }

  add(record: DiskRecord): void {
    this.#waiting.set(record.layout.id, record);
    if (!this.#active) void this.#work();
  }

  drop({ layout }: DiskRecord): void {
    this.#waiting.delete(layout.id);
  }

  clear(): void {
    this.#waiting.clear();
  }

  idle(): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle.push(resolve);
    return promise;
  }

  async #work(): Promise<void> {
    this.#active = true;
    // The iterator comes to what is added meanwhile too. Looking for the first anew each time would walk over all that are done.
    for (const record of this.#waiting.values()) {
      this.#waiting.delete(record.layout.id);
      await this.#write(record);
    }
    this.#active = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #write(record: DiskRecord): Promise<void> {
    const { layout, entry } = record;
    const head = encodeHead(entry);
    const renewal = head === null ? null : encodeRenewal(layout.id, head);
    if (renewal === null) {
      this.#parts.failed(record, 'too-large');
      return;
    }
    try {
      await writeRenewal(this.#parts.fs, this.#parts.pathOf(layout.id), { layout, renewal });
    } catch (error) {
      this.#parts.failed(record, codeOf(error));
    }
  }
}
