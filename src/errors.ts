/** Who is responsible for a failure. Outlier detection listens to `upstream` alone; a client that left blames nobody else. */
export type Blame = 'client' | 'upstream' | 'gateway';

/**
 * May the request go to another attempt?
 * `always`: the endpoint cannot have seen it. `if-reused`: it may have, unless the request is safe to repeat and the
 * connection was a kept-alive one that died before any byte of response. `never`: it may have been acted upon.
 */
export type RetryVerdict = 'never' | 'always' | 'if-reused';

/** Proxy error types of RFC 9209 §2.3, the ones Headgate uses. */
export type ErrorCode =
  | 'dns_timeout'
  | 'dns_error'
  | 'destination_not_found'
  | 'destination_unavailable'
  | 'connection_refused'
  | 'connection_terminated'
  | 'connection_timeout'
  | 'connection_read_timeout'
  | 'connection_write_timeout'
  | 'connection_limit_reached'
  | 'tls_protocol_error'
  | 'tls_certificate_error'
  | 'tls_alert_received'
  | 'http_request_error'
  | 'http_request_denied'
  | 'http_response_incomplete'
  | 'http_response_header_section_size'
  | 'http_response_transfer_coding'
  | 'http_response_timeout'
  | 'http_upgrade_failed'
  | 'http_protocol_error'
  | 'proxy_internal_response'
  | 'proxy_internal_error'
  | 'proxy_configuration_error'
  | 'proxy_loop_detected';

export interface GatewayErrorOptions {
  readonly blame: Blame;
  /** Default `never`. */
  readonly retry?: RetryVerdict;
  /** Status of the answer, if one can still be sent. 499 is a client that left: logged, never sent. */
  readonly status: number;
  /** Enumerated kebab-case reason for log and metrics, more precise than the code: `header-read-timeout`, `body-too-large`. */
  readonly reason: string;
  readonly cause?: unknown;
  /**
   * Of a 503 or 429: when it may be worth while to come again, whole seconds from 1 for `Retry-After` (RFC 9110 §10.2.3); `null` where
   * nobody can tell. Default 1.
   */
  readonly retryAfterSeconds?: number | null;
  /** Fields that the answer has besides, `[name, value, …]`: `WWW-Authenticate`, `Allow`. Default none. */
  readonly fields?: readonly string[];
}

const noFields: readonly string[] = Object.freeze([]);

/** An expected failure on the data plane. Created per request, so without capturing a stack (a capture costs 5–10 µs). */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: ErrorCode;
  readonly blame: Blame;
  readonly retry: RetryVerdict;
  readonly status: number;
  readonly reason: string;
  readonly retryAfterSeconds: number | null;
  readonly fields: readonly string[];

  constructor(code: ErrorCode, options: GatewayErrorOptions) {
    const stackTraceLimit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(`${code}: ${options.reason}`, options.cause === undefined ? undefined : { cause: options.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.blame = options.blame;
    this.retry = options.retry ?? 'never';
    this.status = options.status;
    this.reason = options.reason;
    this.retryAfterSeconds = options.retryAfterSeconds === undefined ? 1 : options.retryAfterSeconds;
    this.fields = options.fields ?? noFields;
  }
}

/** The client closed its connection, reset its stream, or broke off its body. */
export function clientGone(cause?: unknown): GatewayError {
  return new GatewayError('http_request_error', { blame: 'client', status: 499, reason: 'client-gone', cause });
}

/** The request breaks a rule of HTTP, of a limit, or of a policy: `status` is 4xx or 501/505. */
export function badRequest(reason: string, status = 400): GatewayError {
  return new GatewayError('http_request_error', { blame: 'client', status, reason });
}
