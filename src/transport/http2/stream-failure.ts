import { constants } from 'node:http2';
import { GatewayError, type RetryVerdict } from '../../errors.ts';
import { dialFailure, incomplete, protocolError, type Stage } from '../failure.ts';

/** What ended a stream before its response was complete. */
export interface StreamEnd {
  /** Error code of the RST_STREAM or of the session (RFC 9113 §7). */
  readonly code: number;
  /** The endpoint said GOAWAY, and that it did not and will not look at this stream (RFC 9113 §6.8). */
  readonly unprocessed: boolean;
  /** The connection itself was lost. */
  readonly lost: boolean;
  readonly cause: Error | null;
}

/** Reasons by error code, for the log. A code that no RFC knows counts as `INTERNAL_ERROR` (RFC 9113 §7). */
const REASONS: ReadonlyMap<number, string> = new Map([
  [constants.NGHTTP2_NO_ERROR, 'stream-reset'],
  [constants.NGHTTP2_PROTOCOL_ERROR, 'stream-protocol-error'],
  [constants.NGHTTP2_FLOW_CONTROL_ERROR, 'stream-flow-control-error'],
  [constants.NGHTTP2_STREAM_CLOSED, 'stream-closed'],
  [constants.NGHTTP2_FRAME_SIZE_ERROR, 'stream-frame-size-error'],
  [constants.NGHTTP2_REFUSED_STREAM, 'stream-refused'],
  [constants.NGHTTP2_CANCEL, 'stream-cancelled'],
  [constants.NGHTTP2_COMPRESSION_ERROR, 'stream-compression-error'],
  [constants.NGHTTP2_ENHANCE_YOUR_CALM, 'enhance-your-calm'],
  [constants.NGHTTP2_INADEQUATE_SECURITY, 'inadequate-security'],
  [constants.NGHTTP2_HTTP_1_1_REQUIRED, 'http1-required'],
]);

/** What is wrong with the frames rather than with the endpoint's mind. */
const PROTOCOL_ERRORS: ReadonlySet<number> = new Set([
  constants.NGHTTP2_PROTOCOL_ERROR,
  constants.NGHTTP2_FLOW_CONTROL_ERROR,
  constants.NGHTTP2_FRAME_SIZE_ERROR,
  constants.NGHTTP2_COMPRESSION_ERROR,
]);

/**
 * The failure of an attempt whose stream ended too early. A refused or unprocessed stream was not seen by the application
 * (RFC 9113 §8.7): it may always be sent again. A lost connection is the same as in HTTP/1.1; any other reset may follow a deed.
 */
export function streamFailure(end: StreamEnd, stage: Stage): GatewayError {
  const { code, cause } = end;
  if (stage.headDelivered) return incomplete(end.lost ? 'body-cut-short' : reasonOf(code), cause);
  if (end.unprocessed) return terminated('goaway', 'always', cause);
  if (end.lost) {
    if (stage.responseBegun) return incomplete('head-cut-short', cause);
    return terminated('connection-closed-without-response', stage.reused ? 'if-reused' : 'never', cause);
  }
  if (code === constants.NGHTTP2_REFUSED_STREAM) return terminated('stream-refused', 'always', cause);
  if (PROTOCOL_ERRORS.has(code)) return protocolError(reasonOf(code), cause);
  return terminated(reasonOf(code), 'never', cause);
}

/** nghttp2 gave the session up: what came was not HTTP/2. */
export function isSessionBroken(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_HTTP2_ERROR';
}

/** The endpoint ended the session with an error code, which is about none of its streams in particular. */
export function isSessionError(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_HTTP2_SESSION_ERROR';
}

export function headTooLarge(): GatewayError {
  return new GatewayError('http_response_header_section_size', {
    blame: 'upstream',
    status: 502,
    reason: 'response-head-too-large',
  });
}

function reasonOf(code: number): string {
  return REASONS.get(code) ?? 'stream-internal-error';
}

function terminated(reason: string, retry: RetryVerdict, cause: Error | null): GatewayError {
  const rest = { blame: 'upstream', status: 502, reason, retry } as const;
  return new GatewayError('connection_terminated', cause === null ? rest : { ...rest, cause });
}

/**
 * The endpoint did not begin as RFC 9113 §3.4 has it, with SETTINGS: it speaks something else, or has refused our certificate,
 * which TLS 1.3 lets it say late. Whatever it is, it has seen no request.
 */
export function notGreeted(cause: Error | null): GatewayError {
  if (cause !== null && 'code' in cause && String(cause.code).startsWith('ERR_SSL_')) return dialFailure(cause, 'tls');
  const rest = { blame: 'upstream', status: 502, reason: 'http2-not-spoken', retry: 'always' } as const;
  return new GatewayError('http_protocol_error', cause === null ? rest : { ...rest, cause });
}

/** No SETTINGS within `connectTimeoutMs`. */
export function settingsTimeout(): GatewayError {
  return new GatewayError('connection_timeout', {
    blame: 'upstream',
    status: 504,
    reason: 'settings-timeout',
    retry: 'always',
  });
}
