import type { Socket } from 'node:net';
import { Client } from 'undici';
import type { Destination } from '../exchange/attempt.ts';
import type { Codec } from './connection.ts';
import type { UndiciFlight } from './undici-flight.ts';

/** When idle connections close is decided in `idle-connections.ts`: undici's own time is beyond all of it. */
const NEVER_MS = 2 ** 31 - 1;

/** An undici client that never connects: it is given its one socket, and when that is gone it is through. */
export class UndiciCodec implements Codec {
  readonly #client: Client;
  readonly #closesAlways: boolean;
  #socket: Socket | null;
  #rested = false;

  constructor(socket: Socket, destination: Destination, maxHeadBytes: number) {
    const { host, port, limits } = destination;
    this.#socket = socket;
    this.#closesAlways = limits.keepAliveMs === 0;
    // The URL is only what undici would put into a missing Host field. That TLS may be below is not its business, nor through
    // which interface an IPv6 address is reached (`fe80::1%eth0`).
    const name = host.split('%')[0] as string;
    this.#client = new Client(`http://${name.includes(':') && name[0] !== '[' ? `[${name}]` : name}:${port}`, {
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: maxHeadBytes,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: NEVER_MS,
      keepAliveMaxTimeout: NEVER_MS,
      // Taken off what an endpoint says: whatever that is, it is beyond the maximum.
      keepAliveTimeoutThreshold: -NEVER_MS,
      connect: (_options, callback) => {
        const give = (): void => {
          const given = this.#socket;
          this.#socket = null;
          if (given === null) callback(new Error('The connection was closed before the request was written'), null);
          else callback(null, given);
        };
        // Not at once: undici resumes itself only when it has returned from here. What has happened to a socket that was idle
        // until now is looked for first, as undici does before it uses a socket once more.
        if (this.#rested) setImmediate(give);
        else queueMicrotask(give);
      },
    });
    // Emitted when a receiver throws out of `fail`. It was told; there is nobody else to tell.
    this.#client.on('error' as 'drain', () => {});
  }

  dispatch(flight: UndiciFlight, rested: boolean): void {
    const { attempt } = flight;
    this.#rested = rested;
    const upgrades = attempt.upgrade !== null;
    this.#client.dispatch(
      {
        path: attempt.target,
        method: attempt.method,
        headers: flight.headers as string[],
        body: flight.body,
        upgrade: attempt.upgrade,
        // Explicit, or undici closes after every HEAD and every GET with a body.
        reset: upgrades || this.#closesAlways,
        // Saves undici a pass over its queue per response: there is never a second request in it.
        blocking: false,
        idempotent: false,
      },
      flight,
    );
  }
}
