import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';

/** Request bytes that one stream may have in flight towards a slow reader: 12 MB/s at a round trip of 20 ms. */
export const STREAM_WINDOW_BYTES = 256 * 1024;
/** Request bytes of all streams of a session that may be on their way. */
export const SESSION_WINDOW_BYTES = 1024 * 1024;
/** Streams of one session whose bodies may wait unread at once before the session takes no more body from anybody. */
export const UNREAD_STREAMS = 16;

/**
 * Bounds the request bytes that one connection makes us hold, whatever `limits.streams` is. Node gives the session's window back
 * as DATA comes, whether or not anybody reads it, so that alone 128 streams could fill 128 windows: 32 MiB of a connection.
 * While more than `UNREAD_STREAMS` bodies wait for somebody to read them, the session's window is not given back: at
 * most UNREAD_STREAMS × STREAM_WINDOW_BYTES + SESSION_WINDOW_BYTES = 5 MiB are held. Reading any of them goes on from there.
 */
export class UploadWindow {
  readonly #session: ServerHttp2Session;
  #unread = 0;
  #shut = false;
  #open = SESSION_WINDOW_BYTES;

  constructor(session: ServerHttp2Session) {
    this.#session = session;
    session.on('connect', () => this.#set(SESSION_WINDOW_BYTES));
  }

  /** A stream with a body that nobody reads yet. */
  watch(stream: ServerHttp2Stream): void {
    let unread = true;
    let over = false;
    const note = (): void => {
      // Not by the event's name: a pause that follows at once is heard of before the resumption.
      const isUnread = !over && stream.readableFlowing !== true;
      if (isUnread === unread) return;
      unread = isUnread;
      this.#count(isUnread ? 1 : -1);
    };
    this.#count(1);
    stream.on('resume', note);
    stream.on('pause', note);
    stream.on('close', () => {
      over = true;
      note();
    });
  }

  #count(change: number): void {
    this.#unread += change;
    const shut = this.#unread > UNREAD_STREAMS;
    if (shut === this.#shut) return;
    this.#shut = shut;
    // nghttp2 gives a window back when DATA comes, and after this none would: a byte more than before is given at once.
    if (!shut) this.#open += 1;
    this.#set(shut ? 0 : this.#open);
  }

  #set(bytes: number): void {
    if (!this.#session.destroyed) this.#session.setLocalWindowSize(bytes);
  }
}
