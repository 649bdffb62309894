/**
 * The place of an exchange in a distributed trace (W3C Trace Context). Ids are lower-case hexadecimal: 32 digits of a trace, 16 of a
 * span.
 */
export interface ExchangeTrace {
  readonly traceId: string;
  /** Of the exchange itself; `null` where Headgate takes no part, and passes on what came. */
  readonly spanId: string | null;
  /** Of the client's span; `null` for a trace that begins here. */
  readonly parentId: string | null;
  readonly sampled: boolean;
  /** The trace id was drawn at random, as whoever began the trace says. */
  readonly random: boolean;
  /** `tracestate` as it came, valid; `null` for none. */
  readonly state: string | null;
  /** The span that this trace was begun for: that of the exchange which a refresh follows. */
  readonly link: { readonly traceId: string; readonly spanId: string } | null;
  /** In the order they began; `null` where nobody wants to know. */
  readonly attempts: readonly AttemptTrace[] | null;
}

/** One attempt, for a span of its own. Times are milliseconds since the exchange began, with fractions; -1 for what was not reached. */
export interface AttemptTrace {
  readonly spanId: string;
  readonly destination: {
    /** Name or address that it was reached under, without brackets. */
    readonly host: string;
    readonly port: number;
    readonly socketPath: string | null;
    readonly secure: boolean;
    /** `1.1` or `2`; `null` where the endpoint chooses. */
    readonly version: string | null;
  };
  /** Path that was asked for, without the query. */
  readonly path: string;
  /** Attempts of the exchange before this one. */
  readonly resends: number;
  /** Why it was made; `null` for the first at a pool. */
  readonly why: string | null;
  readonly startedMs: number;
  readonly sentMs: number;
  readonly answeredMs: number;
  /** -1 while it is under way: it may outlive the exchange, for the cache. */
  readonly endedMs: number;
  /** 0 for no response. */
  readonly status: number;
  readonly reusedConnection: boolean;
  /** Enumerated kebab-case; `null` for an attempt that ended well. */
  readonly error: string | null;
  /** Called once when it ends, if it is under way when the exchange is over. */
  onEnd: (() => void) | null;
}
