import { lookup } from 'node:dns/promises';
import { closeSync } from 'node:fs';
import * as net from 'node:net';
import type { Servable } from '../config/load.ts';
import type { Origins } from '../config/origins.ts';
import type { Config } from '../config/schema/config.ts';
import type { BindPlace } from '../downstream/binding.ts';
import { isStaleSocket, removeSocket, restrictSocket, unseen } from '../downstream/socket-file.ts';
import { bindError } from '../gateway/bind-error.ts';
import { type InheritedSocket, InheritedSockets } from '../gateway/inherited-sockets.ts';
import { listenerOptions } from '../gateway/listener-options.ts';
import { StartError } from '../gateway/start-error.ts';

/** A socket that nobody accepts from here: what waits in its queue outlives every worker that does. */
interface Held {
  readonly fd: number;
  close(): void;
}

/** The sockets of one listener. */
interface HeldListener {
  readonly name: string;
  readonly place: BindPlace;
  /** One for each worker, among which the kernel divides connections; or those that all of them accept from. */
  readonly kind: 'each' | 'common';
  readonly sockets: readonly Held[];
}

interface Opening {
  readonly place: BindPlace;
  readonly origins: Origins;
  /** Ports that this process has already. */
  readonly own: ReadonlySet<number>;
}

/** What one worker is given. */
export interface WorkerSockets {
  readonly own: readonly InheritedSocket[];
  readonly others: readonly (InheritedSocket & { readonly of: number })[];
}

/**
 * The listening sockets of a fleet. They are bound here and stay open here: a worker that ends, however it ends, leaves those who
 * are waiting to be accepted to whom its sockets are lent, or to its successor.
 */
export class FleetSockets {
  readonly #workers: number;
  readonly #passed: InheritedSockets;
  readonly #listeners: HeldListener[] = [];

  /** `passed`: those that this process was started with. */
  constructor(workers: number, passed: readonly InheritedSocket[]) {
    this.#workers = workers;
    this.#passed = new InheritedSockets(passed);
  }

  /** Binds what the listeners of `config` need. Rejects with a `StartError` at the first that can't be; what is open stays so until `close`. */
  async open({ listeners }: Config, origins: Origins): Promise<void> {
    if (net.BoundSocket === undefined) {
      throw new StartError(`Several workers need Node 26.4 or later; this is ${process.versions.node}: set workers: 1`);
    }
    for (const [name, config] of Object.entries(listeners)) {
      const { place } = listenerOptions(name, config);
      this.#listeners.push(await this.#opened(name, { place, origins, own: new Set() }));
    }
    this.#passed.closeRest();
  }

  /** Whether all listeners of `config` have their sockets here: none is new, or elsewhere. */
  holds({ listeners }: Config): boolean {
    return Object.entries(listeners).every(
      ([name, config]) => this.#find(name, listenerOptions(name, config).place) !== null,
    );
  }

  /** Those that another configuration needs: sockets that are here are the same there. Rejects as `open` does, with what is new closed again. */
  async extended({ config, origins }: Pick<Servable, 'config' | 'origins'>): Promise<FleetSockets> {
    const next = new FleetSockets(this.#workers, []);
    try {
      for (const [name, listener] of Object.entries(config.listeners)) {
        const { place } = listenerOptions(name, listener);
        const held = this.#find(name, place) ?? this.#renamed(place, config);
        next.#listeners.push(
          held === null ? await next.#opened(name, { place, origins, own: this.#ports() }) : { ...held, name },
        );
      }
      return next;
    } catch (error) {
      next.letGo(this);
      throw error;
    }
  }

  /** Closes what is not `kept` by another one. */
  letGo(kept: FleetSockets): void {
    const staying = new Set(kept.#listeners.flatMap(({ sockets }) => sockets));
    for (const { sockets } of this.#listeners.splice(0)) {
      for (const socket of sockets) if (!staying.has(socket)) socket.close();
    }
  }

  #find(name: string, place: BindPlace): HeldListener | null {
    const wanted = JSON.stringify(place);
    return this.#listeners.find((held) => held.name === name && JSON.stringify(held.place) === wanted) ?? null;
  }

