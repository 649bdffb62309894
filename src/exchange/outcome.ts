import type { ErrorCode } from '../errors.ts';
import type { RequestHead, TlsFacts } from './exchange.ts';
import type { ExchangeTrace } from './trace.ts';

export type Side = 'client' | 'gateway' | 'upstream';

/** How and by whom an exchange ended: one code for the whole story, like HAProxy's termination state. */
export interface ExchangeEnd {
  /** With reason `complete`, of a tunnel: who ended it first. */
  readonly side: Side;
  /** `complete`, a local reply's reason, or a `GatewayError`'s reason. */
  readonly reason: string;
  /** RFC 9209 error type, or `null` when all went well. */
  readonly error: ErrorCode | null;
  /** Only for a bug in Headgate: logged with its stack. */
  readonly bug: unknown;
}

/** What was done in place of an answer of the route's own pool. */
export interface FallbackNote {
  readonly kind: 'pool' | 'stale' | 'respond';
  /** Why: a `GatewayError`'s reason, or `status-503` of a response that was not wanted. */
  readonly why: string;
}

/**
 * What the cache did for an exchange. Served from the store: `hit` (fresh), `stale` (the client accepts it), `stale-while-revalidate`,
 * `stale-if-error`, `stale-fallback`. With an endpoint's help: `revalidated` (304), `collapsed` (another exchange's answer). Not
 * served: `miss`, `bypass` (not asked), `fallback` (another pool answered), `unsatisfiable` (only-if-cached, and nothing fits).
 */
export type CacheResult =
  | 'hit'
  | 'stale'
  | 'stale-while-revalidate'
  | 'stale-if-error'
  | 'stale-fallback'
  | 'revalidated'
  | 'collapsed'
  | 'miss'
  | 'bypass'
  | 'fallback'
  | 'unsatisfiable';

export interface CacheReport {
  readonly result: CacheResult;
  /** Why it was no `hit`, enumerated: `uri-miss`, `stale`, `range`, …; `null` for a hit. */
  readonly why: string | null;
  /** Why the endpoint's answer was not stored, enumerated; `null` where it was, or where there was none. */
  readonly notStored: string | null;
  /** Our member of `Cache-Status` (RFC 9211). */
  readonly header: string;
}

/** Everything the log and the metrics want to know of a finished exchange. */
export interface ExchangeRecord {
  readonly id: string;
  readonly request: RequestHead;
  readonly listener: string;
  readonly clientAddress: string;
  readonly tls: TlsFacts | null;
  /** Milliseconds since the epoch. */
  readonly startedAtEpoch: number;
  /** Final status sent, 499 when the client left before any, 101 for a tunnel. */
  readonly status: number;
  /** `grpc-status` of a gRPC call, as the endpoint or Headgate said it; `null` when nobody did. */
  readonly grpcStatus: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Milliseconds, with fractions; `null` for a phase that was not reached. */
  readonly totalMs: number;
  readonly queueMs: number | null;
  readonly firstByteMs: number | null;
  /** How long the last attempt waited for its connection: next to nothing for one that was kept alive and free. */
  readonly connectMs: number | null;
  /**
   * Waiting for endpoints: for a connection, a response head, the next piece of a body, all attempts together. A slow client's upload is
   * part of it, since the endpoint waits for it too. Not in it: pauses of the download because the client is slow.
   */
  readonly upstreamMs: number | null;
  /**
   * What Headgate itself took: `totalMs` less `upstreamMs` and less all other waits, which are those for the client to take the
   * response, for a turn in a queue, for a retry's pause, for another exchange's answer, for the cache's disk, and all of a tunnel.
   */
  readonly overheadMs: number;
  readonly route: string | null;
  readonly pool: string | null;
  /** Origin of the last endpoint tried, `http://10.0.0.1:3000`. */
  readonly endpoint: string | null;
  readonly attempts: number;
  /** Why each attempt after the first was made: `connect`, `reused`, `reset`, `timeout`, a status, `hedge`. */
  readonly retries: readonly string[];
  /** What kept it from one more: `budget`, `deadline`, `retry-after`; else `null`. */
  readonly noRetry: string | null;
  readonly reusedConnection: boolean;
  /** `null` where no cache is configured. */
  readonly cache: CacheReport | null;
  /** Name of whoever was authenticated, octets; `null` for nobody. */
  readonly user: string | null;
  /** Key of the policy that answered or refused in place of the route; `null` for none. */
  readonly policy: string | null;
  /** What policies that only watch would have refused, and what else they note: at most 8. */
  readonly notes: readonly string[];
  /** The last step that was taken because no response came from the route's pool; `null` for the usual exchange. */
  readonly fallback: FallbackNote | null;
  /** `null` for a request without a valid `traceparent` where Headgate takes no part in traces. */
  readonly trace: ExchangeTrace | null;
  readonly end: ExchangeEnd;
}

/** A refresh of a stored response in the background. `bytesOut` are those of the body, as the endpoint sent them. */
export interface RefreshRecord extends ExchangeRecord {
  readonly refresh: {
    /** Id of the exchange that was served the stale response, and led to this. */
    readonly servedTo: string;
    readonly result: 'confirmed' | 'replaced' | 'kept' | 'failed';
  };
}
