/** What Node says of a session that it ends. */
export interface SessionError extends Error {
  readonly code?: string | undefined;
  /** A number of nghttp2's. */
  readonly errno?: unknown;
}

/** nghttp2's errors as reasons for log and metrics. Everything that is not listed is a breach of the protocol like any other. */
const REASONS: ReadonlyMap<unknown, string> = new Map([
  [-510, 'http2-stream-closed'],
  [-522, 'http2-frame-size'],
  [-523, 'http2-compression'],
  [-524, 'http2-flow-control'],
  [-536, 'http2-preface'],
  [-537, 'http2-settings'],
  // Node's answer to `maxSessionRejectedStreams`.
  [-902, 'http2-stream-flood'],
  [-903, 'http2-preface'],
  [-904, 'http2-unread-answers'],
  [-905, 'http2-continuation-flood'],
]);

/**
 * Why Node ended a session, as an enumerated reason; `null` when it was not for what the client sent over HTTP/2: the
 * connection is gone (`ECONNRESET`), we ended it ourselves, or the client said GOAWAY.
 */
export function reasonOf(error: SessionError): string | null {
  switch (error.code) {
    case 'ERR_HTTP2_TOO_MANY_INVALID_FRAMES':
      return 'http2-invalid-frames';
    case 'ERR_HTTP2_ERROR':
      return REASONS.get(error.errno) ?? 'http2-protocol-error';
    default:
      return null;
  }
}
