import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ClientAddresses, canonicalAddress } from './client-address.ts';
import { Connections } from './connections.ts';
import { createHttp1Front, type Http1Front } from './fastify/http1.ts';
import type { FrontParts } from './front.ts';
import { Http2Connection } from './http2/connection.ts';
import type { DownstreamDeps, ListenerOptions } from './options.ts';
import { peek } from './peek.ts';
import { StreamFront } from './stream-front.ts';
import { TlsServer, tlsFactsOf } from './tls/server.ts';

export type {
  DownstreamDeps,
  DownstreamObserver,
  ListenerLimits,
  ListenerOptions,
  Refusal,
} from './options.ts';

/**
 * A port that Headgate listens on. It owns the sockets: it accepts, admits or closes them, terminates TLS, and hands each
 * connection to the front end of the protocol it speaks. The protocol servers never listen themselves.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #deps: DownstreamDeps;
  readonly #connections: Connections;
  readonly #addresses: ClientAddresses;
  readonly #parts: FrontParts;
  readonly #server: Server;
  readonly #tls: TlsServer | null;
  /** For connections that are forwarded as they are; `null` when there are none. */
  readonly #streams: StreamFront | null;
  #http1: Http1Front | null = null;
  #address: AddressInfo | null = null;

  /** Throws `RangeError` for a trusted proxy that is no network, `TypeError` when TLS has no certificates. */
  constructor(options: ListenerOptions, deps: DownstreamDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#connections = new Connections(options.limits, deps.clock);
    this.#addresses = new ClientAddresses(options);
    this.#parts = {
      options,
      handle: deps.handle,
      clock: deps.clock,
      log: deps.log,
      connections: this.#connections,
      addresses: this.#addresses,
    };
    this.#tls = options.tls ? this.#createTls() : null;
    this.#streams = options.kind === 'tcp' || options.passthrough ? this.#createStreams() : null;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  get name(): string {
    return this.#options.name;
  }

  get kind(): 'http' | 'tcp' {
    return this.#options.kind;
  }

  /** Where it listens; `null` before `open`. */
  get address(): AddressInfo | null {
    return this.#address;
  }

  /** Open TCP connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Listens. Rejects with the system's error (`EADDRINUSE`, `EACCES`) if it can't; it may be opened again then. */
  async open(): Promise<{ readonly port: number }> {
    this.#http1 ??= await createHttp1Front(this.#parts);
    await this.#listen();
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new TypeError('A listener has a TCP address');
    this.#address = address;
    return { port: address.port };
  }

  /** Stops listening; connections that are open stay. Cannot be undone. */
  pauseAccepting(): void {
    if (this.#server.listening) this.#server.close();
  }

  /**
   * Stops listening and lets every connection finish: idle ones close, responses in progress are the last of theirs,
   * HTTP/2 clients are told to go. Resolves when all have closed; what is left after `deadlineMs` is destroyed.
   */
  async drain(deadlineMs: number): Promise<void> {
    this.pauseAccepting();
    await this.#connections.drain(deadlineMs);
    await this.#http1?.close();
  }

  /** Stops at once: every connection is destroyed. Resolves when nothing of them is left. */
  async close(): Promise<void> {
    this.pauseAccepting();
    await this.#connections.close();
    await this.#http1?.close();
  }

  #listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen({ port: this.#options.port, host: this.#options.address }, () => {
      this.#server.removeListener('error', reject);
      // EMFILE while accepting: the connection is lost, the listener must not be.
      this.#server.on('error', (error) => this.#deps.log.broke(error));
      resolve();
    });
    return promise;
  }

  #accept(socket: Socket): void {
    // Before anything else: a reset at the wrong moment must not end the process.
    socket.on('error', ignoreError);
    const peer = canonicalAddress(socket.remoteAddress ?? '');
    const admission = this.#connections.admit(socket, peer);
    if (admission !== 'admitted') {
      this.#refused(peer, admission);
      socket.destroy();
      return;
    }
    if (this.#streams === null) this.#speak(socket, peer);
    else this.#stream(socket, peer, this.#streams);
  }

  /** Some or all connections are forwarded as they are. */
  #stream(socket: Socket, peer: string, streams: StreamFront): void {
    if (!this.#options.passthrough) {
      streams.accept(socket);
      return;
    }
    const { headTimeout } = this.#options.limits;
    peek(socket, { connections: this.#connections, timeoutMs: headTimeout }, (seen) => {
      if (!streams.route(socket, seen)) this.#speak(socket, peer);
    });
  }

  /** HTTP, with TLS or without. */
  #speak(socket: Socket, peer: string): void {
    if (this.#tls === null) this.#http1?.accept(socket, this.#addresses.ofConnection(socket, null));
    else this.#shakeHands(socket, peer, this.#tls);
  }

  #shakeHands(socket: Socket, peer: string, tls: TlsServer): void {
    // A client that hangs up during the handshake is gone; half-open is for after it, and the TLS socket's own affair.
    socket.allowHalfOpen = false;
    try {
      tls.shakeHands(socket, peer);
    } catch (bug) {
      this.#deps.log.broke(bug);
      socket.destroy();
    }
  }

  #createTls(): TlsServer {
    const { certificates, tlsPolicies } = this.#deps;
    if (certificates === null || tlsPolicies === null)
      throw new TypeError(`Cannot terminate TLS on listener "${this.name}": no certificates, or no policy`);
    return new TlsServer({
      certificates,
      policies: tlsPolicies,
      http2: this.#options.http2,
      connections: this.#connections,
      secured: (socket) => this.#secured(socket),
      failed: ({ reason, code }, peer, status) => {
        const detail = code === null ? {} : { detail: code };
        this.#deps.log.refused({ listener: this.name, peer, status, reason, ...detail });
      },
      broke: (error) => this.#deps.log.broke(error),
    });
  }

  #createStreams(): StreamFront {
    const { streams } = this.#deps;
    if (streams === null)
      throw new TypeError(`Cannot forward connections of listener "${this.name}": nobody takes them`);
    return new StreamFront({
      options: this.#options,
      streams,
      connections: this.#connections,
      clientOf: (socket) => this.#addresses.ofConnection(socket, null),
      refused: (socket, reason) => this.#refused(canonicalAddress(socket.remoteAddress ?? ''), reason),
    });
  }

  #secured(socket: TLSSocket): void {
    socket.on('error', ignoreError);
    const client = this.#addresses.ofConnection(socket, tlsFactsOf(socket));
    if (socket.alpnProtocol === 'h2') this.#connections.attach(new Http2Connection(socket, client, this.#parts));
    else this.#http1?.accept(socket, client);
  }

  #refused(peer: string, reason: string): void {
    this.#deps.log.refused({ listener: this.name, peer, status: 0, reason });
  }
}

/** What follows an error is `close`, and everybody who must know listens for that. */
function ignoreError(): void {}
