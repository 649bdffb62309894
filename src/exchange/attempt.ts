import type { HeaderList } from '../http/headers.ts';
import type { BodySink, BodySource, ByteChannel } from './body.ts';
import type { KeyPair } from './certificate.ts';
import type { Client } from './exchange.ts';
import type { ResponseHead } from './response-sink.ts';

/** TLS towards an endpoint. Verified against the system's roots plus `ca`, unless `insecure`. */
export interface UpstreamTls {
  /** SNI and the name the certificate must carry. */
  readonly serverName: string;
  /** PEM bundle, or `null` for the built-in roots. */
  readonly ca: string | null;
  readonly insecure: boolean;
  /** Shown to endpoints that ask for one. Default none. */
  readonly identity?: KeyPair | null;
}

/**
 * What is spoken to an endpoint. HTTP/2 is agreed on by ALPN over TLS, and spoken by prior knowledge without (RFC 9113 §3).
 * `auto`: over TLS what the endpoint chooses of the two, HTTP/1.1 without.
 */
export type UpstreamProtocol = 'http1' | 'http2' | 'auto';

/** What a transport needs to reach one endpoint. Stable for the life of a snapshot: transports key their pools by `connectionKey`. */
export interface Destination {
  /** Origin + digest of everything that changes what a kept-alive connection means (`upstream/identity.ts`). */
  readonly connectionKey: string;
  readonly host: string;
  readonly port: number;
  /** File of the Unix socket to connect to in place of `host` and `port`, which then are `localhost` and 80. */
  readonly socketPath: string | null;
  readonly tls: UpstreamTls | null;
  /** Each connection begins with a PROXY header of this version, before TLS, and carries that one client only. */
  readonly proxyProtocol: ProxyProtocolVersion | null;
  readonly protocol: UpstreamProtocol;
  readonly limits: ConnectionLimits;
}

/** https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt: text or binary. */
export type ProxyProtocolVersion = 'v1' | 'v2';

export interface ConnectionLimits {
  readonly maxConnections: number;
  /** Requests that may wait for a connection; one more fails with `connection_limit_reached`. */
  readonly maxQueued: number;
  /** Longest wait in that queue; 0 = as long as the total timeout allows. */
  readonly queueTimeoutMs: number;
  /** An idle connection is closed after this, sooner if the endpoint would close it sooner. 0: none is kept. */
  readonly keepAliveMs: number;
  /** A connection carries no further requests after so long; up to a tenth sooner. Default 0: no limit. */
  readonly maxAgeMs?: number;
  /** Nor after so many requests. Default 0: no limit. */
  readonly maxRequests?: number;
  /** Idle connections that are kept ready while the endpoint may get work. Default 0. */
  readonly warm?: number;
  readonly connectTimeoutMs: number;
}

/** One try at one endpoint. */
export interface Attempt {
  readonly destination: Destination;
  /** On whose behalf, for a destination that wants to be told; `null` for Headgate's own requests. */
  readonly client: Client | null;
  readonly method: string;
  /** Origin-form target exactly as it goes out. */
  readonly target: string;
  /** Complete: `Host`, `Via`, forwarding fields; no hop-by-hop fields except what `upgrade` needs, which the transport adds. */
  readonly headers: HeaderList;
  /** `null` for no body; its `length` decides the framing. */
  readonly body: BodySource | null;
  /** Protocol to ask for in `Upgrade`, or `null`. */
  readonly upgrade: string | null;
  /** Time from the last request byte to the response head; 0 = none. */
  readonly headTimeoutMs: number;
}

/**
 * Hears what comes back. Legal order: `informational* (head data* (end | fail) | upgraded | fail)`.
 * A `fail` before `head` carries in `GatewayError.retry` whether another attempt is allowed.
 */
export interface AttemptReceiver extends BodySink {
  /** The request is about to be written on a connection. */
  sent(reusedConnection: boolean): void;
  informational(status: number, headers: HeaderList): void;
  /**
   * Of a chunk that was given to `data`, nothing is kept: where that is so before the call and still after it, its memory is the transport's to write
   * to again. Default false.
   */
  readonly letsGo?: boolean;
  /** `last`: nothing follows but `end(null)`, which comes at once. For the protocols that can tell (RFC 9113 §8.1). */
  head(head: ResponseHead, last: boolean): void;
  /** The endpoint agreed to the upgrade (101, or 2xx to an extended CONNECT). */
  upgraded(head: ResponseHead, channel: ByteChannel): void;
}

/** A sent attempt. */
export interface InFlight {
  /** Stops it: the connection is closed if a request was written on it. Nothing is reported after this. */
  cancel(): void;
}

/** Makes connections before they are needed. */
export interface ConnectionWarmer {
  /**
   * Begins as many connections as are missing to `count` idle ones, within the limits of the destination. Of HTTP/2 one session is
   * enough. Nothing while it backs off from an endpoint that could not be reached.
   */
  warm(destination: Destination, count: number): void;
}

export interface Transport {
  /** Sends `attempt`, pushes what comes back into `into`, reports every failure through `into.fail`; never throws. */
  send(attempt: Attempt, into: AttemptReceiver): InFlight;
  /** Keeps the connections of these keys, closes idle ones of all others and busy ones when they finish. */
  retain(connectionKeys: ReadonlySet<string>): void;
  /** Open connections per key, for status. */
  connections(connectionKey: string): { readonly open: number; readonly busy: number; readonly queued: number };
  drain(deadlineMs: number): Promise<void>;
}
