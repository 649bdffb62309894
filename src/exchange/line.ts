import type { ErrorCode } from '../errors.ts';
import type { CacheResult, Side } from './outcome.ts';

/**
 * What log lines tell of an exchange, as plain data: the same names as in the JSON access log, and nothing secret (no query, no
 * header fields). `null` for what is not known or was not reached.
 */
export interface ExchangeLine {
  /** Start, milliseconds since the epoch. */
  readonly time: number;
  readonly id: string;
  readonly trace: string | null;
  readonly span: string | null;
  readonly listener: string;
  readonly client: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** `HTTP/1.1`, `HTTP/2`. */
  readonly protocol: string;
  readonly status: number;
  readonly grpcStatus: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly totalMs: number;
  readonly queueMs: number | null;
  readonly connectMs: number | null;
  readonly firstByteMs: number | null;
  readonly upstreamMs: number | null;
  readonly overheadMs: number;
  readonly route: string | null;
  readonly pool: string | null;
  readonly endpoint: string | null;
  readonly attempts: number;
  readonly retries: readonly string[];
  readonly noRetry: string | null;
  readonly fallback: string | null;
  readonly reused: boolean;
  readonly cacheResult: CacheResult | null;
  readonly user: string | null;
  readonly policy: string | null;
  readonly notes: readonly string[];
  /** `TLSv1.3`. */
  readonly tls: string | null;
  readonly sni: string | null;
  readonly side: Side;
  readonly end: string;
  readonly error: ErrorCode | null;
}
