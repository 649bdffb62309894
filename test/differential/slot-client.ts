import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Activity } from './activity.ts';
import type { ClientStep } from './case.ts';
import { type Sight, Sights } from './observation.ts';

/** The client of one run of one case. */
export class SlotClient {
  /** Resolves also if that has failed. */
  readonly connected: Promise<void>;
  readonly #socket: Socket;
  /** Beneath TLS another one. */
  readonly #tcp: Socket;
  readonly #sights = new Sights();
  readonly #steps: ClientStep[];
  readonly #fill: (text: string) => string;

  constructor(
    steps: readonly ClientStep[],
    parts: { port: number; activity: Activity; round: () => number; fill: (text: string) => string; tls: boolean },
  ) {
    this.#steps = [...steps];
    this.#fill = parts.fill;
    const note = (kind: Sight['kind'], text = ''): void => {
      parts.activity.noted();
      this.#sights.note(parts.round(), kind, text);
    };
    const tcp = connect({ port: parts.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.#tcp = tcp;
    const secure = { socket: tcp, ALPNProtocols: ['http/1.1'], allowHalfOpen: true, rejectUnauthorized: false };
    this.#socket = parts.tls ? connectTls(secure) : tcp;
    if (parts.tls) tcp.on('error', () => {});
    const { promise, resolve } = Promise.withResolvers<void>();
    this.connected = promise;
    this.#socket.on(parts.tls ? 'secureConnect' : 'connect', resolve);
    this.#socket.on('close', resolve);
    this.#socket.on('error', () => note('reset'));
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
    if (deed === 'stop reading') socket.pause();
    else if (deed === 'read') socket.resume();
    else if (socket.destroyed || socket.writableEnded) return true;
    else if (deed === 'fin') socket.end();
    else if (deed === 'rst') this.#tcp.resetAndDestroy();
    else if (deed.send !== '') socket.write(this.#fill(deed.send), 'latin1');
    return true;
  }

  /** The case is over. */
  leave(): void {
    this.#socket.destroy();
  }
}
