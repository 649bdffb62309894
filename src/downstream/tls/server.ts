import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, TLSSocket } from 'node:tls';
import type { CertificateSource, ServerCertificate } from '../../exchange/certificate.ts';
import type { TlsFacts } from '../../exchange/exchange.ts';
import type { TlsPolicySource } from '../../exchange/tls-policy.ts';
import type { Connections } from '../connections.ts';
import { refusalMessage } from '../refusal.ts';
import { SecureContexts } from './contexts.ts';
import { failureOf, type HandshakeFailure, INTERNAL_ERROR, UNRECOGNIZED_NAME } from './failure.ts';
import { Handshake, socketUnder } from './handshake.ts';

export interface TlsServerOptions {
  readonly certificates: CertificateSource;
  readonly policies: TlsPolicySource;
  /** Offer `h2` by ALPN. */
  readonly http2: boolean;
  /** Counts and tends the sockets. */
  readonly connections: Connections;
  secured(socket: TLSSocket): void;
  /** A handshake came to nothing; the peer was told what it could be told, with an HTTP status if not 0. */
  failed(failure: HandshakeFailure, peer: string, status: number): void;
  /** A certificate could not be made or used: a mistake on this side. */
  broke(error: unknown): void;
}

type SniDone = (error: Error | null, context?: SecureContext) => void;

/**
 * Terminates TLS on sockets that somebody else accepted; it never listens itself. TLS 1.2 at least (RFC 8996); the
 * protocol is agreed on by ALPN (RFC 7301), the certificate chosen by SNI. Versions, suites, tickets and client certificates
 * are those of the context a handshake begins with: what SNI picks later contributes its certificate and key alone.
 */
export class TlsServer {
  readonly #server: Server;
  readonly #options: TlsServerOptions;
  readonly #contexts: SecureContexts;
  readonly #handshakes = new WeakMap<Socket, Handshake>();

  constructor(options: TlsServerOptions) {
    this.#options = options;
    this.#contexts = new SecureContexts(options.policies);
    const choose = (handshake: Handshake | null, name: string, done: SniDone): void =>
      this.#choose(handshake, name, done);
    const handshakeOf = (socket: unknown): Handshake | null => this.#handshakeOf(socket);
    this.#server = createServer({
      allowHalfOpen: true,
      // Our own deadline is the one that counts: it is on the listener's clock. Node's would be 120 s.
      handshakeTimeout: 0x7fff_ffff,
      ALPNProtocols: options.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      SNICallback(this: unknown, name, done) {
        choose(handshakeOf(this), name.toLowerCase(), done);
      },
    });
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    this.#server.on('tlsClientError', (error, socket) => this.#failed(error, socket));
  }

  /** Begins the handshake on a freshly accepted socket: `secured` or `failed` follows, or neither for one that never spoke. */
  shakeHands(socket: Socket, peer: string): void {
    const { connections } = this.#options;
    const certificate = this.#certificateWithoutName();
    const handshake = new Handshake(socket, {
      peer,
      now: connections.now,
      nameless: certificate === null,
      tooLate: (late) => this.#end(late, { reason: 'handshake-timeout', code: null }, null),
    });
    this.#handshakes.set(socket, handshake);
    connections.attach(handshake);
    socket.once('close', () => connections.detach(handshake));
    // Clients that dial an IP address send no SNI, Node then never asks SNICallback but takes the server's own context, and
    // `setSecureContext` accepts PEM text alone. This is where Node keeps that context; a test holds us to it.
    const context = certificate === null ? this.#contexts.withoutCertificate() : this.#contexts.of(certificate);
    Reflect.set(this.#server, '_sharedCreds', context);
    this.#server.emit('connection', socket);
  }

  #certificateWithoutName(): ServerCertificate | null {
    const certificate = this.#options.certificates.certificateFor(null);
    if (certificate instanceof Promise)
      throw new TypeError('The certificate for clients without SNI is made beforehand');
    return certificate;
  }

  #choose(handshake: Handshake | null, serverName: string, done: SniDone): void {
    const answer = (certificate: ServerCertificate | null): void => {
      // Not by an error of `done`: Node would cut the line without a word.
      if (certificate !== null) done(null, this.#contexts.of(certificate));
      else this.#end(handshake, { reason: 'unrecognized-name', code: null }, UNRECOGNIZED_NAME);
    };
    const broke = (error: unknown): void => {
      this.#options.broke(error);
      this.#end(handshake, { reason: 'certificate-unavailable', code: null }, INTERNAL_ERROR);
    };
    try {
      const found = this.#options.certificates.certificateFor(serverName);
      if (found instanceof Promise) found.then(answer).catch(broke);
      else answer(found);
    } catch (error) {
      broke(error);
    }
  }

  #secured(socket: TLSSocket): void {
    const handshake = this.#handshakeOf(socket);
    if (handshake !== null) {
      handshake.over = true;
      this.#options.connections.detach(handshake);
    }
    this.#options.secured(socket);
  }

  #failed(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    socket.on('error', ignoreError);
    const handshake = this.#handshakeOf(socket);
    const failure = failureOf(error, handshake?.socket.bytesRead ?? 0);
    if (failure === null || handshake === null) {
      socket.destroy();
      return;
    }
    const { reason, code } = failure;
    if (reason === 'http-on-tls-port' || reason === 'not-tls') {
      // Most of what is not TLS is HTTP in a method or a mood that OpenSSL does not know, and a person who would like to know.
      this.#end(handshake, failure, refusalMessage(400, reason));
      return;
    }
    const unnamed = handshake.nameless && (reason === 'no-shared-cipher' || reason === 'no-shared-signature-algorithm');
    this.#end(handshake, unnamed ? { reason: 'unrecognized-name', code } : failure, null);
    socket.destroy();
  }

  /** Tells the peer, if there is something to tell, and the log; once. */
  #end(handshake: Handshake | null, failure: HandshakeFailure, words: string | Uint8Array | null): void {
    if (handshake === null || handshake.over) return;
    handshake.over = true;
    this.#options.failed(failure, handshake.peer, typeof words === 'string' && handshake.socket.writable ? 400 : 0);
    handshake.dismiss(words);
  }

  #handshakeOf(socket: unknown): Handshake | null {
    const under = socket instanceof TLSSocket ? socketUnder(socket) : null;
    return under === null ? null : (this.#handshakes.get(under) ?? null);
  }
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

/** What follows an error is `close`, and everybody who must know listens for that. */
function ignoreError(): void {}
