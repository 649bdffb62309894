import type { GatewayError } from '../../errors.ts';
import type { Destination } from '../../exchange/attempt.ts';
import type { HeaderList } from '../../http/headers.ts';

/** What one check does. The prober keeps the time: a sender needs no timeout of its own. */
export type ProbeRequest =
  | {
      readonly type: 'http';
      readonly destination: Destination;
      readonly method: 'GET' | 'HEAD';
      readonly target: string;
      /** Complete, `Host` first. */
      readonly headers: HeaderList;
      /** Is the body wanted that follows a head with this status? `null`: never. */
      readonly wantsBody: ((status: number) => boolean) | null;
    }
  /** A call of `grpc.health.v1.Health/Check`. */
  | {
      readonly type: 'grpc';
      readonly destination: Destination;
      /** Complete, `Host` first, without those that belong to the protocol. */
      readonly headers: HeaderList;
      /** Whose health is asked for; empty for the server's as a whole. */
      readonly service: string;
    }
  /** Only to connect. */
  | { readonly type: 'tcp'; readonly destination: Destination };

/** What came back, or why nothing did. */
export type ProbeResult =
  /** `body`: at most `BODY_BYTES` of it as text, when it was wanted; else `null`. */
  | { readonly kind: 'answered'; readonly status: number; readonly body: string | null }
  /** To a check of type grpc: the status of HTTP, that of gRPC if there was one, and what was in between. */
  | {
      readonly kind: 'called';
      readonly status: number;
      readonly grpcStatus: number | null;
      readonly messages: Uint8Array;
    }
  /** To a check of type tcp. */
  | { readonly kind: 'connected' }
  | { readonly kind: 'failed'; readonly error: GatewayError };

/** So much of a body is looked at: pages that say how an application feels are shorter. */
export const BODY_BYTES = 64 * 1024;

/** Sends checks. `gateway.ts` makes it of the transport. */
export interface ProbeSender {
  /**
   * Sends one check and calls `done` once, possibly before it returns; never throws. What it does with a body that nobody wants
   * is its own affair until `cancel`, which ends whatever is left: a check that is too late, or a body that goes on when the
   * next check begins (an event stream as health path). After it nothing is reported. It may come when all is over.
   */
  probe(request: ProbeRequest, done: (result: ProbeResult) => void): { cancel(): void };
}
