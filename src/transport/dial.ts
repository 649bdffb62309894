import { connect as connectTcp, type IpcNetConnectOpts, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import { checkServerIdentity, connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import type { Clock, TimerHandle } from '../clock.ts';
import type { GatewayError } from '../errors.ts';
import type { Destination, UpstreamTls } from '../exchange/attempt.ts';
import { type DialPhase, dialFailure, dialTimeout } from './failure.ts';
import type { SocketReader } from './h1/socket-reader.ts';

/** An address gets this long before the next one of the same name is tried. Node's 250 ms never reach a distant endpoint. */
const ADDRESS_TIMEOUT_MS = 1000;
/** TCP keep-alive probes find dead peers of long quiet streams. */
const PROBE_AFTER_MS = 60_000;

/** What TLS connections to one destination share: roots are parsed once, sessions resumed. */
export class TlsClient {
  readonly #tls: UpstreamTls;
  readonly #protocols: readonly string[];
  #context: SecureContext | null = null;
  #session: Buffer | null = null;

  /** `protocols` are those that are offered (RFC 7301), the preferred one first: `http/1.1`, `h2`. */
  constructor(tls: UpstreamTls, protocols: readonly string[] = ['http/1.1']) {
    this.#tls = tls;
    this.#protocols = protocols;
  }

  /** Connects; the socket emits `secureConnect` only once the certificate was accepted. */
  connect(options: ConnectOptions | { readonly socket: Socket }): Socket {
    const { serverName, insecure, ca, identity = null } = this.#tls;
    // RFC 6066 §3: no IP address in SNI. The certificate is held against `serverName` all the same.
    const servername = isIP(serverName) === 0 ? serverName : '';
    this.#context ??= createSecureContext({
      ...(ca === null ? {} : { ca }),
      ...(identity === null ? {} : { cert: identity.certificate, key: identity.key }),
    });
    const socket = connectTls({
      ...options,
      servername,
      secureContext: this.#context,
      ALPNProtocols: [...this.#protocols],
      rejectUnauthorized: !insecure,
      checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
      ...(this.#session === null ? {} : { session: this.#session }),
    });
    socket.on('session', (session) => {
      // A resumed session is not held against the name again: never keep one of a certificate that was refused.
      if (insecure || socket.authorized) this.#session = session;
    });
    return socket;
  }
}

type ConnectOptions = TcpNetConnectOpts | IpcNetConnectOpts;

export interface DialParts {
  readonly tls: TlsClient | null;
  readonly clock: Clock;
  readonly outcome: DialOutcome;
  /** Written before anything else, TLS included: one byte for each character (`proxyHeader`). `null` for nothing. */
  readonly preamble: string | null;
  /** Reads the socket in place of its stream. Default: none. */
  readonly reader?: SocketReader | null;
}

export interface DialOutcome {
  dialled(dial: Dial, socket: Socket): void;
  notDialled(dial: Dial, error: GatewayError): void;
}

/** One connection being made, within `connectTimeoutMs` from name to handshake. Reports once, never synchronously. */
export class Dial {
  readonly reader: SocketReader | null;
  readonly #outcome: DialOutcome;
  readonly #clock: Clock;
  #socket: Socket;
  #timer: TimerHandle | null = null;
  readonly #startedAt: number;
  #phase: DialPhase;
  #over = false;
  /** From the start until it was ready; 0 before. */
  tookMs = 0;
  /** Time of the TCP handshake: as long as a round trip. 0 before, and for Unix sockets. */
  roundTripMs = 0;

  /** May throw on a destination that can't be dialled at all, such as port 70000. */
  constructor(destination: Destination, parts: DialParts) {
    this.#outcome = parts.outcome;
    this.#clock = parts.clock;
    const { tls, preamble, clock, reader = null } = parts;
    this.reader = reader;
    this.#startedAt = clock.monotonic();
    let tcpAt = this.#startedAt;
    const options = connectOptions(destination);
    this.#phase = 'host' in options && isIP(options.host ?? '') === 0 ? 'dns' : 'tcp';
    // Node has no way to say anything between connecting and the handshake, so with a preamble they are two steps. The second socket
    // has no `onread` then (https://nodejs.org/api/tls.html#tlsconnectoptions-callback): its reader goes by events.
    if (reader !== null && (tls === null || preamble === null)) options.onread = reader.take();
    this.#socket = tls === null || preamble !== null ? connectTcp(options) : tls.connect(options);
    // Before anything else: a socket without this listener ends the process when it fails.
    this.#socket.on('error', this.#onError);
    this.#socket.setKeepAlive(true, PROBE_AFTER_MS);
    this.#socket.once('lookup', () => {
      if (this.#phase === 'dns') this.#phase = 'tcp';
      tcpAt = clock.monotonic();
    });
    this.#socket.once('connect', () => {
      if (destination.socketPath === null) this.roundTripMs = clock.monotonic() - tcpAt;
      this.#connected(tls, preamble);
    });
    if (tls !== null) this.#socket.once('secureConnect', this.#onReady);
    const { connectTimeoutMs } = destination.limits;
    if (connectTimeoutMs > 0) {
      this.#timer = this.#clock.after(connectTimeoutMs, () => this.#fail(dialTimeout(this.#phase)));
    }
  }

  /** Gives up; nothing is reported. */
  cancel(): void {
    if (this.#settle()) this.#socket.destroy();
  }

  #connected(tls: TlsClient | null, preamble: string | null): void {
    if (preamble !== null) this.#socket.write(preamble, 'latin1');
    if (tls === null) {
      this.#onReady();
      return;
    }
    this.#phase = 'tls';
    if (preamble === null) return;
    this.#socket = tls.connect({ socket: this.#socket });
    this.#socket.on('error', this.#onError);
    this.#socket.once('secureConnect', this.#onReady);
  }

  readonly #onReady = (): void => {
    if (!this.#settle()) return;
    this.tookMs = this.#clock.monotonic() - this.#startedAt;
    this.#outcome.dialled(this, this.#socket);
  };

  readonly #onError = (error: Error): void => {
    this.#fail(dialFailure(error, this.#phase));
  };

  #fail(error: GatewayError): void {
    if (!this.#settle()) return;
    this.#socket.destroy();
    this.#outcome.notDialled(this, error);
  }

  #settle(): boolean {
    if (this.#over) return false;
    this.#over = true;
    if (this.#timer !== null) this.#clock.cancel(this.#timer);
    return true;
  }
}

function connectOptions(destination: Destination): ConnectOptions {
  const { host, port, socketPath } = destination;
  if (socketPath !== null) return { path: socketPath };
  const options: TcpNetConnectOpts = {
    host: host.startsWith('[') ? host.slice(1, -1) : host,
    port,
    noDelay: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT_MS,
  };
  if (isLocalhost(host)) options.lookup = lookupLoopback;
  return options;
}

/** RFC 6761 §6.3: always the loopback interface, whatever a resolver says. */
function isLocalhost(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name.endsWith('.localhost');
}

const LOOPBACK = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/** Both loopback addresses: a development server may listen on one of them only, and often not on the one that resolvers name. */
const lookupLoopback: NonNullable<TcpNetConnectOpts['lookup']> = (_name, options, callback) => {
  if (options.all === true) callback(null, LOOPBACK);
  else callback(null, '127.0.0.1', 4);
};
