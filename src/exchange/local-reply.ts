import type { ErrorCode } from '../errors.ts';
import type { HeaderList } from '../http/headers.ts';

/** A response that Headgate makes itself: redirect, fixed response, refusal. */
export interface LocalReply {
  readonly status: number;
  /** Complete, `Content-Length` included where the status has one. */
  readonly headers: HeaderList;
  readonly body: Uint8Array | null;
  /** Enumerated kebab-case reason for log and metrics: `redirect`, `fixed-response`, `no-route`, `body-too-large`. */
  readonly reason: string;
  /** RFC 9209 error type when the reply is a "no"; `null` when it is what the configuration wanted. */
  readonly error: ErrorCode | null;
}
