import type { Clock } from '../clock.ts';
import type { CertificateSource, TlsChallenges } from '../exchange/certificate.ts';
import type { HandleExchange } from '../exchange/exchange.ts';
import type { StreamHandler } from '../exchange/stream.ts';
import type { TlsPolicySource } from '../exchange/tls-policy.ts';
import type { BindPlace } from './binding.ts';

/** Bounds of one listener. Durations in milliseconds, sizes in bytes; the names are those of the configuration. */
export interface ListenerLimits {
  /** Request line and header fields together; more is 431. */
  readonly headerBytes: number;
  /** Header fields; more is 431. */
  readonly headerCount: number;
  /** From the first byte of a request, or from the connection's start, to the end of the request's head. */
  readonly headTimeout: number;
  /** Slowest request body accepted while it is being read, bytes per second over 10 s; 0 for any. */
  readonly bodyRate: number;
  /** A connection without a request in progress is closed after this; 0 for never. */
  readonly idleTimeout: number;
  readonly connections: number;
  /** Of one IPv4 address, or of one IPv6 /64 network; trusted proxies and peers on a Unix socket, which stand for many, aside. */
  readonly connectionsPerAddress: number;
  /** Concurrent HTTP/2 streams of one connection. */
  readonly streams: number;
}

export interface ListenerOptions {
  readonly name: string;
  /** `tcp`: every connection is forwarded as it is, and the options that are about HTTP or TLS mean nothing. */
  readonly kind: 'http' | 'tcp';
  /** Some connections are forwarded by their SNI as they are: each ClientHello is looked at first. */
  readonly passthrough: boolean;
  readonly place: BindPlace;
  /** Peers in `trustedProxies` begin each connection with a PROXY header; nobody else's bytes are looked at for one. */
  readonly proxyProtocol: boolean;
  readonly tls: boolean;
  /** `Strict-Transport-Security` of what is refused before it is an exchange; the engine knows for itself. `null` for none. */
  readonly hsts: string | null;
  /** Offer `h2` by ALPN; without TLS it has no effect. */
  readonly http2: boolean;
  /** Take HTTP/2 by prior knowledge beside HTTP/1.x; with TLS it has no effect. */
  readonly h2c: boolean;
  /** Canonical HTTP/1.1 requests are read without Node's parser and Fastify. */
  readonly fastLane: boolean;
  /** How much a client of HTTP/2 may reset, ask and chat (docs/http2.md). */
  readonly profile: 'edge' | 'development';
  readonly limits: ListenerLimits;
  /** Addresses and networks whose forwarding fields are believed; `unix:` for all peers on a Unix socket. */
  readonly trustedProxies: readonly string[];
  /** The one field in which a trusted proxy names the client; the other is never read. */
  readonly forwardedBy: 'x-forwarded-for' | 'forwarded';
  /** Request field names with `_`, which CGI-like endpoints can't tell from `-`. */
  readonly underscores: 'drop' | 'refuse' | 'keep';
}

/** A request or a connection that was turned away before it became an exchange. */
export interface Refusal {
  readonly listener: string;
  /** Address of the peer, as a PROXY header has it if there was one; empty when it left before it could be asked for. */
  readonly peer: string;
  /** Status that was answered; 0 when the connection was closed without an answer. */
  readonly status: number;
  /** Enumerated kebab-case reason for log and metrics. */
  readonly reason: string;
  /** The code behind the reason, where the reason stands for several: `ERR_SSL_UNEXPECTED_MESSAGE`. */
  readonly detail?: string;
}

/** Hears what never becomes an exchange. Must not throw and must not block. */
export interface DownstreamObserver {
  refused(refusal: Refusal): void;
  /** A bug in Headgate met on a connection, which was closed; or the system's refusal to accept one (`EMFILE`). */
  broke(bug: unknown): void;
}

export interface DownstreamDeps {
  readonly handle: HandleExchange;
  readonly clock: Clock;
  readonly log: DownstreamObserver;
  /** Needed when `tls` is set, as is `tlsPolicies`. */
  readonly certificates: CertificateSource | null;
  readonly tlsPolicies: TlsPolicySource | null;
  /** What certificate authorities ask for by `acme-tls/1`; `null` where none would. */
  readonly tlsChallenges: TlsChallenges | null;
  /** Needed for `kind: tcp` and for `passthrough`. */
  readonly streams: StreamHandler | null;
}
