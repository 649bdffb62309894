import { type ErrorCode, GatewayError, type RetryVerdict } from '../errors.ts';

/** How far an attempt had come when its connection failed. */
export interface Stage {
  /** The request was (at least partly) written. */
  readonly sent: boolean;
  /** The connection had carried an earlier request. */
  readonly reused: boolean;
  /** A byte of response, interim ones included, was seen. */
  readonly responseBegun: boolean;
  /** The final head was delivered. */
  readonly headDelivered: boolean;
}

/** Which part of connecting failed. */
export type DialPhase = 'dns' | 'tcp' | 'tls';

const CERTIFICATE_CODES = new Set([
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_TLS_CERT_ALTNAME_FORMAT',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_REJECTED',
  'CERT_UNTRUSTED',
  'CERT_CHAIN_TOO_LONG',
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'HOSTNAME_MISMATCH',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
]);

function upstream(code: ErrorCode, status: number, reason: string, rest: { retry: RetryVerdict; cause?: unknown }) {
  return new GatewayError(code, { blame: 'upstream', status, reason, ...rest });
}

/**
 * A connection that could not be made. Nothing was sent, so the request may go elsewhere; only what this machine lacks
 * (descriptors) it would lack there too.
 */
export function dialFailure(error: unknown, phase: DialPhase): GatewayError {
  const code = dialErrorCode(error);
  const rest = { retry: 'always', cause: error } as const;
  switch (code) {
    case 'ECONNREFUSED':
      return upstream('connection_refused', 502, 'connection-refused', rest);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
      return upstream('dns_error', 502, 'name-not-resolved', rest);
    case 'ETIMEDOUT':
    case 'ERR_SOCKET_CONNECTION_TIMEOUT':
      return dialTimeout(phase);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return upstream('destination_unavailable', 502, 'unreachable', rest);
    case 'EMFILE':
    case 'ENFILE':
      return new GatewayError('connection_limit_reached', {
        blame: 'gateway',
        status: 503,
        reason: 'out-of-descriptors',
        cause: error,
      });
  }
  if (phase === 'tls' || isTlsCode(code)) return tlsFailure(code, rest);
  if (phase === 'dns') return upstream('dns_error', 502, 'name-not-resolved', rest);
  return upstream('connection_refused', 502, 'connect-failed', rest);
}

/** No connection within `connectTimeoutMs`. */
export function dialTimeout(phase: DialPhase): GatewayError {
  if (phase === 'dns') return upstream('dns_timeout', 504, 'dns-timeout', { retry: 'always' });
  const reason = phase === 'tls' ? 'tls-handshake-timeout' : 'connect-timeout';
  return upstream('connection_timeout', 504, reason, { retry: 'always' });
}

function tlsFailure(code: string, rest: { retry: RetryVerdict; cause: unknown }): GatewayError {
  if (CERTIFICATE_CODES.has(code)) return upstream('tls_certificate_error', 502, 'certificate-not-accepted', rest);
  if (code.endsWith('_NO_APPLICATION_PROTOCOL')) return alpnRefused(rest.cause);
  if (code.includes('_ALERT_')) return upstream('tls_alert_received', 502, 'tls-alert', rest);
  return upstream('tls_protocol_error', 502, 'tls-handshake-failed', rest);
}

/** The endpoint does not speak the pool's protocol (RFC 7301 §3.2): it said so, or agreed to another or to none. */
export function alpnRefused(cause?: unknown): GatewayError {
  return upstream('tls_protocol_error', 502, 'alpn-refused', { retry: 'always', cause });
}

function isTlsCode(code: string): boolean {
  return CERTIFICATE_CODES.has(code) || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code === 'EPROTO';
}

