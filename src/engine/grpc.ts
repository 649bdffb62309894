import type { ErrorCode } from '../errors.ts';
import type { RequestHead } from '../exchange/exchange.ts';
import { grpcStatusOf, grpcTimeoutMs, isGrpc } from '../http/grpc.ts';
import type { HeaderList } from '../http/headers.ts';
import { proxyStatus } from '../http/proxy-status.ts';
import { addExplanation } from './explanation-field.ts';
import type { Progress } from './progress.ts';

/** What a gRPC request asks of those who forward it. */
export interface GrpcCall {
  /** Its deadline from now (`grpc-timeout`), or `null`. */
  readonly deadlineMs: number | null;
}

/** Why a call gets no answer of an endpoint. */
export interface Refusal {
  /** As HTTP has it. */
  readonly status: number;
  readonly code: ErrorCode;
  readonly reason: string;
}

/** The gRPC side of a request, or `null`. gRPC knows no method but POST, which spares all others a look at their fields. */
export function grpcCallOf(request: RequestHead): GrpcCall | null {
  if (request.method !== 'POST' || !isGrpc(request.headers)) return null;
  return { deadlineMs: grpcTimeoutMs(request.headers) };
}

/**
 * A refusal as gRPC clients understand it: HTTP 200 whose head has the status and is all there is (Trailers-Only). Any other
 * HTTP status would reach the application as whatever its library makes of it.
 */
export function refuseCall(progress: Progress, refusal: Refusal): void {
  const headers = [
    ...['Content-Type', 'application/grpc', ...statusFields(progress, refusal)],
    ...['Proxy-Status', proxyStatus(refusal.code), 'X-Request-Id', progress.requestId],
  ];
  if (progress.explains) addExplanation(headers, progress, refusal.reason);
  progress.status = 200;
  progress.exchange.response.respond({ status: 200, headers }, null);
}

/** Ends a call whose response has begun: its status says that it failed, more clearly than a reset would. */
export function breakCall(progress: Progress, refusal: Refusal): void {
  progress.exchange.response.end(statusFields(progress, refusal));
}

/** Codes and reasons are made of letters, digits, `_` and `-`: nothing here needs the percent-encoding of `grpc-message`. */
function statusFields(progress: Progress, { status, code, reason }: Refusal): HeaderList {
  progress.grpcStatus = grpcStatusOf(status);
  return ['grpc-status', String(progress.grpcStatus), 'grpc-message', `headgate: ${code} (${reason})`];
}
