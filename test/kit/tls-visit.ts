import { type ConnectionOptions, connect } from 'node:tls';
import { inTime } from './deadline.ts';
import { stopAfterTest } from './stop.ts';

export interface Visit {
  /** The session was resumed: no certificate was shown. */
  readonly reused: boolean;
  /** The newest one that the server gave. */
  readonly session: Buffer | undefined;
  readonly protocol: string | null;
  readonly cipher: string;
  /** Of the key exchange: `X25519MLKEM768`. */
  readonly group: string | undefined;
  /** All that came back, latin1. */
  readonly text: string;
}

export interface VisitOptions extends ConnectionOptions {
  readonly port: number;
  /** Header lines, each with CRLF. */
  readonly lines?: string;
}

/** One connection with one `GET /` on it, up to its end. Any certificate is trusted. Rejects when the handshake fails. */
export function visit(options: VisitOptions): Promise<Visit> {
  const { port, lines, ...rest } = options;
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, servername: 'shop.test', ...rest });
  stopAfterTest(() => socket.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<Visit>();
  let session: Buffer | undefined;
  let text = '';
  let facts: Omit<Visit, 'session' | 'text'> | null = null;
  socket.on('session', (ticket) => {
    session = ticket;
  });
  socket.on('secureConnect', () => {
    // A ticket that takes the place of another one in a TLS 1.2 handshake comes without an event.
    if (socket.getProtocol() === 'TLSv1.2') session = socket.getSession();
    const key = socket.getEphemeralKeyInfo() as { readonly name?: string } | null;
    facts = {
      reused: socket.isSessionReused(),
      protocol: socket.getProtocol(),
      cipher: socket.getCipher().standardName,
      group: key?.name,
    };
    socket.write(`GET / HTTP/1.1\r\nHost: shop.test\r\n${lines ?? ''}Connection: close\r\n\r\n`);
  });
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', reject);
  socket.on('close', () => {
    if (facts === null) reject(new Error('The connection was closed in the middle of the handshake'));
    else resolve({ ...facts, session, text });
  });
  return inTime(promise, 'a visit');
}
