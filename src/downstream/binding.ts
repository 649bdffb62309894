import { createServer, type Server, type Socket } from 'node:net';
import { isStaleSocket, missingDirectory, removeSocket, restrictSocket, unseen } from './socket-file.ts';

/** Where a listener listens. */
export type BindPlace =
  /** `host` `null`: every address of the machine, IPv6 and IPv4; IPv4 alone where there is no IPv6. `port` 0: any free one. */
  | { readonly kind: 'tcp'; readonly host: string | null; readonly port: number }
  /** `mode`: permission bits of the file; who may write to it may connect. */
  | { readonly kind: 'unix'; readonly path: string; readonly mode: number };

export interface BindingParts {
  accepted(socket: Socket): void;
  /** The system's refusal to accept a connection (`EMFILE`): that one is lost, the listener is not. */
  broke(error: Error): void;
}

/** The server sockets of a listener, mostly one: binds or adopts, accepts, and knows nothing of what comes over its connections. */
export class Binding {
  #place: BindPlace;
  #parts: BindingParts;
  /** That it has bound itself; `null` while it has not. */
  #own: Server | null = null;
  /** Those that the process was started with, by file descriptor. */
  readonly #adopted = new Map<number, Server>();

  constructor(place: BindPlace, parts: BindingParts) {
    this.#place = place;
    this.#parts = parts;
  }

  /** Connections from now on are for somebody else; those that wait to be accepted among them. At the same place: only the mode of its file may differ. */
  handTo(parts: BindingParts, place: BindPlace): void {
    this.#parts = parts;
    const before = this.#place;
    this.#place = place;
    if (place.kind !== 'unix' || before.kind !== 'unix' || place.mode === before.mode || this.#own === null) return;
    restrictSocket(place.path, place.mode).catch((error: Error) => parts.broke(error));
  }

  /**
   * Listens, and resolves with the port, which is `null` on a Unix socket. Rejects with the system's error (`EADDRINUSE`,
   * `EACCES`, `EADDRNOTAVAIL`) if it can't; it may be opened again then. The file of a Unix socket that nobody listens on
   * any more is replaced; one that somebody does is in use. With `inherited` sockets nothing is bound: it listens on those.
   */
  async open(inherited: readonly number[] = []): Promise<{ readonly port: number | null }> {
    const [first, ...more] = inherited;
    if (first === undefined) return { port: portOf(await this.#bind()) };
    const server = await this.adopt(first);
    for (const fd of more) await this.adopt(fd);
    return { port: portOf(server) };
  }

  /** Listens on a socket that is bound already, beside what it has. Rejects with the system's error for what is no such socket. */
  async adopt(fd: number): Promise<Server> {
    const server = this.#newServer();
    await this.#listen(server, { fd });
    this.#adopted.set(fd, server);
    return server;
  }

  /** Lets go of a socket that was adopted. What waits to be accepted is whoever's has it too. */
  release(fd: number): void {
    this.#adopted.get(fd)?.close();
    this.#adopted.delete(fd);
  }

  /** Stops listening, and removes the file of a Unix socket that it has made; connections that are open stay. Cannot be undone. */
  close(): void {
    if (this.#own?.listening === true) this.#own.close();
    for (const fd of [...this.#adopted.keys()]) this.release(fd);
  }

  async #bind(): Promise<Server> {
    const place = this.#place;
    const server = this.#newServer();
    this.#own = server;
    if (place.kind === 'unix') await this.#openSocket(server, place.path, place.mode);
    else await this.#listen(server, { port: place.port, ...(place.host === null ? {} : { host: place.host }) });
    return server;
  }

  #newServer(): Server {
    return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#parts.accepted(socket));
  }

  async #openSocket(server: Server, path: string, mode: number): Promise<void> {
    try {
      await unseen(() => this.#listen(server, { path }));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EACCES') throw await missingDirectory(path, error);
      if (code !== 'EADDRINUSE' || !(await isStaleSocket(path))) throw error;
      await removeSocket(path);
      await unseen(() => this.#listen(server, { path }));
    }
    try {
      await restrictSocket(path, mode);
    } catch (error) {
      server.close();
      throw error;
    }
  }

  #listen(server: Server, where: ListenOptions): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const failed = (error: Error): void => {
      server.removeListener('listening', bound);
      reject(error);
    };
    const bound = (): void => {
      server.removeListener('error', failed);
      // EMFILE while accepting.
      server.on('error', (error) => this.#parts.broke(error));
      resolve();
    };
    server.once('error', failed);
    server.once('listening', bound);
    server.listen(where);
    return promise;
  }
}

/** `fd` is missing in the types of `ListenOptions`. */
type ListenOptions =
  | { readonly port: number; readonly host?: string }
  | { readonly path: string }
  | { readonly fd: number };

function portOf(server: Server): number | null {
  const address = server.address();
  return address === null || typeof address === 'string' ? null : address.port;
}
