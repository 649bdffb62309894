import type {
  Attempt,
  AttemptReceiver,
  ConnectionWarmer,
  Destination,
  InFlight,
  Transport,
} from '../exchange/attempt.ts';
import { type ConnectionTraffic, sumOf, type TrafficSource } from './connection-counts.ts';
import { Http1Transport, type Http1TransportOptions } from './http1.ts';
import { Http2Transport } from './http2/transport.ts';

export type TransportOptions = Http1TransportOptions;

/** Sends each attempt by the protocol of its destination. */
export class TransportByProtocol implements Transport, ConnectionWarmer, TrafficSource {
  readonly #http1: Http1Transport;
  readonly #http2: Http2Transport;

  constructor(options: TransportOptions = {}) {
    this.#http1 = new Http1Transport(options);
    this.#http2 = new Http2Transport({ ...options, http1: this.#http1 });
  }

  /** Hot. */
  send(attempt: Attempt, into: AttemptReceiver): InFlight {
    return this.#by(attempt.destination).send(attempt, into);
  }

  warm(destination: Destination, count: number): void {
    this.#by(destination).warm(destination, count);
  }

  retain(connectionKeys: ReadonlySet<string>): void {
    this.#http1.retain(connectionKeys);
    this.#http2.retain(connectionKeys);
  }

  connections(connectionKey: string): { readonly open: number; readonly busy: number; readonly queued: number } {
    const one = this.#http1.connections(connectionKey);
    const two = this.#http2.connections(connectionKey);
    return { open: one.open + two.open, busy: one.busy + two.busy, queued: one.queued + two.queued };
  }

  /** `null` while no connection was ever needed. */
  traffic(connectionKey: string): ConnectionTraffic | null {
    const one = this.#http1.traffic(connectionKey);
    const two = this.#http2.traffic(connectionKey);
    return one === null || two === null ? (one ?? two) : sumOf(one, two);
  }

  async drain(deadlineMs: number): Promise<void> {
    await Promise.all([this.#http1.drain(deadlineMs), this.#http2.drain(deadlineMs)]);
  }

  #by({ protocol, tls }: Destination): Http1Transport | Http2Transport {
    // Without TLS nobody can say what they speak.
    return protocol === 'http1' || (protocol === 'auto' && tls === null) ? this.#http1 : this.#http2;
  }
}
