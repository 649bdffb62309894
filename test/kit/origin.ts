import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { inTime } from './deadline.ts';
import { ScriptedConnection } from './origin-connection.ts';
import type { Received } from './received.ts';
import { parseStep, type Script } from './script.ts';
import { stopAfterTest } from './stop.ts';

export interface OriginOptions {
  /**
   * What every connection does; begun anew when it is through and the connection still open.
   * Default `['respond 200']`: keeps the connection and answers request after request.
   */
  readonly script?: Script;
  /** A script per connection, in order of arrival; the last one serves all further ones. */
  readonly scripts?: readonly Script[];
  readonly tls?: TlsOptions;
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
}

/** Starts a server that does byte for byte what its script says. Closed after the test. */
export async function origin(options: OriginOptions = {}): Promise<Origin> {
  const scripts = options.scripts ?? [options.script ?? (['respond 200'] as const)];
  const started = new Origin(scripts, options.tls ?? null);
  await started.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  stopAfterTest(() => started.close());
  return started;
}

/** Below what Linux (32768) and others (49152) hand out by themselves: whoever listens on port 0 never gets one of these. */
const DEAD_PORTS = { first: 21_000, count: 10_000 };
let deadPorts = 0;

/** A port of 127.0.0.1 where nobody listens, now or later: it was bound and closed, and is no port that others get by chance. */
export async function deadPort(): Promise<number> {
  const { first, count } = DEAD_PORTS;
  for (;;) {
    // Processes that run side by side begin far from each other.
    const port = first + ((process.pid * 997 + deadPorts) % count);
    deadPorts += 1;
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createTcpServer();
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false; // EADDRINUSE
  }
  server.close();
  await once(server, 'close');
  return true;
}

interface Waiter {
  readonly met: () => boolean;
  readonly resolve: () => void;
}

export class Origin {
  /** Every request whose head was read, in order, over all connections. */
  readonly received: Received[] = [];
  /** Errors of the scripts themselves; peers that went away are not errors. */
  readonly failures: unknown[] = [];
  #accepted = 0;
  #closed = 0;
  readonly #server: Server;
  readonly #scripts: readonly Script[];
  readonly #open = new Set<Socket>();
  readonly #waiters: Waiter[] = [];

  constructor(scripts: readonly Script[], tls: TlsOptions | null) {
    this.#scripts = scripts;
    for (const script of scripts) script.forEach(parseStep);
    this.#server =
      tls === null
        ? createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket))
        : createTlsServer({ ALPNProtocols: ['http/1.1'], ...tls }, (socket) => this.#accept(socket));
    // A handshake that fails is something that tests provoke.
    this.#server.on('tlsClientError', () => {});
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Requests whose head was read. */
  get requests(): number {
    return this.received.length;
  }

  /** Connections accepted since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Connections open now. */
  get openConnections(): number {
    return this.#open.size;
  }

  /** Request number `index` (from 0) as soon as its head was read. */
  async request(index = 0): Promise<Received> {
    await this.#until(() => this.received.length > index, `the head of request ${index}`);
    return this.received[index] as Received;
  }

  /** Resolves when request number `index` was read to its end by a `read body` or `respond` step. */
  async complete(index = 0): Promise<Received> {
    await this.#until(() => this.received[index]?.complete === true, `the end of request ${index}`);
    return this.received[index] as Received;
  }

  /** Resolves when `count` connections have been accepted in all. */
  connected(count = 1): Promise<void> {
    return this.#until(() => this.#accepted >= count, `${count} connections to be made`);
  }

  /** Resolves when `count` connections have been closed in all. */
  closed(count = 1): Promise<void> {
    return this.#until(() => this.#closed >= count, `${count} connections to be closed`);
  }

  /** Resolves when no connection is open. */
  idle(): Promise<void> {
    return this.#until(() => this.#open.size === 0, 'every connection to be closed');
  }

  /** Closes every connection with FIN, as a server does with idle ones; goes on listening. */
  endConnections(): void {
    for (const socket of this.#open) socket.end();
  }

  /** The same with RST. */
  resetConnections(): void {
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  async listen(port: number, host: string): Promise<void> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(socket: Socket): void {
    socket.on('error', () => {});
    const index = this.#accepted++;
    this.#open.add(socket);
    socket.on('close', () => {
      this.#open.delete(socket);
      this.#closed += 1;
      this.#changed();
    });
    const script = this.#scripts[Math.min(index, this.#scripts.length - 1)] ?? [];
    const connection = new ScriptedConnection(socket, index, (received) => {
      if (!this.received.includes(received)) this.received.push(received);
      this.#changed();
    });
    connection.run(script).catch((failure: unknown) => {
      this.failures.push(failure);
      socket.destroy();
    });
    this.#changed();
  }

  #until(met: () => boolean, what: string): Promise<void> {
    if (met()) return Promise.resolve();
    return inTime(new Promise((resolve) => this.#waiters.push({ met, resolve })), `an origin to see ${what}`);
  }

  #changed(): void {
    for (let i = this.#waiters.length - 1; i >= 0; i -= 1) {
      const waiter = this.#waiters[i] as Waiter;
      if (!waiter.met()) continue;
      this.#waiters.splice(i, 1);
      waiter.resolve();
    }
  }
}