/** With several addresses Node reports one error for each: a refusal is definite, a timeout may be our impatience. */
function dialErrorCode(error: unknown): string {
  if (!(error instanceof AggregateError)) return codeOf(error);
  const codes = error.errors.map(codeOf);
  if (codes.includes('ECONNREFUSED')) return 'ECONNREFUSED';
  if (codes.includes('ETIMEDOUT')) return 'ETIMEDOUT';
  return codes[0] ?? '';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** The wait queue of the endpoint is full. */
export function queueFull(): GatewayError {
  return new GatewayError('connection_limit_reached', { blame: 'gateway', status: 503, reason: 'queue-full' });
}

/** No connection became free in time. */
export function queueTimeout(): GatewayError {
  return new GatewayError('connection_limit_reached', { blame: 'gateway', status: 503, reason: 'queue-timeout' });
}

/** The transport has been drained. */
export function shutDown(): GatewayError {
  return new GatewayError('destination_unavailable', { blame: 'gateway', status: 503, reason: 'shutting-down' });
}

export function headTimeout(): GatewayError {
  return upstream('http_response_timeout', 504, 'head-timeout', { retry: 'never' });
}

/** The endpoint took no more of the request body for as long as a response head may take. */
export function writeTimeout(): GatewayError {
  return upstream('connection_write_timeout', 504, 'request-body-stalled', { retry: 'never' });
}

/** The response breaks a rule of HTTP in a way that makes its framing doubtful (RFC 9112 §6.3). */
export function protocolError(reason: string, cause?: unknown): GatewayError {
  return upstream('http_protocol_error', 502, reason, { retry: 'never', cause });
}

/** The response stopped before its end. */
export function incomplete(reason: string, cause: unknown): GatewayError {
  return upstream('http_response_incomplete', 502, reason, { retry: 'never', cause });
}

/** What undici can't write: CONNECT, and the asterisk-form of RFC 9112 §3.2.4. */
export function unsendable(reason: string): GatewayError {
  return new GatewayError('http_request_error', { blame: 'gateway', status: 501, reason });
}

/** A request that can't be written, or a receiver that threw: our own fault. */
export function internal(reason: string, cause: unknown): GatewayError {
  return new GatewayError('proxy_internal_error', { blame: 'gateway', status: 500, reason, cause });
}

/** The head is larger than `maxHeadBytes`. */
export function headTooLarge(cause?: unknown): GatewayError {
  const reason = 'response-head-too-large';
  return upstream('http_response_header_section_size', 502, reason, { retry: 'never', cause });
}

/** The request's body is not as long as its sender has announced. */
export function lengthMismatch(): GatewayError {
  return new GatewayError('http_request_error', { blame: 'client', status: 400, reason: 'body-length-mismatch' });
}

/** Turns what undici or a socket reports about a request into the failure of its attempt. */
export function attemptFailure(error: unknown, stage: Stage): GatewayError {
  if (error instanceof GatewayError) return error;
  const code = codeOf(error);
  switch (code) {
    case 'UND_ERR_HEADERS_OVERFLOW':
      if (stage.headDelivered) return incomplete('trailers-too-large', error);
      return headTooLarge(error);
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      // undici says this as well for a head with two lengths, or with a length and chunks.
      return stage.headDelivered ? incomplete('body-cut-short', error) : protocolError('malformed-response', error);
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
      return lengthMismatch();
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_NOT_SUPPORTED':
      return internal('unsendable-request', error);
    case 'UND_ERR_SOCKET':
      return socketFailure(error, stage);
    case 'ERR_ASSERTION':
      return protocolError('malformed-response', error);
  }
  if (isParserError(error)) return parserFailure(error, stage);
  if (isTlsCode(code)) return tlsFailure(code, { retry: stage.sent ? 'never' : 'always', cause: error });
  if (isSystemError(code)) return connectionLost(error, stage);
  return internal('bug', error);
}

function parserFailure(error: Error, stage: Stage): GatewayError {
  if (stage.headDelivered && error.message.includes('EOF')) return incomplete('body-cut-short', error);
  return protocolError('malformed-response', error);
}

function socketFailure(error: unknown, stage: Stage): GatewayError {
  const message = error instanceof Error ? error.message : '';
  // A 100 that nobody asked for. RFC 9110 §15.2 would have us skip it, but undici gives the connection up. We never send
  // `Expect`, so no sane endpoint gets here.
  if (message === 'bad response') return protocolError('unexpected-continue', error);
  if (message === 'bad upgrade') return protocolError('unasked-upgrade', error);
  return connectionLost(error, stage);
}

/** The connection is gone before the response was whole; `error` is `null` when the endpoint just ended it. */
export function connectionLost(error: unknown, stage: Stage): GatewayError {
  if (stage.headDelivered) return incomplete('body-cut-short', error);
  if (stage.responseBegun) return incomplete('head-cut-short', error);
  // The keep-alive race: an endpoint that closes an idle connection and a request that crosses it on the wire.
  const retry = stage.sent ? (stage.reused ? 'if-reused' : 'never') : 'always';
  return upstream('connection_terminated', 502, 'connection-closed-without-response', { retry, cause: error });
}

function isParserError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'HTTPParserError';
}

/** `ECONNRESET`, `EPIPE`, `ETIMEDOUT`, …, and undici's words for a connection that is gone. */
function isSystemError(code: string): boolean {
  return /^E[A-Z]+$/.test(code) || code.startsWith('UND_ERR_') || code === 'ERR_STREAM_DESTROYED';
}
