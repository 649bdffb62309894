/** A client that sent nothing for this long while it waits for a response is asked whether it is still there. */
const SILENCE_MS = 60_000;
/** One that has said GOAWAY is asked sooner: after a second one, for an error, Node reads no more and hears of no end. */
const SILENCE_AFTER_GOODBYE_MS = 5_000;
/** And given up when nothing comes for so long after that. */
const PATIENCE_MS = 15_000;

/** Asked of a session at one sweep. */
export type Pulse = 'fine' | 'ask' | 'dead';

/**
 * Finds clients that vanished without a word (a closed laptop, a lost network, and on Node 24 a reset that met a full
 * send buffer), which would hold their streams, and what serves them, for ever. Any byte is a sign of life, and a PING's
 * answer is one (RFC 9113 §6.7).
 */
export class Liveness {
  #bytesRead = -1;
  #silentSince = 0;
  #question: 'none' | 'pending' | 'sent' = 'none';
  #askedAt = 0;

  /** Looked at once per sweep, while the client waits for something. `leaving`: there was a GOAWAY. */
  pulse(nowMs: number, bytesRead: number, leaving = false): Pulse {
    if (bytesRead !== this.#bytesRead) {
      this.#bytesRead = bytesRead;
      this.#silentSince = nowMs;
      this.#question = 'none';
      return 'fine';
    }
    if (this.#question === 'none') {
      if (nowMs - this.#silentSince < (leaving ? SILENCE_AFTER_GOODBYE_MS : SILENCE_MS)) return 'fine';
      this.#question = 'pending';
      return 'ask';
    }
    if (this.#question === 'pending') this.#askedAt = nowMs;
    return nowMs - this.#askedAt >= PATIENCE_MS ? 'dead' : 'fine';
  }

  /** The question is on its way. */
  asked(): void {
    if (this.#question === 'pending') this.#question = 'sent';
  }
}
