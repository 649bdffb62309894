import { Allowance } from './allowance.ts';
import type { Http2Profile } from './profile.ts';

/** What is known of one stream's bytes. */
export interface StreamBytes {
  /** Body bytes received, those included that nobody has read yet. */
  readonly received: number;
  /** Body bytes given to Node, and in how many pieces. */
  readonly sent: number;
  readonly pieces: number;
}

/**
 * Bytes on the wire for which there is a reason: the client's DATA with frames of at least as much data as frame head, and its
 * two WINDOW_UPDATEs (26 bytes) for each of our DATA frames, which hold one piece or up to 16 KiB of one.
 */
export function explained({ received, sent, pieces }: StreamBytes): number {
  return 2 * received + 32 * pieces + sent / 256;
}

/**
 * Finds floods of whatever costs a client nine bytes and us a look: WINDOW_UPDATE, PRIORITY, one-byte or empty DATA, padding,
 * unknown frames, heads that are refused before they become a stream of ours (HPACK bombs), frames of streams that are over.
 * All of them are bytes without a request. Counted at each sweep, so at most half a second late, and at no cost in between.
 */
export class Chatter {
  readonly #allowance: Allowance;
  #bytesRead = 0;
  #explained = 0;

  constructor(profile: Http2Profile, nowMs: number) {
    this.#allowance = new Allowance(profile.chatterBytes, nowMs);
  }

  /**
   * Looked at once per sweep: is it within its bound? `bytesRead` is everything read from the session's socket so far,
   * `explained` what of it there is a reason for, also so far.
   */
  isBearable(nowMs: number, bytesRead: number, explained: number): boolean {
    const unexplained = bytesRead - this.#bytesRead - (explained - this.#explained);
    this.#bytesRead = bytesRead;
    this.#explained = explained;
    return this.#allowance.spend(unexplained, nowMs);
  }
}
