/** What may be done with a file. */
export type Operation = 'open' | 'scan' | 'read' | 'write' | 'remove';

/** Why a response was not written. `off`: the tier is not to be had now. `too-large`: for the tier, or for the format. */
export type Declined = 'queue-full' | 'off' | 'too-large';

/** What happens to the tier, once for each change. */
export type DiskEvent =
  /** It is there, and what was on disk is being looked at. */
  | { readonly kind: 'opened'; readonly path: string }
  | { readonly kind: 'scanned'; readonly entries: number; readonly bytes: number; readonly removed: number }
  /** It is not to be had: the directory is another gateway's (`locked`), or can't be used. It is tried again after `retryMs`. */
  | { readonly kind: 'unavailable'; readonly path: string; readonly reason: string; readonly retryMs: number }
  /** Nothing is written, or nothing read either, for `forMs`, because the system said `code`. */
  | {
      readonly kind: 'suspended';
      readonly operation: Operation;
      readonly code: string;
      readonly reads: boolean;
      readonly forMs: number;
    }
  | { readonly kind: 'resumed' }
  /** A file was not what was written, and is gone; so many since this was said last. */
  | { readonly kind: 'corrupt'; readonly why: string; readonly count: number };

export interface DiskObserver {
  disk(event: DiskEvent): void;
}

/** Since the start. */
export class DiskCounts {
  reads = 0;
  readBytes = 0;
  writes = 0;
  writtenBytes = 0;
  evictions = 0;
  readonly declined = new Map<Declined, number>();
  /** By why. */
  readonly corrupt = new Map<string, number>();
  /** By operation and the system's code, as `write ENOSPC`. */
  readonly errors = new Map<string, number>();

  read(bytes: number): void {
    this.reads += 1;
    this.readBytes += bytes;
  }

  written(bytes: number): void {
    this.writes += 1;
    this.writtenBytes += bytes;
  }

  decline(why: Declined): void {
    this.declined.set(why, (this.declined.get(why) ?? 0) + 1);
  }

  broken(why: string): void {
    this.corrupt.set(why, (this.corrupt.get(why) ?? 0) + 1);
  }

  failed(operation: Operation, code: string): void {
    const label = `${operation} ${code}`;
    this.errors.set(label, (this.errors.get(label) ?? 0) + 1);
  }
}
