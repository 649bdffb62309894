import type { Clock, CoarseClock } from '../clock.ts';
import type { Transport } from '../exchange/attempt.ts';
import type { ExchangeObserver } from '../exchange/observer.ts';
import type { StreamObserver, StreamTransport } from '../exchange/stream.ts';

/** What the engine is given from outside: everything that does I/O or tells the time. */
export interface EngineParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly deadlines: CoarseClock;
  readonly observer: ExchangeObserver;
  readonly streams: StreamTransport;
  readonly streamObserver: StreamObserver;
  /** A UUIDv7 for a request that starts at `epochMs`. */
  readonly newRequestId: (epochMs: number) => string;
}
