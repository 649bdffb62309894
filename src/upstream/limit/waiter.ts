import type { GatewayError } from '../../errors.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Importance } from './importance.ts';

/** What became of the offer of a free place: an endpoint, none that has room for this one, or none at all that could ever serve it. */
export type Choice = Endpoint | 'no-room' | 'nobody';

/** An attempt that waits for its turn at a pool whose limits are reached. Its calls never throw. */
export interface Waiter {
  readonly importance: Importance;
  /** The exchange had its turn before, and is to be tried again: it goes before everybody who had none. */
  readonly again: boolean;
  /** What keeps it from going anywhere: a session's endpoint that has no room. Cheap; asked often. */
  bound(): boolean;
  /** Any endpoint is as good as another: whatever has no room for it has none for others like it. */
  readonly plain: boolean;
  /** Picks an endpoint as if the attempt began now. */
  choose(): Choice;
  /** Its turn has come: called right after `choose`, and it begins at that endpoint at once. */
  begin(endpoint: Endpoint): void;
  /** It waits no more. */
  refused(error: GatewayError): void;
  /** As `choose` said, nobody is left who could serve it. */
  unavailable(): void;
}

/** A waiter's place in a line. Made by `WaitingLine.add`. */
export interface Place {
  readonly waiter: Waiter;
  readonly sinceMs: number;
  /** Where it waits; `null` once it does not. */
  line: object | null;
  older: Place | null;
  newer: Place | null;
}
