import { GatewayError } from '../errors.ts';
import type { HeaderDraft } from '../http/headers.ts';
import { proxyStatus } from '../http/proxy-status.ts';
import type { Pool } from '../upstream/pool.ts';
import { errorPage } from './error-page.ts';
import { addExplanation } from './explanation-field.ts';
import { breakCall, grpcCallOf, refuseCall } from './grpc.ts';
import { editRefusal } from './inbound.ts';
import type { Progress } from './progress.ts';

/** RFC 9110 §10.2.3, RFC 6585 §4. */
const RETRY_AFTER: ReadonlySet<number> = new Set([429, 503]);

/**
 * Turns a failure into the exchange's end; the only place that does. While nothing was sent: an error response with status,
 * code and request id, never a message, an address or a stack. Afterwards: a truncation that the client can see (RFC 9112 §8).
 * gRPC clients get a gRPC status in either case.
 * A client that left gets nothing, and 499 in the log.
 */
export function fail(progress: Progress, error: GatewayError): void {
  const { response } = progress.exchange;
  progress.blame(error);
  if (response.phase === 'closed') {
    if (progress.status === 0) progress.status = error.status;
    return;
  }
  if (response.phase === 'started' || error.status === 499) {
    if (progress.status === 0) progress.status = error.status;
    if (progress.grpcBegun && error.status !== 499) breakCall(progress, error);
    else response.fail(error);
    return;
  }
  if (grpcCallOf(progress.request) !== null) {
    refuseCall(progress, error);
    return;
  }
  progress.status = error.status;
  const page = errorPage(progress, error);
  const headers: HeaderDraft = [
    'Content-Type',
    page.contentType,
    'Content-Length',
    String(page.body.byteLength),
    'Cache-Control',
    'no-store',
    // It tells what was asked for: no reader shall take it for a script or a style sheet.
    'X-Content-Type-Options',
    'nosniff',
    'Proxy-Status',
    proxyStatus(error.code),
    'X-Request-Id',
    progress.requestId,
  ];
  if (progress.hsts !== null) headers.push('Strict-Transport-Security', progress.hsts);
  if (RETRY_AFTER.has(error.status) && error.retryAfterSeconds !== null) {
    headers.push('Retry-After', String(error.retryAfterSeconds));
  }
  for (const item of error.fields) headers.push(item);
  if (progress.policies !== null) editRefusal(headers, progress, progress.policies);
  if (progress.responseFields !== null) headers.push(...progress.responseFields);
  if (error.status === 405 && error.fields.length === 0)
    headers.push('Allow', 'GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS');
  if (progress.explains) addExplanation(headers, progress, error.reason);
  response.respond({ status: error.status, headers }, page.body);
}

/** Nobody is there to be asked. */
export function unavailable({ absence }: Pool): GatewayError {
  const { code, reason } = absence ?? { code: 'destination_unavailable', reason: 'no-endpoint-available' };
  return new GatewayError(code, { blame: 'upstream', status: 503, reason });
}

/** A bug in Headgate, met while handling one exchange. */
export function internalError(bug: unknown): GatewayError {
  return new GatewayError('proxy_internal_error', { blame: 'gateway', status: 500, reason: 'bug', cause: bug });
}
