import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import type { CertificateSource, ServerCertificate } from '../../exchange/certificate.ts';
import type { TlsFacts } from '../../exchange/exchange.ts';
import { SecureContexts } from './contexts.ts';

/** A peer that has not finished its handshake by then is closed. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface TlsServerOptions {
  readonly certificates: CertificateSource;
  /** Offer `h2` by ALPN. */
  readonly http2: boolean;
  secured(socket: TLSSocket): void;
  failed(error: NodeJS.ErrnoException, socket: TLSSocket): void;
}

/**
 * Terminates TLS on sockets that somebody else accepted; it never listens itself. TLS 1.2 at least (RFC 8996); the
 * protocol is agreed on by ALPN (RFC 7301), the certificate chosen by SNI.
 */
export class TlsServer {
  readonly #server: Server;
  readonly #certificates: CertificateSource;
  readonly #contexts = new SecureContexts();

  constructor(options: TlsServerOptions) {
    this.#certificates = options.certificates;
    this.#server = createServer({
      allowHalfOpen: true,
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      ALPNProtocols: options.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      SNICallback: (name, done) => this.#choose(name.toLowerCase(), done),
    });
    this.#server.on('secureConnection', options.secured);
    this.#server.on('tlsClientError', options.failed);
  }

  /** Begins the handshake on a freshly accepted socket: `secured` or `failed` follows. */
  shakeHands(socket: Socket): void {
    // Clients that dial an IP address send no SNI, Node then never asks SNICallback but takes the server's own context, and
    // `setSecureContext` accepts PEM text alone. This is where Node keeps that context; a test holds us to it.
    Reflect.set(this.#server, '_sharedCreds', this.#withoutName());
    this.#server.emit('connection', socket);
  }

  #withoutName(): SecureContext | undefined {
    const certificate = this.#certificates.certificateFor(null);
    if (certificate instanceof Promise)
      throw new TypeError('The certificate for clients without SNI is made beforehand');
    return certificate === null ? undefined : this.#contexts.of(certificate);
  }

  #choose(serverName: string, done: (error: Error | null, context?: SecureContext) => void): void {
    const answer = (certificate: ServerCertificate | null): void => {
      if (certificate === null) done(new Error('unrecognized_name'));
      else done(null, this.#contexts.of(certificate));
    };
    try {
      const found = this.#certificates.certificateFor(serverName);
      if (found instanceof Promise) found.then(answer).catch((error: unknown) => done(asError(error)));
      else answer(found);
    } catch (error) {
      done(asError(error));
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
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
