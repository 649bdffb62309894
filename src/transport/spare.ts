import type { GatewayError } from '../errors.ts';
import type { Connection } from './connection.ts';
import type { Waiter } from './connection-pool.ts';

export interface SpareOwner {
  spareMade(spare: Spare, connection: Connection): void;
  spareNotMade(spare: Spare): void;
}

/** Waits for a connection that nobody needs yet. */
export class Spare implements Waiter {
  readonly preamble = null;
  readonly repeatable = true;
  readonly #owner: SpareOwner;

  constructor(owner: SpareOwner) {
    this.#owner = owner;
  }

  assigned(connection: Connection): void {
    this.#owner.spareMade(this, connection);
  }

  refused(_error: GatewayError): void {
    this.#owner.spareNotMade(this);
  }

  queued(): void {}
}
