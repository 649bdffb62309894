import { connect, type Socket } from 'node:net';
import { within } from './patience.ts';

/** How an attacker's connection ended. */
export interface DribbleEnd {
  /** From its opening until it was closed. */
  readonly lastedMs: number;
  /** What the gateway said before. */
  readonly answer: string;
}

/** What an attacker sends: `first` at once, then `slow` byte by byte, one a second. */
export interface DribbleScript {
  readonly first: Uint8Array;
  readonly slow: Uint8Array;
}

/** One connection that wants to stay for ever. */
export class Dribble {
  readonly ended: Promise<DribbleEnd>;
  readonly #socket: Socket;

  constructor(port: number, { first, slow }: DribbleScript) {
    const { promise, resolve } = Promise.withResolvers<DribbleEnd>();
    this.ended = promise;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const began = performance.now();
    let answer = '';
    let next = 0;
    const send = (): void => {
      if (this.#socket.writable) this.#socket.write(slow.subarray(next, next + 1));
      next += 1;
    };
    // The pace is the attack.
    const timer = setInterval(send, 1_000);
    this.#socket.once('connect', () => this.#socket.write(first));
    this.#socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    // What follows an error is `close`.
    this.#socket.on('error', () => {});
    this.#socket.once('close', () => {
      clearInterval(timer);
      resolve({ lastedMs: performance.now() - began, answer });
    });
  }

  stop(): void {
    this.#socket.destroy();
  }
}

/** Runs a connection for each script to its end. All are stopped after `patienceMs`, and then it rejects. */
export async function dribbles(
  port: number,
  scripts: readonly DribbleScript[],
  patienceMs: number,
): Promise<DribbleEnd[]> {
  const attackers = scripts.map((script) => new Dribble(port, script));
  try {
    const all = Promise.all(attackers.map(({ ended }) => ended));
    return await within(all, `${scripts.length} slow connections to be closed`, patienceMs);
  } finally {
    for (const attacker of attackers) attacker.stop();
  }
}
