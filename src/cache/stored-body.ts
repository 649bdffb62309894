import type { BodySource } from '../exchange/body.ts';
import type { ByteSpan } from '../http/range.ts';

export type { ByteSpan } from '../http/range.ts';

/** The body of a stored response, wherever it is. Shared by all its readers, who must not write to what they get. */
export interface StoredBody {
  /** Bytes of the whole body. `null` while it is still arriving and nobody has announced how much. */
  readonly length: number | null;
  /** The whole body, in order and without empty chunks, where it can be had at once; else `null`, and it has to be read. */
  readonly chunks: readonly Uint8Array[] | null;
  /** Memory that it holds, as the store accounts for it. */
  readonly heldBytes: number;
  /**
   * The bytes of `span`, or all of them for `null`, for one reader at its own pace. `span` lies within `length`. A body that is
   * cut short, or can't be read, fails its readers: none of them ends cleanly with less.
   */
  read(span: ByteSpan | null): BodySource;
}
