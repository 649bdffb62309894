import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, TLSSocket } from 'node:tls';
import { GatewayError } from '../../errors.ts';
import type { CertificateSource, ServerCertificate } from '../../exchange/certificate.ts';
import type { TlsFacts } from '../../exchange/exchange.ts';
import type { TlsPolicySource } from '../../exchange/tls-policy.ts';
import type { Connections } from '../connections.ts';
import { peek } from '../peek.ts';
import { refusalMessage } from '../refusal.ts';
import { ClientCertificates } from './client-certificate.ts';
import { comparableName } from './client-hello.ts';
import { SecureContexts } from './contexts.ts';
import { tlsFactsOf } from './facts.ts';
import { failureOf, type HandshakeFailure, INTERNAL_ERROR, UNRECOGNIZED_NAME } from './failure.ts';
import { HANDSHAKE_TIMEOUT_MS, Handshake, socketUnder } from './handshake.ts';

export interface TlsServerOptions {
  readonly certificates: CertificateSource;
  readonly policies: TlsPolicySource;
  /** Offer `h2` by ALPN. */
  readonly http2: boolean;
  /** Counts and tends the sockets. */
  readonly connections: Connections;
  /** Milliseconds since the epoch. */
  now(): number;
  secured(socket: TLSSocket, facts: TlsFacts): void;
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
  readonly #clientCertificates = new ClientCertificates();
  readonly #handshakes = new WeakMap<Socket, Handshake>();
  /** What has been chosen for the handshake that Node is asking about right now. */
  #shown: ServerCertificate | null = null;

  constructor(options: TlsServerOptions) {
    this.#options = options;
    this.#contexts = new SecureContexts(options.policies);
    const choose = (handshake: Handshake | null, name: string, done: SniDone): void => {
      if (handshake?.chosen == null) this.#choose(handshake, name, done);
      else this.#show(handshake.chosen, null, done);
    };
    const handshakeOf = (socket: unknown): Handshake | null => this.#handshakeOf(socket);
    this.#server = createServer({
      allowHalfOpen: true,
      // Our own deadline is the one that counts: it is on the listener's clock. Node's would be 120 s.
      handshakeTimeout: 0x7fff_ffff,
      // What becomes of a certificate that does not verify is decided when the handshake is over, see `facts.ts`.
      requestCert: options.policies.current().clientCertificates !== null,
      rejectUnauthorized: false,
      ALPNProtocols: options.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      SNICallback(this: unknown, name, done) {
        choose(handshakeOf(this), comparableName(name), done);
      },
    });
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    this.#server.on('OCSPRequest', (_certificate, _issuer, done) => this.#staple(done));
    this.#server.on('tlsClientError', (error, socket) => this.#failed(error, socket));
  }

  /** Begins the handshake on a freshly accepted socket: `secured` or `failed` follows, or neither for one that never spoke. */
  shakeHands(socket: Socket, peer: string): void {
    if (this.#options.certificates.hasSeveralKeys === true) this.#peekFirst(socket, peer);
    else this.#begin(socket, peer, null);
  }

  /** Of what SNI picks Node takes one pair alone. For clients to have the choice, the handshake begins with all of them. */
  #peekFirst(socket: Socket, peer: string): void {
    const { connections, certificates, broke, failed } = this.#options;
    peek(socket, { connections, timeoutMs: HANDSHAKE_TIMEOUT_MS }, (seen) => {
      if (seen.kind === 'too-late') {
        failed({ reason: 'handshake-timeout', code: null }, peer, 0);
        socket.destroy();
        return;
      }
      try {
        const name = seen.kind === 'hello' ? seen.serverName : null;
        const found = name === null ? null : certificates.certificateFor(name);
        // The handshake asks again, and tells what becomes of it.
        if (found instanceof Promise) found.catch(() => {});
        const several = found === null || found instanceof Promise || found.pairs.length === 1 ? null : found;
        this.#begin(socket, peer, several);
      } catch (error) {
        broke(error);
        socket.destroy();
      }
    });
  }

  #begin(socket: Socket, peer: string, chosen: ServerCertificate | null): void {
    const { connections } = this.#options;
    const context = this.#contextToBegin(chosen ?? this.#certificateWithoutName());
    const handshake = new Handshake(socket, {
      peer,
      chosen: context === null ? null : chosen,
      now: connections.now,
      nameless: context === null,
      tooLate: (late) => this.#end(late, { reason: 'handshake-timeout', code: null }, null),
    });
    this.#handshakes.set(socket, handshake);
    connections.attach(handshake);
    socket.once('close', () => connections.detach(handshake));
    // Clients that dial an IP address send no SNI, Node then never asks SNICallback but takes the server's own context, and
    // `setSecureContext` accepts PEM text alone. This is where Node keeps that context; a test holds us to it.
    Reflect.set(this.#server, '_sharedCreds', context ?? this.#contexts.withoutCertificate());
    this.#server.emit('connection', socket);
  }

  /** `null` when there is none: one that can't be used is nobody's business but of those who would be shown it. */
  #contextToBegin(certificate: ServerCertificate | null): SecureContext | null {
    try {
      return certificate === null ? null : this.#contexts.of(certificate);
    } catch (error) {
      this.#options.broke(error);
      return null;
    }
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
      if (certificate !== null) this.#show(certificate, this.#contexts.of(certificate), done);
      else this.#end(handshake, { reason: 'unrecognized-name', code: null }, UNRECOGNIZED_NAME);
    };
    const broke = (error: unknown): void => {
      const expected = error instanceof GatewayError;
      if (!expected) this.#options.broke(error);
      const reason = expected ? error.reason : 'certificate-unavailable';
      this.#end(handshake, { reason, code: null }, INTERNAL_ERROR);
    };
    try {
      const found = this.#options.certificates.certificateFor(serverName);
      if (found instanceof Promise) found.then(answer).catch(broke);
      else answer(found);
    } catch (error) {
      broke(error);
    }
  }

  /** `null` for the context that the handshake has begun with. */
  #show(certificate: ServerCertificate, context: SecureContext | null, done: SniDone): void {
    // Within `done` Node asks for the OCSP response, without a word of whose handshake it is.
    this.#shown = certificate;
    if (context === null) done(null);
    else done(null, context);
    this.#shown = null;
  }

  #staple(done: (error: Error | null, response: Buffer) => void): void {
    const certificate = this.#shown ?? this.#certificateWithoutName();
    const response = certificate?.ocspResponse?.() ?? null;
    // No response is `null`, whatever the types say.
    done(null, response as Buffer);
  }

  #secured(socket: TLSSocket): void {
    const handshake = this.#handshakeOf(socket);
    if (handshake !== null) {
      handshake.over = true;
      this.#options.connections.detach(handshake);
    }
    const { policies, now, secured, broke } = this.#options;
    const policy = policies.current().clientCertificates;
    try {
      secured(socket, tlsFactsOf(socket, { policy, certificates: this.#clientCertificates, now: now() }));
    } catch (bug) {
      // Certificates come from strangers: what one of them holds that nobody thought of ends a connection, not the process.
      broke(bug);
      socket.on('error', ignoreError);
      socket.destroy();
    }
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
      this.#end(handshake, failure, refusalMessage(400, reason, null));
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

/** What follows an error is `close`, and everybody who must know listens for that. */
function ignoreError(): void {}
