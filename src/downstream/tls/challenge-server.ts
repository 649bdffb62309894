import type { Socket } from 'node:net';
import { createSecureContext, createServer, type SecureContext, type Server } from 'node:tls';
import type { TlsChallenges } from '../../exchange/certificate.ts';
import type { Peeked } from '../peek.ts';
import { HANDSHAKE_TIMEOUT_MS, socketUnder } from './handshake.ts';

/** What an authority offers by ALPN, and nobody else (RFC 8737 §3). */
const ACME_PROTOCOL = 'acme-tls/1';

/**
 * Shows challenge certificates to authorities: TLS with `acme-tls/1` and nothing else on sockets that somebody else accepted.
 * The certificate is all there is to see, so the connection is closed as soon as hands are shaken.
 */
export class ChallengeServer {
  readonly #challenges: TlsChallenges;
  readonly #server: Server;

  /** `failed` hears of each handshake that came to nothing. */
  constructor(challenges: TlsChallenges, failed: (socket: Socket) => void) {
    this.#challenges = challenges;
    this.#server = createServer({
      // RFC 8737 §4: TLS 1.2 or higher.
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      ALPNProtocols: [ACME_PROTOCOL],
      SNICallback: (name, done) => done(null, this.#contextFor(name.toLowerCase())),
    });
    this.#server.on('secureConnection', (socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(() => socket.destroySoon());
    });
    this.#server.on('tlsClientError', (_error, socket) => {
      socket.on('error', () => {});
      failed(socketUnder(socket) ?? socket);
      socket.destroy();
    });
  }

  /** While false, connections need not be looked at. */
  get pending(): boolean {
    return this.#challenges.pending;
  }

  /** Takes a connection that begins with `seen` if an authority opened it; `false` leaves it to the caller. */
  accept(socket: Socket, seen: Peeked): boolean {
    if (!this.pending || seen.kind !== 'hello' || !seen.alpn.includes(ACME_PROTOCOL)) return false;
    socket.allowHalfOpen = false;
    this.#server.emit('connection', socket);
    return true;
  }

  /** Without one, OpenSSL has no certificate to show and ends the handshake. */
  #contextFor(serverName: string): SecureContext | undefined {
    const pair = this.#challenges.certificateFor(serverName);
    return pair === null ? undefined : createSecureContext({ cert: pair.certificate, key: pair.key });
  }
}
