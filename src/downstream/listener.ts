import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Client, TlsFacts } from '../exchange/exchange.ts';
import { UNIX_PEER } from '../http/forwarded.ts';
import { Binding, type BindingParts } from './binding.ts';
import { ClientAddresses } from './client-address.ts';
import { Connections } from './connections.ts';
import { createHttp1Front, type Http1Front } from './fastify/http1.ts';
import { LaneConnection } from './fastlane/connection.ts';
import { laneSocketOf } from './fastlane/lane-socket.ts';
import type { FrontParts } from './front.ts';
import { Http2Connection } from './http2/connection.ts';
import { awaitPreface } from './http2/preface.ts';
import type { DownstreamDeps, ListenerOptions } from './options.ts';
import { type Peeked, peek } from './peek.ts';
import type { ProxyHeader } from './proxy-protocol/header.ts';
import { readProxyHeader } from './proxy-protocol/read.ts';
import { StreamFront } from './stream-front.ts';
import { ChallengeServer } from './tls/challenge-server.ts';
import { socketUnder } from './tls/handshake.ts';
import { TlsServer } from './tls/server.ts';

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
  /** `null` once another listener has taken it over. */
  #binding: Binding | null;
  readonly #tls: TlsServer | null;
  /** For connections that are forwarded as they are; `null` when there are none. */
  readonly #streams: StreamFront | null;
  /** What the raw sockets of trusted peers began with. */
  readonly #proxied = new WeakMap<Socket, ProxyHeader>();
  /** For certificate authorities; `null` when none would ask. */
  readonly #challenges: ChallengeServer | null;
  /** Whoever connects speaks HTTP/1.1 from the first byte on, so that the fast lane may read the socket its own way. */
  readonly #lanesFromStart: boolean;
  #http1: Http1Front | null = null;

  /** Throws `RangeError` for a trusted proxy that is no network, `TypeError` when TLS has no certificates. */
  constructor(options: ListenerOptions, deps: DownstreamDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#connections = new Connections(options.limits, deps.clock);
    this.#addresses = new ClientAddresses(options, options.place.kind);
    this.#parts = {
      options,
      handle: deps.handle,
      clock: deps.clock,
      log: deps.log,
      connections: this.#connections,
      addresses: this.#addresses,
    };
    this.#tls = options.tls ? this.#createTls() : null;
    this.#challenges = options.tls ? this.#createChallenges() : null;
    this.#streams = options.kind === 'tcp' || options.passthrough ? this.#createStreams() : null;
    const { fastLane, tls, h2c, proxyProtocol } = options;
    this.#lanesFromStart = fastLane && !tls && !h2c && !proxyProtocol && this.#streams === null;
    this.#binding = new Binding(options.place, this.#bindingParts);
  }

  get #bindingParts(): BindingParts {
    return { accepted: (socket) => this.#accept(socket), broke: (error) => this.#deps.log.broke(error) };
  }

  get name(): string {
    return this.#options.name;
  }

  get kind(): 'http' | 'tcp' {
    return this.#options.kind;
  }

  /** Open TCP connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Listens; the port is `null` on a Unix socket. Rejects with the system's error (`EADDRINUSE`, `EACCES`) if it can't; it
   * may be opened again then. It listens on `inherited` sockets in place of one of its own.
   */
  async open(inherited: readonly number[] = []): Promise<{ readonly port: number | null }> {
    await this.prepare();
    if (this.#binding === null) throw new TypeError(`Cannot open listener "${this.name}": its socket is another's`);
    return this.#binding.open(inherited);
  }

  /** Everything of `open` but listening. */
  async prepare(): Promise<void> {
    if (this.kind === 'http') this.#http1 ??= await createHttp1Front(this.#parts);
  }

  /**
   * In place of `open`, after `prepare`: takes the listening socket of `before`, which listens at the same place, so that nobody
   * is refused a connection meanwhile. `before` keeps the connections that it has accepted, and gets no more.
   */
  takeOver(before: Listener): void {
    this.#binding = before.#binding;
    before.#binding = null;
    this.#binding?.handTo(this.#bindingParts, this.#options.place);
  }

  /** Listens on one more socket, which is bound already, until `release`. Rejects with the system's error for what is none. */
  async adopt(fd: number): Promise<void> {
    await this.#binding?.adopt(fd);
  }

  release(fd: number): void {
    this.#binding?.release(fd);
  }

  /** Stops listening; connections that are open stay. Cannot be undone. */
  pauseAccepting(): void {
    this.#binding?.close();
  }

  /**
   * Stops listening and lets every connection finish: idle ones close, responses that begin from now on are the last of theirs,
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

  #accept(accepted: Socket): void {
    const socket = this.#lanesFromStart ? laneSocketOf(accepted) : accepted;
    // Before anything else: a reset at the wrong moment must not end the process.
    socket.on('error', ignoreError);
    const peer = this.#addresses.peerOf(socket);
    const trusted = this.#addresses.isTrusted(peer);
    const admission = this.#connections.admit(socket, trusted || peer === UNIX_PEER ? null : peer);
    if (admission !== 'admitted') this.#turnAway(socket, admission);
    else if (trusted && this.#options.proxyProtocol) this.#awaitProxyHeader(socket);
    else this.#begin(socket, peer);
  }

  #awaitProxyHeader(socket: Socket): void {
    readProxyHeader(socket, {
      connections: this.#connections,
      timeoutMs: this.#options.limits.headTimeout,
      read: (header) => this.#introduced(socket, header),
      refused: (reason) => this.#refused(socket, reason),
    });
  }

  /** Only now it is known whose connection this is. */
  #introduced(socket: Socket, header: ProxyHeader): void {
    this.#proxied.set(socket, header);
    const { peer, trusted } = this.#addresses.ofConnection(socket, null, header);
    if (header.kind === 'relayed' && !trusted && peer !== UNIX_PEER) {
      const admission = this.#connections.attribute(socket, peer);
      if (admission !== 'admitted') {
        this.#turnAway(socket, admission);
        return;
      }
    }
    this.#begin(socket, peer);
  }

  /** The first byte to come is the client's own. */
  #begin(socket: Socket, peer: string): void {
    if (this.#streams !== null) this.#stream(socket, peer, this.#streams);
    else if (this.#challenges?.pending === true) this.#peek(socket, (seen) => this.#speakOrProve(socket, peer, seen));
    else this.#speak(socket, peer);
  }

  /** Some or all connections are forwarded as they are. */
  #stream(socket: Socket, peer: string, streams: StreamFront): void {
    if (!this.#options.passthrough) {
      streams.accept(socket);
      return;
    }
    this.#peek(socket, (seen) => {
      if (!streams.route(socket, seen)) this.#speakOrProve(socket, peer, seen);
    });
  }

  #peek(socket: Socket, done: (seen: Peeked) => void): void {
    peek(socket, { connections: this.#connections, timeoutMs: this.#options.limits.headTimeout }, done);
  }

  /** A certificate authority may be asking for proof that a name is ours. */
  #speakOrProve(socket: Socket, peer: string, seen: Peeked): void {
    if (this.#challenges?.accept(socket, seen) !== true) this.#speak(socket, peer);
  }

  /** HTTP, with TLS or without. */
  #speak(socket: Socket, peer: string): void {
    if (this.#tls !== null) this.#shakeHands(socket, peer, this.#tls);
    else if (this.#options.h2c) this.#awaitPreface(socket);
    else this.#speakHttp1(socket, this.#clientOn(socket, null));
  }

  #speakHttp1(socket: Socket, client: Client): void {
    const http1 = this.#http1;
    if (http1 === null) return;
    if (this.#options.fastLane) new LaneConnection(socket, client, this.#parts, http1.accept).start();
    else http1.accept(socket, client);
  }

  #awaitPreface(socket: Socket): void {
    awaitPreface(socket, {
      connections: this.#connections,
      timeoutMs: this.#options.limits.headTimeout,
      done: (protocol) => {
        const client = this.#clientOn(socket, null);
        if (protocol === 'http2') {
          this.#connections.attach(new Http2Connection(socket, client, this.#parts));
          return;
        }
        this.#speakHttp1(socket, client);
      },
      late: (bytesRead) => this.#refused(socket, bytesRead === 0 ? 'no-request' : 'head-timeout'),
    });
  }

  #clientOn(socket: Socket, tls: TlsFacts | null): Client {
    return this.#addresses.ofConnection(socket, tls, this.#options.proxyProtocol ? this.#proxied.get(socket) : null);
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
      now: () => this.#deps.clock.now(),
      secured: (socket, facts) => this.#secured(socket, facts),
      failed: ({ reason, code }, peer, status) => {
        const detail = code === null ? {} : { detail: code };
        this.#deps.log.refused({ listener: this.name, peer, status, reason, ...detail });
      },
      broke: (error) => this.#deps.log.broke(error),
    });
  }

  #createChallenges(): ChallengeServer | null {
    const { tlsChallenges } = this.#deps;
    if (tlsChallenges === null) return null;
    return new ChallengeServer(tlsChallenges, (socket) => this.#refused(socket, 'acme-challenge-failed'));
  }

  #createStreams(): StreamFront {
    const { streams } = this.#deps;
    if (streams === null)
      throw new TypeError(`Cannot forward connections of listener "${this.name}": nobody takes them`);
    return new StreamFront({
      options: this.#options,
      streams,
      connections: this.#connections,
      clientOf: (socket) => this.#clientOn(socket, null),
      refused: (socket, reason) => this.#refused(socket, reason),
    });
  }

  #secured(socket: TLSSocket, facts: TlsFacts): void {
    socket.on('error', ignoreError);
    const client = this.#clientOn(socketUnder(socket) ?? socket, facts);
    if (facts.refusal !== null)
      this.#deps.log.refused({ listener: this.name, peer: client.peer, status: 400, reason: facts.refusal });
    if (socket.alpnProtocol === 'h2') this.#connections.attach(new Http2Connection(socket, client, this.#parts));
    else this.#speakHttp1(socket, client);
  }

  #turnAway(socket: Socket, reason: string): void {
    this.#refused(socket, reason);
    socket.destroy();
  }

  #refused(socket: Socket, reason: string): void {
    const { peer } = this.#clientOn(socket, null);
    this.#deps.log.refused({ listener: this.name, peer, status: 0, reason });
  }
}

/** What follows an error is `close`, and everybody who must know listens for that. */
function ignoreError(): void {}
