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

/** The server socket of a listener: binds, accepts, and knows nothing of what comes over its connections. */
export class Binding {
  readonly #place: BindPlace;
  readonly #server: Server;
  #parts: BindingParts;

  constructor(place: BindPlace, parts: BindingParts) {
    this.#place = place;
    this.#parts = parts;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#parts.accepted(socket));
  }

  /** Connections from now on are for somebody else; those that wait to be accepted among them. */
  handTo(parts: BindingParts): void {
    this.#parts = parts;
  }

  /**
   * Listens, and resolves with the port, which is `null` on a Unix socket. Rejects with the system's error (`EADDRINUSE`,
   * `EACCES`, `EADDRNOTAVAIL`) if it can't; it may be opened again then. The file of a Unix socket that nobody listens on
   * any more is replaced; one that somebody does is in use.
   */
  async open(): Promise<{ readonly port: number | null }> {
    const place = this.#place;
    if (place.kind === 'unix') await this.#openSocket(place.path, place.mode);
    else await this.#listen({ port: place.port, ...(place.host === null ? {} : { host: place.host }) });
    const address = this.#server.address();
    return { port: address === null || typeof address === 'string' ? null : address.port };
  }

  /** Stops listening, and removes the file of a Unix socket; connections that are open stay. Cannot be undone. */
  close(): void {
    if (this.#server.listening) this.#server.close();
  }

  async #openSocket(path: string, mode: number): Promise<void> {
    try {
      await unseen(() => this.#listen({ path }));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EACCES') throw await missingDirectory(path, error);
      if (code !== 'EADDRINUSE' || !(await isStaleSocket(path))) throw error;
      await removeSocket(path);
      await unseen(() => this.#listen({ path }));
    }
    try {
      await restrictSocket(path, mode);
    } catch (error) {
      this.#server.close();
      throw error;
    }
  }

  #listen(where: { readonly port: number; readonly host?: string } | { readonly path: string }): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const server = this.#server;
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
