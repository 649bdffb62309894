import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';

/** After a last response, what the client is still sending is read and dropped for this long (RFC 9112 §9.6). */
const LINGER_MS = 2_000;

/**
 * Ends our side of a connection whose client may still be sending, and destroys it after `LINGER_MS`. At once would be a reset,
 * which takes the response from a client that has not read it yet. Whoever reads the socket goes on, and drops what comes.
 */
export function linger(socket: Socket, clock: Clock): void {
  socket.end();
  const timer = clock.after(LINGER_MS, () => socket.destroy());
  socket.once('close', () => clock.cancel(timer));
}
