import { getHeader, type HeaderList, isNamed } from './headers.ts';

// Of the gRPC protocol: "gRPC over HTTP2" and "HTTP to gRPC Status Code Mapping" in grpc/grpc's doc/.

/** Status codes that Headgate itself has a use for. */
const GRPC = {
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** Is a message with these fields one of gRPC: `application/grpc`, `application/grpc+proto`? gRPC-Web is not. */
export function isGrpc(headers: HeaderList): boolean {
  const type = getHeader(headers, 'content-type');
  if (type === null || !type.toLowerCase().startsWith('application/grpc')) return false;
  const next = type[16];
  return next === undefined || next === '+' || next === ';' || next === ' ';
}

/** `grpc-timeout` in milliseconds, at least 1; `null` when there is none that can be read. */
export function grpcTimeoutMs(headers: HeaderList): number | null {
  const parts = /^(\d{1,8})([HMSmun])$/.exec(getHeader(headers, 'grpc-timeout') ?? '');
  if (parts === null) return null;
  return Math.max(1, Math.ceil(Number(parts[1]) * (UNIT_MS[parts[2] as string] as number)));
}

/** `grpc-status` among the fields of a head or of trailers, or `null`. */
export function grpcStatusIn(fields: HeaderList | null): number | null {
  if (fields === null) return null;
  for (let i = 0; i < fields.length; i += 2) {
    if (!isNamed(fields[i] as string, 'grpc-status')) continue;
    const value = fields[i + 1] as string;
    return /^\d{1,9}$/.test(value) ? Number(value) : GRPC.unknown;
  }
  return null;
}

/**
 * What a failure with this HTTP status is to a gRPC client. 504 is DEADLINE_EXCEEDED, 413 RESOURCE_EXHAUSTED and 499 CANCELLED,
 * which says more than the mapping for proxies that know nothing of gRPC.
 */
export function grpcStatusOf(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
      return GRPC.internal;
    case 401:
      return GRPC.unauthenticated;
    case 403:
      return GRPC.permissionDenied;
    case 404:
    case 405:
      return GRPC.unimplemented;
    case 413:
    case 431:
      return GRPC.resourceExhausted;
    case 429:
    case 502:
    case 503:
      return GRPC.unavailable;
    case 499:
      return GRPC.cancelled;
    case 408:
    case 504:
      return GRPC.deadlineExceeded;
    case 500:
      return GRPC.internal;
    default:
      return GRPC.unknown;
  }
}
