// The gRPC health checking protocol: doc/health-checking.md and src/proto/grpc/health/v1/health.proto of grpc/grpc. Two messages
// of one field each, so they are written and read by hand (protobuf.dev/programming-guides/encoding).

export const GRPC_HEALTH_METHOD = '/grpc.health.v1.Health/Check';

/** 1 byte of flags, 4 of length: the frame of a message ("gRPC over HTTP2", Length-Prefixed-Message). */
const FRAME_BYTES = 5;

/** The names of the status codes of gRPC, by number. */
const CODES = [
  'ok',
  'cancelled',
  'unknown',
  'invalid-argument',
  'deadline-exceeded',
  'not-found',
  'already-exists',
  'permission-denied',
  'resource-exhausted',
  'failed-precondition',
  'aborted',
  'out-of-range',
  'unimplemented',
  'internal',
  'unavailable',
  'data-loss',
  'unauthenticated',
] as const;

/** `HealthCheckResponse.ServingStatus`, by number. */
const SERVING_STATUSES = ['serving-unknown', 'serving', 'not-serving', 'service-unknown'] as const;

/** `HealthCheckRequest { string service = 1 }`, framed. `service` has at most 16383 bytes. */
export function healthCheckRequest(service: string): Uint8Array {
  const name = Buffer.from(service);
  const field = service === '' ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
  const frame = Buffer.alloc(FRAME_BYTES);
  frame.writeUInt32BE(field.length, 1);
  return Buffer.concat([frame, field]);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, value >> 7];
}

/**
 * Healthy is SERVING alone: not to know the service, or the protocol (`grpc-unimplemented`), is not. The reason is a serving
 * status, `grpc-` and the name of the call's status, `unexpected-status` of HTTP, `no-grpc-status`, or `malformed-message`.
 */
export function grpcVerdict(called: {
  readonly status: number;
  readonly grpcStatus: number | null;
  readonly messages: Uint8Array;
}): { readonly healthy: boolean; readonly reason: string } {
  const { status, grpcStatus, messages } = called;
  if (status !== 200) return { healthy: false, reason: 'unexpected-status' };
  if (grpcStatus === null) return { healthy: false, reason: 'no-grpc-status' };
  if (grpcStatus !== 0) return { healthy: false, reason: `grpc-${CODES[grpcStatus] ?? 'unknown'}` };
  const serving = servingStatus(messages);
  if (serving === null) return { healthy: false, reason: 'malformed-message' };
  const reason = SERVING_STATUSES[serving] ?? 'serving-unknown';
  return { healthy: reason === 'serving', reason };
}

/** The number in `HealthCheckResponse { ServingStatus status = 1 }`, framed; 0 when it is not there. `null`: no such message. */
export function servingStatus(framed: Uint8Array): number | null {
  const bytes = Buffer.from(framed.buffer, framed.byteOffset, framed.byteLength);
  // No compression was offered, so a set flag is a mistake.
  if (bytes.length < FRAME_BYTES || bytes[0] !== 0 || bytes.readUInt32BE(1) !== bytes.length - FRAME_BYTES) return null;
  const reader = new FieldReader(bytes.subarray(FRAME_BYTES));
  let status = 0;
  while (!reader.atEnd) {
    const tag = reader.varint();
    if (tag === null) return null;
    if (tag !== 0x08) {
      if (!reader.skip(tag & 7)) return null;
      continue;
    }
    const value = reader.varint();
    if (value === null) return null;
    status = value;
  }
  return status;
}

class FieldReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** At most ten bytes; what is above 2^53 loses digits, which nobody looks at. `null` when it is cut short. */
  varint(): number | null {
    let value = 0;
    for (let i = 0; i < 10; i += 1) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) return null;
      this.#at += 1;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    return null;
  }

  /** Passes over a field that a later version of the protocol may have. False when it is cut short or of no known type. */
  skip(wireType: number): boolean {
    if (wireType === 0) return this.varint() !== null;
    const length = wireType === 1 ? 8 : wireType === 5 ? 4 : wireType === 2 ? this.varint() : null;
    if (length === null) return false;
    this.#at += length;
    return this.#at <= this.#bytes.length;
  }
}
