import type { HeaderList } from '../../http/headers.ts';
import type { BodyFlow, BodyWire } from '../request-body.ts';

/** Bytes that are kept for a body that nobody reads before the client is not read any more: what a Node stream keeps. */
export const HELD_BYTES = 64 * 1024;

const noTrailers: HeaderList = [];

/**
 * A body of known length on its way from the connection, which calls `take`, to the `RequestBody` that reads it. Keeps at most
 * `HELD_BYTES` and one packet of those that come before somebody wants them.
 */
export class LaneBody implements BodyFlow, BodyWire {
  readableEnded = false;
  readonly trailers = noTrailers;
  /** Bytes that have not come yet. */
  missing: number;
  /** Bytes that have come and were not handed on. */
  held = 0;
  readonly #flowChanged: () => void;
  readonly #chunks: Uint8Array[] = [];
  #flowing = false;
  #scheduled = false;
  #onData: ((chunk: Uint8Array) => void) | null = null;
  #onEnd: (() => void) | null = null;

  /** `flowChanged`: look at `wantsMore` again. */
  constructor(length: number, flowChanged: () => void) {
    this.missing = length;
    this.#flowChanged = flowChanged;
  }

  get complete(): boolean {
    return this.missing === 0;
  }

  /** Should the client be read? Once all has come, that is not the body's affair. */
  get wantsMore(): boolean {
    return this.missing === 0 || this.#flowing || this.held < HELD_BYTES;
  }

  /** The next bytes of the body, at most `missing`; they are the body's now. */
  take(chunk: Uint8Array): void {
    this.missing -= chunk.length;
    if (this.#flowing && this.#chunks.length === 0) {
      this.#onData?.(chunk);
      this.#endIfOver();
      return;
    }
    this.#chunks.push(chunk);
    this.held += chunk.length;
  }

  on(event: 'end', listener: () => void): void;
  on(event: 'data', listener: (chunk: Uint8Array) => void): void;
  on(event: 'end' | 'data', listener: (chunk: Uint8Array) => void): void {
    if (event === 'data') this.#onData = listener;
    else this.#onEnd = listener as () => void;
  }

  resume(): void {
    this.#flowing = true;
    if (!this.#scheduled && (this.#chunks.length > 0 || this.missing === 0)) {
      this.#scheduled = true;
      process.nextTick(flush, this);
    }
    this.#flowChanged();
  }

  pause(): void {
    this.#flowing = false;
    this.#flowChanged();
  }

  stop(): void {
    this.pause();
  }

  flush(): void {
    this.#scheduled = false;
    while (this.#flowing) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) break;
      this.held -= chunk.length;
      this.#onData?.(chunk);
    }
    this.#endIfOver();
    this.#flowChanged();
  }

  #endIfOver(): void {
    if (!this.#flowing || this.missing > 0 || this.#chunks.length > 0 || this.readableEnded) return;
    this.readableEnded = true;
    this.#onEnd?.();
  }
}

function flush(body: LaneBody): void {
  body.flush();
}
