import type { HeaderList } from '../http/headers.ts';
import type { BodySink } from './body.ts';

export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderList;
  /** What many responses begin with, and this one too unless it was edited; not given for one that is like no other. */
  readonly common?: CommonFields | null;
}

/** Fields that stay the same from response to response, as those of a stored one do. */
export interface CommonFields {
  readonly fields: HeaderList;
  /** Whatever a downstream has made of them, so that it need not do so again: its own to know and to bound. `null` for nothing yet. */
  made: object | null;
}

/**
 * Where the one response goes. Legal order: `informational* start data* (end | fail)`.
 * The sink frames the message for its protocol version; `headers` carry no hop-by-hop fields, and `Content-Length` if known.
 * For HEAD, 204 and 304 (RFC 9110 §6.4.1) it sends no body whatever it is given.
 */
export interface ResponseSink extends BodySink {
  /** A failure while `open` gets an error response; while `started` it can only be a visible truncation (RFC 9112 §8). */
  readonly phase: 'open' | 'started' | 'closed';
  /** The head could not be said in the client's protocol: it got a bare 502 in its place. */
  readonly unsendable: boolean;
  /** An interim response (RFC 9110 §15.2). Dropped silently for HTTP/1.0 and for status 101. */
  informational(status: number, headers: HeaderList): void;
  start(head: ResponseHead): void;
  /** Nothing of what was given to `data` waits here: its memory may be written to again. Default false. */
  readonly letsGo?: boolean;
  /** Head and whole body at once: local replies and small cache hits go out in one write. */
  respond(head: ResponseHead, body: Uint8Array | null): void;
  /** Called once, when the response has been handed to the kernel or has failed. Set by `finish.ts`. */
  onClose: (() => void) | null;
}
