import { connect, type Socket } from 'node:net';
import type { Activity } from './activity.ts';
import type { ClientStep } from './case.ts';
import { type Sight, Sights } from './observation.ts';

/** The client of one run of one case. */
export class SlotClient {
  readonly #socket: Socket;
  readonly #sights = new Sights();
  readonly #steps: ClientStep[];
  readonly #fill: (text: string) => string;

  constructor(
    steps: readonly ClientStep[],
    parts: { port: number; activity: Activity; round: () => number; fill: (text: string) => string },
  ) {
    this.#steps = [...steps];
    this.#fill = parts.fill;
    const note = (kind: Sight['kind'], text = ''): void => {
      parts.activity.noted();
      this.#sights.note(parts.round(), kind, text);
    };
    this.#socket = connect({ port: parts.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.#socket.on('error', () => note('reset'));
    this.#socket.on('connect', () => parts.activity.noted());
    this.#socket.on('data', (chunk) => note('data', chunk.toString('latin1')));
    this.#socket.on('end', () => note('fin'));
    this.#socket.on('close', () => note('closed'));
  }

  get sights(): readonly Sight[] {
    return this.#sights.all;
  }

  /** Does the next deed. False: there is none. */
  step(): boolean {
    const deed = this.#steps.shift();
    if (deed === undefined) return false;
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return true;
    if (deed === 'fin') socket.end();
    else if (deed === 'rst') socket.resetAndDestroy();
    else if (deed.send !== '') socket.write(this.#fill(deed.send), 'latin1');
    return true;
  }

  /** The case is over. */
  leave(): void {
    this.#socket.destroy();
  }
}
