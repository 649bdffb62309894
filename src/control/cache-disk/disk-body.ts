import type { DistantBody, Opening } from '../../cache/second-tier.ts';
import type { ByteSpan } from '../../cache/stored-body.ts';
import type { Clock } from '../../clock.ts';
import type { BodySource } from '../../exchange/body.ts';
import { DiskReader } from './disk-reader.ts';
import type { FileLayout } from './format.ts';
import type { OpenFiles } from './open-files.ts';

/** What bodies on disk need of their tier. */
export interface DiskBodyParts {
  readonly files: OpenFiles;
  readonly clock: Clock;
  readonly pathOf: (id: string) => string;
  /** A file could not be read, or is not what was written. `why`: enumerated. */
  readonly broken: (id: string, why: ReadFailure) => void;
  /** Asks for room to keep a body of `bytes` while it is read; the answer `true` is given back through `keptBytes`. */
  readonly mayKeep: (bytes: number) => boolean;
  readonly noLongerKept: (bytes: number) => void;
  /** A body was read whole. */
  readonly fetched: (id: string, chunks: readonly Uint8Array[]) => void;
  readonly segmentRead: (bytes: number) => void;
}

/**
 * `checksum`: other bytes than were written; `cut-short`: fewer; `timeout`: the system did not answer in time; `busy`: too many
 * files are open, and nothing is wrong with this one; else the system's own code, `ENOENT`.
 */
export type ReadFailure = string;

/** A body in a file. Holds nothing but where that is: 64 bytes, and a descriptor while somebody reads. */
export class DiskBody implements DistantBody {
  readonly length: number;
  readonly chunks = null;
  readonly layout: FileLayout;
  readonly #parts: DiskBodyParts;

  constructor(layout: FileLayout, parts: DiskBodyParts) {
    this.layout = layout;
    this.length = layout.bodyBytes;
    this.#parts = parts;
  }

  get heldBytes(): number {
    return 64;
  }

  read(span: ByteSpan | null): BodySource {
    return new DiskReader(this.layout, span, this.#parts);
  }

  open(span: ByteSpan | null, done: (reader: BodySource | null) => void): Opening {
    const reader = new DiskReader(this.layout, span, this.#parts);
    reader.begin((ready) => done(ready ? reader : null));
    return { cancel: () => reader.discard() };
  }
}
