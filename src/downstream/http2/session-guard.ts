import type { ServerHttp2Session } from 'node:http2';
import { Allowance } from './allowance.ts';
import { Chatter } from './chatter.ts';
import type { Http2Profile } from './profile.ts';
import { reasonOf, type SessionError } from './session-errors.ts';
import { UnfinishedHead } from './unfinished-head.ts';

/** Why a session is ended by us: enumerated, for log and metrics. */
export type Condemned = 'http2-reset-flood' | 'http2-ping-flood' | 'http2-chatter' | 'head-timeout';

/**
 * Watches what a client does with a session beside its requests. nghttp2 bounds what happens within one read (CONTINUATION,
 * answers that nobody fetches, unknown frames); this is about what goes on for longer, and about giving it a name.
 */
export class SessionGuard {
  readonly #condemn: (reason: Condemned) => void;
  readonly #headTimeout: number;
  readonly #now: () => number;
  readonly #resets: Allowance;
  readonly #questions: Allowance;
  readonly #chatter: Chatter;
  readonly #head: UnfinishedHead;
  #bytesRead = 0;
  /** Bytes of streams that are over, and of the heads of all. */
  #explained = 0;

  /** `now` is monotonic, `headTimeout` in ms; `condemn` is called when a bound was passed, perhaps more than once. */
  constructor(
    session: ServerHttp2Session,
    profile: Http2Profile,
    parts: { now(): number; headTimeout: number; condemn(reason: Condemned): void },
  ) {
    this.#condemn = parts.condemn;
    this.#headTimeout = parts.headTimeout;
    this.#now = parts.now;
    const nowMs = parts.now();
    this.#resets = new Allowance(profile.resets, nowMs);
    this.#questions = new Allowance(profile.questions, nowMs);
    this.#chatter = new Chatter(profile, nowMs);
    this.#head = new UnfinishedHead(session);
    session.on('ping', () => this.#asked());
    session.on('remoteSettings', () => this.#asked());
  }

  /** A stream's head is complete; it may have had `headBytes`. */
  headEnded(stream: number, headBytes: number): void {
    this.#head.ended(stream);
    this.#explained += headBytes;
  }

  /** A stream is over. */
  streamEnded(explained: number, wasReset: boolean): void {
    this.#explained += explained;
    if (wasReset && !this.#resets.spend(1, this.#now())) this.#condemn('http2-reset-flood');
  }

  /** Called at every sweep. `live` are the streams that are not over. */
  tend(nowMs: number, bytesRead: number, live: Iterable<{ readonly explained: number }>): void {
    if (bytesRead === this.#bytesRead && !this.#head.isSuspected) return;
    this.#bytesRead = bytesRead;
    let explained = this.#explained;
    for (const stream of live) explained += stream.explained;
    if (!this.#chatter.isBearable(nowMs, bytesRead, explained)) this.#condemn('http2-chatter');
    if (this.#head.isOverdue(nowMs, this.#headTimeout)) this.#condemn('head-timeout');
  }

  /** The reason for log and metrics when Node has ended the session; `null` when the client simply went. */
  reasonOf(error: SessionError): string | null {
    const reason = reasonOf(error);
    // nghttp2 counts resets as well, and has no words of its own for too many.
    return reason === 'http2-protocol-error' && this.#resets.isStrained ? 'http2-reset-flood' : reason;
  }

  #asked(): void {
    if (!this.#questions.spend(1, this.#now())) this.#condemn('http2-ping-flood');
  }
}
