import type { GatewayError } from '../errors.ts';
import type { Destination, InFlight } from './attempt.ts';
import type { ByteChannel } from './body.ts';
import type { Client } from './exchange.ts';
import type { ExchangeEnd } from './outcome.ts';

/**
 * A client's connection that is forwarded as it is, the Layer 4 counterpart of `Exchange`: whatever the bytes mean, they go to
 * one endpoint and back. Downstreams make them, the engine consumes them.
 */
export interface StreamExchange {
  readonly client: Client;
  /** Name of the listener that took it. */
  readonly listener: string;
  /** SNI of the ClientHello that it began with: lower case, no trailing dot; `null` without one, or when nobody looked. */
  readonly serverName: string | null;
  /**
   * The client's bytes from the very first on. Until the source is piped, at most 64 KiB are read ahead. `sink.end` sends a
   * FIN and leaves the other direction open; `sink.fail` and `source.discard` reset the connection.
   */
  readonly channel: ByteChannel;
  /** Called once if the client leaves before the source was piped; its FIN is no leaving. After that the source tells. */
  onClientGone: ((cause: GatewayError) => void) | null;
  /** Bytes received from and sent to the client so far, for the log. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** What a downstream knows of the engine's way with streams. Must never throw. */
export interface StreamHandler {
  /** Is a connection of this listener, with this SNI, forwarded as it is? */
  forwards(listener: string, serverName: string | null): boolean;
  /** Takes one that is. */
  handle(exchange: StreamExchange): void;
}

/** What a connection is made for. */
export interface StreamAttempt {
  readonly destination: Destination;
  /** Whose bytes it will carry; `null` for a health check. */
  readonly client: Client | null;
}

/** Hears whether a connection could be made: one of the two, once. */
export interface StreamReceiver {
  opened(channel: ByteChannel): void;
  /** Nothing was sent: `error.retry` says whether another endpoint is worth trying. */
  failed(error: GatewayError): void;
}

/** Makes connections that carry bytes as they are: TCP, whatever the scheme of the endpoint. */
export interface StreamTransport {
  /**
   * Connects within `connectTimeoutMs`, unless `maxConnections` streams to this place are open already: nobody waits for one
   * to end, which may take days. Never throws. `cancel` gives up the connecting; an open channel is closed through its sink.
   */
  open(attempt: StreamAttempt, into: StreamReceiver): InFlight;
  /** Open ones, those included that are being made. */
  connections(connectionKey: string): number;
  /** Resolves when none is open; what is left after `deadlineMs` is reset. None can be opened any more. */
  drain(deadlineMs: number): Promise<void>;
}

/** Everything the log wants to know of a stream that is over. */
export interface StreamRecord {
  readonly id: string;
  readonly listener: string;
  readonly clientAddress: string;
  readonly serverName: string | null;
  /** Milliseconds since the epoch. */
  readonly startedAtEpoch: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Milliseconds, with fractions. */
  readonly totalMs: number;
  /** Until a connection to an endpoint was there, failed attempts included; `null` when there never was. */
  readonly connectMs: number | null;
  readonly pool: string;
  /** Origin of the last endpoint tried. */
  readonly endpoint: string | null;
  readonly attempts: number;
  /** With reason `complete`, the side is that which ended first. */
  readonly end: ExchangeEnd;
}

/** Hears of every stream exactly once, when it is over. Must not throw and must not block. */
export interface StreamObserver {
  streamFinished(record: StreamRecord): void;
}
