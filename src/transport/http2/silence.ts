import type { Clock } from '../../clock.ts';

/** An endpoint that sent nothing for this long while streams are open is asked whether it is still there. */
const SILENCE_MS = 15_000;
/** And given up when nothing comes for so long after that. */
const PATIENCE_MS = 15_000;
/**
 * gRPC servers count PINGs between their own frames as abuse, unless they are 5 minutes apart (`too_many_pings`): while streams
 * are merely quiet, TCP's own probes must do in between.
 */
const PING_APART_MS = 310_000;

/** Finds sessions whose endpoint vanished without a word: a failed host, a firewall that forgot the connection. */
export class Silence {
  /** A head or a piece of a body has come since the last PING: the endpoint counts from zero again. */
  heard = true;
  readonly #clock: Clock;
  #bytesRead = 0;
  #asked = false;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When to look again. */
  get nextLookMs(): number {
    return this.#asked ? PATIENCE_MS : SILENCE_MS;
  }

  /** The first stream was opened on a session that had none. */
  begin(bytesRead: number): void {
    this.#bytesRead = bytesRead;
    this.#asked = false;
  }

  /** Looks at what the socket has read so far. `ask`: send a PING. */
  look(bytesRead: number): 'fine' | 'ask' | 'dead' {
    if (bytesRead !== this.#bytesRead) {
      this.#bytesRead = bytesRead;
      this.#asked = false;
      return 'fine';
    }
    if (this.#asked) return 'dead';
    const now = this.#clock.monotonic();
    if (!this.heard && now - this.#askedAt < PING_APART_MS) return 'fine';
    this.#asked = true;
    this.#askedAt = now;
    this.heard = false;
    return 'ask';
  }
}
