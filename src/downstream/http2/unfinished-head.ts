import type { ServerHttp2Session } from 'node:http2';
import { SWEEP_MS } from '../connections.ts';

/**
 * Finds a client that began a header block and does not end it. Node says nothing of it: nghttp2 counts the stream, nobody
 * hears of it. A stream that nghttp2 refused looks the same, so the client is asked: between the frames of a header block
 * nothing else may come (RFC 9113 §4.3), hence who answers a PING is not in the middle of one.
 */
export class UnfinishedHead {
  readonly #session: ServerHttp2Session;
  /** The last stream that came to an end of its head, or was refused. */
  #done = 0;
  #suspect = 0;
  #since = 0;
  #asked = false;

  constructor(session: ServerHttp2Session) {
    this.#session = session;
  }

  /** The head of this stream is complete. */
  ended(stream: number): void {
    if (stream > this.#done) this.#done = stream;
  }

  /** Looked at once per sweep, when something was read since: true when one has been under way for `limitMs`. */
  isOverdue(nowMs: number, limitMs: number): boolean {
    if (this.#session.destroyed) return false;
    const begun = this.#session.state.lastProcStreamID ?? 0;
    if (begun <= this.#done) {
      this.#suspect = 0;
      return false;
    }
    if (begun !== this.#suspect) {
      this.#suspect = begun;
      this.#since = nowMs;
      this.#asked = !this.#session.closed && this.#session.ping(() => this.#answered(begun));
      return false;
    }
    // A session that takes no PING any more (it has said GOAWAY) is not judged: it is about to end anyway.
    return this.#asked && nowMs - this.#since >= limitMs + SWEEP_MS;
  }

  /** One is under way. */
  get isSuspected(): boolean {
    return this.#suspect !== 0;
  }

  #answered(stream: number): void {
    if (!this.#session.destroyed) this.ended(stream);
  }
}
