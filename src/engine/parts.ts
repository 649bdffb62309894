import type { Clock, CoarseClock } from '../clock.ts';
import type { Transport } from '../exchange/attempt.ts';
import type { ExchangeObserver } from '../exchange/observer.ts';
import type { StreamObserver, StreamTransport } from '../exchange/stream.ts';
import type { ReplayMemory } from './kept-chunks.ts';
import type { OpenTunnels } from './open-tunnels.ts';
import type { Overload } from './overload.ts';

/** What the engine is given from outside: everything that does I/O or tells the time. */
export interface EngineParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly deadlines: CoarseClock;
  readonly observer: ExchangeObserver;
  readonly streams: StreamTransport;
  readonly streamObserver: StreamObserver;
  readonly tunnels: OpenTunnels;
  /** Where request bodies are kept for another attempt. */
  readonly replay: ReplayMemory;
  /** In [0, 1). */
  readonly random: () => number;
  /** Whether requests must be refused for the sake of the others; `null` for never. */
  readonly overload: Overload | null;
  /** A UUIDv7 for a request that starts at `epochMs`. */
  readonly newRequestId: (epochMs: number) => string;
}