  /** A listener of that place that has no other any more. */
  #renamed(place: BindPlace, { listeners }: Config): HeldListener | null {
    if (place.kind === 'tcp' && place.port === 0) return null;
    const wanted = JSON.stringify(place);
    return this.#listeners.find((held) => !(held.name in listeners) && JSON.stringify(held.place) === wanted) ?? null;
  }

  #ports(): ReadonlySet<number> {
    return new Set(this.#listeners.flatMap(({ place }) => (place.kind === 'tcp' ? [place.port] : [])));
  }

  #opened(name: string, { place, origins, own }: Opening): Promise<HeldListener> {
    return this.#hold(name, place, own).catch((error: unknown) => {
      throw bindError(error, { place, path: ['listeners', name], origins });
    });
  }

  /** Of worker `number`, from 1. */
  of(number: number): WorkerSockets {
    const own = this.#listeners.flatMap(({ name, kind, sockets }) =>
      sockets.flatMap(({ fd }, index) => (kind === 'common' || index === number - 1 ? [{ fd, name }] : [])),
    );
    const others = this.#listeners.flatMap(({ name, kind, sockets }) =>
      sockets.flatMap(({ fd }, index) =>
        kind === 'common' || index === number - 1 ? [] : [{ fd, name, of: index + 1 }],
      ),
    );
    return { own, others };
  }

  /** Closes those of listeners that `config` has no more: who connected to them would wait for ever. */
  retain({ listeners }: Config): void {
    for (const held of [...this.#listeners]) {
      if (held.name in listeners) continue;
      this.#listeners.splice(this.#listeners.indexOf(held), 1);
      for (const socket of held.sockets) socket.close();
    }
  }

  /** From now on nobody can connect whom no worker accepts. */
  close(): void {
    for (const { sockets } of this.#listeners.splice(0)) for (const socket of sockets) socket.close();
  }

  async #hold(name: string, place: BindPlace, own: ReadonlySet<number>): Promise<HeldListener> {
    const passed = this.#passed.take(name, place);
    if (passed.length > 0) {
      const sockets = passed.map((fd) => ({ fd, close: () => closeSync(fd) }));
      return { name, place, kind: 'common', sockets };
    }
    if (place.kind === 'unix') return { name, place, kind: 'common', sockets: [await holdUnix(place)] };
    return { name, place, ...(await this.#holdPort(place, own.has(place.port))) };
  }

  /** `own`: this process has that port already, at another address. */
  async #holdPort(
    { host, port }: BindPlace & { kind: 'tcp' },
    own: boolean,
  ): Promise<Pick<HeldListener, 'kind' | 'sockets'>> {
    const address = host === null ? null : (await lookup(host)).address;
    // Sockets that share a port share it with anybody's of the same user: whether somebody has it must be asked without.
    const probe = bind(address, port, own);
    const bound = probe.address();
    const at = { host: bound.address, port: bound.port };
    try {
      probe.close();
      const sockets: Held[] = [];
      for (let i = 0; i < this.#workers; i += 1) sockets.push(held(new net.BoundSocket({ ...at, reusePort: true })));
      return { kind: 'each', sockets };
    } catch (error) {
      // ENOTSUP: macOS has no SO_REUSEPORT that divides connections.
      if ((error as NodeJS.ErrnoException).code !== 'ENOTSUP') throw error;
      return { kind: 'common', sockets: [held(new net.BoundSocket(at))] };
    }
  }
}

function held(socket: net.BoundSocket): Held {
  return { fd: socket.fd(), close: () => socket.close() };
}

/** `address` `null` is every one: IPv6 and IPv4, or IPv4 alone where there is no IPv6. Throws what the system says. */
function bind(address: string | null, port: number, reusePort: boolean): net.BoundSocket {
  if (address !== null) return new net.BoundSocket({ host: address, port, reusePort });
  try {
    return new net.BoundSocket({ host: '::', port, reusePort });
  } catch (error) {
    if (!['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return new net.BoundSocket({ host: '0.0.0.0', port, reusePort });
  }
}

/** `path` is younger than the types. */
type UnixOptions = ConstructorParameters<typeof net.BoundSocket>[0] & { readonly path: string };

async function holdUnix({ path, mode }: BindPlace & { kind: 'unix' }): Promise<Held> {
  if (!('isPipe' in net.BoundSocket.prototype)) {
    throw new StartError(
      `A Unix socket for several workers needs a later Node than ${process.versions.node}: set workers: 1`,
    );
  }
  const options: UnixOptions = { path };
  const bound = (): net.BoundSocket => unseen(() => new net.BoundSocket(options));
  let socket: net.BoundSocket;
  try {
    socket = bound();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || !(await isStaleSocket(path))) throw error;
    await removeSocket(path);
    socket = bound();
  }
  try {
    await restrictSocket(path, mode);
  } catch (error) {
    socket.close();
    throw error;
  }
  return held(socket);
}
