import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A small HTTP service on this machine, in the test's own process. */
export class LocalService {
  readonly server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(answer: Answer) {
    this.server = createServer(answer);
    this.server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async listen(answer: Answer, at: { readonly port?: number; readonly address?: string } = {}) {
    const service = new LocalService(answer);
    await new Promise<void>((resolve, reject) => {
      service.server.once('error', reject);
      service.server.listen(at.port ?? 0, at.address ?? '127.0.0.1', resolve);
    });
    return service;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** Throws when one of `ports` is taken on this machine. */
export async function requireFreePorts(ports: readonly number[], why: string): Promise<void> {
  const taken: number[] = [];
  for (const port of ports) if (!(await isFree(port))) taken.push(port);
  if (taken.length > 0) throw new Error(`Port ${taken.join(', ')} is in use: ${why}`);
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createTcpServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
