import type { GatewayError } from '../errors.ts';
import type { HeaderList } from '../http/headers.ts';
import type { BodySource, ByteChannel } from './body.ts';
import type { ClientCertificateFacts } from './client-certificate.ts';
import type { ResponseHead, ResponseSink } from './response-sink.ts';

export type HttpVersion = '1.0' | '1.1' | '2';
export type Scheme = 'http' | 'https';

/** A request head as received: framing checked, nothing interpreted. */
export interface RequestHead {
  readonly method: string;
  /**
   * Origin-form target as sent (`/a%2Fb?q=1`), or `*`. An absolute-form target was split by the downstream into
   * `authority` and its origin form (RFC 9112 §3.2.2).
   */
  readonly target: string;
  /** `Host` or `:authority` as sent, with port if any; empty when an HTTP/1.0 client sent none. */
  readonly authority: string;
  readonly scheme: Scheme;
  readonly version: HttpVersion;
  /** In received order and case, `Host` included; HTTP/2 pseudo fields are not. Cookie crumbs joined (RFC 9113 §8.2.3). */
  readonly headers: HeaderList;
}

export interface TlsFacts {
  /** SNI host name in lower case, or `null`. */
  readonly serverName: string | null;
  readonly protocol: string;
  readonly cipher: string;
  /** The client's certificate; `null` for a client without one, and where none is asked for. */
  readonly clientCertificate: ClientCertificateFacts | null;
  /**
   * Why no request of this connection is answered by anything but 400: enumerated kebab-case, as the certificate is missing or
   * does not verify. `null` for everybody else.
   */
  readonly refusal: string | null;
}

/** Who asks. One object per connection where the peer is not a trusted proxy. */
export interface Client {
  /**
   * Effective client address: the peer's, or the one a trusted proxy names. Canonical IP text (RFC 5952), IPv4-mapped
   * unwrapped; `unix:` on a Unix socket.
   */
  readonly address: string;
  /** Who connected: the TCP peer, or whom that names in a PROXY header as the one that connected to it. */
  readonly peer: string;
  readonly peerPort: number;
  /** The peer is in the listener's `trustedProxies`: its forwarding fields may be believed and are extended. */
  readonly trusted: boolean;
  /** The one field in which a trusted peer is believed to name its client; the other may be anybody's. */
  readonly forwardedBy: 'x-forwarded-for' | 'forwarded';
  /** Where it connected to, likewise. Empty and 0 on a Unix socket. */
  readonly localAddress: string;
  readonly localPort: number;
  readonly tls: TlsFacts | null;
}

/** One request and the one response it will get. Downstreams make them, the engine consumes them. */
export interface Exchange {
  /** As received. Rewrites produce a new head; this one stays for logs and cache keys. */
  readonly request: RequestHead;
  readonly requestBody: BodySource;
  readonly response: ResponseSink;
  readonly client: Client;
  /** Name of the listener that took it. */
  readonly listener: string;
  /** Present when the client asked for an upgrade that the downstream can carry out (RFC 9110 §7.8). */
  readonly upgrade: UpgradeOffer | null;
  /** `Expect: 100-continue` was sent and is still unanswered. Sends the 100; idempotent. `null` when not expected. */
  readonly sendContinue: (() => void) | null;
  /** Called once if the client leaves before the response is complete. A slot, not an AbortSignal: free until used. */
  onClientGone: ((cause: GatewayError) => void) | null;
  /**
   * Set by the engine: the client may be silent in the middle of its body for as long as it likes (a gRPC stream), so its
   * minimum rate does not apply. The engine bounds the silence then.
   */
  bodyMayPause: boolean;
  /** Bytes of request body received and response body sent so far, for the log. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface UpgradeOffer {
  /** The `Upgrade` field value as sent, e.g. `websocket`. */
  readonly protocol: string;
  /** Sends the switch response and yields the raw channel. A refusal goes through `exchange.response` like any answer. */
  accept(head: ResponseHead): ByteChannel;
}

/** The one thing a downstream knows of the engine. Must never throw. */
export type HandleExchange = (exchange: Exchange) => void;
