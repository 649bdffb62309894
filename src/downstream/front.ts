import type { Clock } from '../clock.ts';
import type { HandleExchange } from '../exchange/exchange.ts';
import type { ClientAddresses } from './client-address.ts';
import type { Connections } from './connections.ts';
import type { DownstreamObserver, ListenerOptions } from './options.ts';

/** What a listener gives to the protocols it speaks. */
export interface FrontParts {
  readonly options: ListenerOptions;
  readonly handle: HandleExchange;
  readonly clock: Clock;
  readonly log: DownstreamObserver;
  readonly connections: Connections;
  readonly addresses: ClientAddresses;
}
