import { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ServerCertificate } from '../../exchange/certificate.ts';
import { SWEEP_MS, type Tended } from '../connections.ts';

/** A peer that has not finished its handshake by then is closed. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface HandshakeParts {
  readonly peer: string;
  /** Monotonic time of its begin. */
  readonly now: number;
  readonly nameless: boolean;
  readonly chosen: ServerCertificate | null;
  readonly tooLate: (handshake: Handshake) => void;
}

/** A TLS handshake on its way, on the TCP socket below it. Ends at most once: by success, or by one reason to refuse it. */
export class Handshake implements Tended {
  /** Somebody has said what became of it; what is heard of it later is only an echo. */
  over = false;
  /** Address of whoever dialled; the socket forgets it when it closes. */
  readonly peer: string;
  /** No certificate is meant for a client that names no server. */
  readonly nameless: boolean;
  /** What it has begun with, if that was chosen by the server name already. */
  readonly chosen: ServerCertificate | null;
  readonly socket: Socket;
  readonly #since: number;
  readonly #tooLate: (handshake: Handshake) => void;

  constructor(socket: Socket, parts: HandshakeParts) {
    this.socket = socket;
    this.peer = parts.peer;
    this.nameless = parts.nameless;
    this.chosen = parts.chosen;
    this.#since = parts.now;
    this.#tooLate = parts.tooLate;
  }

  tend(nowMs: number): void {
    if (!this.over && nowMs - this.#since >= HANDSHAKE_TIMEOUT_MS + SWEEP_MS) this.#tooLate(this);
  }

  /** A client that is just shaking hands will be asked to go when it has. */
  retire(): void {}

  /** Writes the last thing that this peer will hear of us, in the clear. */
  dismiss(words: string | Uint8Array | null): void {
    const { socket } = this;
    if (words === null || !socket.writable) socket.destroy();
    else if (typeof words === 'string') socket.end(words, 'latin1', () => socket.destroySoon());
    else socket.end(words, () => socket.destroySoon());
  }
}

/** The TCP socket under a TLS socket of ours. Node keeps it where `net.Socket` looks for it, without a word; a test holds us to it. */
export function socketUnder(socket: TLSSocket): Socket | null {
  const parent: unknown = Reflect.get(socket, '_parent');
  return parent instanceof Socket ? parent : null;
}
