import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { TlsFacts } from '../exchange/exchange.ts';
import type { CertificateSource } from './options.ts';

/** A peer that has not finished its handshake by then is closed. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * A TLS server that never listens: accepted sockets are handed to it by `startHandshake`. TLS 1.2 at least (RFC 8996);
 * the protocol is agreed on by ALPN (RFC 7301).
 */
export function createTlsServer(certificates: CertificateSource, http2: boolean): Server {
  return createServer({
    allowHalfOpen: true,
    minVersion: 'TLSv1.2',
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ALPNProtocols: http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    SNICallback: (name, done) => {
      try {
        done(null, certificates.contextFor(name.toLowerCase()));
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    },
  });
}

/** Begins the handshake on a freshly accepted socket: `secureConnection` or `tlsClientError` follows on `server`. */
export function startHandshake(server: Server, socket: Socket, certificates: CertificateSource): void {
  // Clients that dial an IP address send no SNI, Node then never asks SNICallback but takes the server's own context, and
  // `setSecureContext` accepts PEM text alone. This is where Node keeps that context; a test holds us to it.
  Reflect.set(server, '_sharedCreds', certificates.contextFor(null));
  server.emit('connection', socket);
}

/** What the log and the routes want to know of a finished handshake. */
export function tlsFactsOf(socket: TLSSocket): TlsFacts {
  const { servername } = socket;
  return {
    serverName: typeof servername === 'string' && servername !== '' ? servername.toLowerCase() : null,
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
  };
}
