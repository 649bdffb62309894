import { closeSync, fstatSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { BindPlace } from '../downstream/binding.ts';

/** A listening socket that this process was started with. */
export interface InheritedSocket {
  readonly fd: number;
  /** The listener that it is for, or anything else. */
  readonly name: string;
}

/** Which sockets the process was started with, and which listener each is for. A listener takes its own once. */
export class InheritedSockets {
  readonly #free: InheritedSocket[];
  /** By file descriptor; asked for once, and only when a name does not say enough. */
  #places: ReadonlyMap<number, BoundPlace> | null = null;

  constructor(sockets: readonly InheritedSocket[]) {
    this.#free = [...sockets];
  }

  /** File descriptors of the sockets that have the name of the listener; without any, of those that are bound to its place. */
  take(listener: string, place: BindPlace): readonly number[] {
    if (this.#free.length === 0) return [];
    const named = this.#free.filter(({ name }) => name === listener);
    const own = named.length > 0 ? named : this.#free.filter(({ fd }) => isAt(this.#placeOf(fd), place));
    for (const socket of own) this.#free.splice(this.#free.indexOf(socket), 1);
    return own.map(({ fd }) => fd);
  }

  /** Closes those that no listener has taken, and returns them: their clients would wait for ever. */
  closeRest(): readonly InheritedSocket[] {
    const rest = this.#free.splice(0);
    for (const { fd } of rest) {
      try {
        closeSync(fd);
      } catch {
        // EBADF: there is no such thing, whatever LISTEN_FDS says.
      }
    }
    return rest;
  }

  #placeOf(fd: number): BoundPlace | null {
    this.#places ??= placesOf(this.#free.map((socket) => socket.fd));
    return this.#places.get(fd) ?? null;
  }
}

type BoundPlace = { readonly address: string; readonly port: number } | { readonly path: string };

function isAt(bound: BoundPlace | null, place: BindPlace): boolean {
  if (bound === null) return false;
  if ('path' in bound) return place.kind === 'unix' && bound.path === place.path;
  return place.kind === 'tcp' && bound.port === place.port && hostsOf(place.host).includes(bound.address);
}

const EVERY_ADDRESS = ['::', '0.0.0.0'];

/** Addresses that a socket for `host` may be bound to, as `addressIn` writes them. */
function hostsOf(host: string | null): readonly string[] {
  if (host === null) return EVERY_ADDRESS;
  if (host === 'localhost') return ['127.0.0.1', '::1'];
  return [isIP(host) === 6 ? canonicalIPv6(host) : host];
}

/** Where sockets listen, by inode, is what /proc says (proc_net(5)); elsewhere than on Linux nothing does. */
function placesOf(fds: readonly number[]): ReadonlyMap<number, BoundPlace> {
  const inodes = new Map<string, number>();
  for (const fd of fds) {
    try {
      inodes.set(String(fstatSync(fd).ino), fd);
    } catch {
      // EBADF: there is no such thing, whatever LISTEN_FDS says.
    }
  }
  const places = new Map<number, BoundPlace>();
  for (const [table, placeIn] of TABLES) {
    for (const line of linesOf(table)) {
      const found = placeIn(line.trim().split(/\s+/));
      const fd = found === null ? undefined : inodes.get(found.inode);
      if (found !== null && fd !== undefined) places.set(fd, found.place);
    }
  }
  return places;
}

type Columns = readonly string[];
type Found = { readonly inode: string; readonly place: BoundPlace } | null;

const TABLES: readonly (readonly [string, (columns: Columns) => Found])[] = [
  ['/proc/net/tcp', tcpPlace],
  ['/proc/net/tcp6', tcpPlace],
  ['/proc/net/unix', unixPlace],
];

function tcpPlace(columns: Columns): Found {
  const [local, state, inode] = [columns[1], columns[3], columns[9]];
  // 0A: TCP_LISTEN
  if (local === undefined || inode === undefined || state !== '0A') return null;
  const [address = '', port = ''] = local.split(':');
  return { inode, place: { address: addressIn(address), port: Number.parseInt(port, 16) } };
}

function unixPlace(columns: Columns): Found {
  const [inode, path] = [columns[6], columns[7]];
  return inode === undefined || path === undefined ? null : { inode, place: { path } };
}

/** The kernel prints words of 32 bits in the order of this machine's bytes: little-endian wherever Node runs but on s390x. */
function addressIn(hex: string): string {
  const words = (hex.match(/.{8}/g) ?? []).map((word) => Buffer.from(word, 'hex').reverse());
  const octets = Buffer.concat(words);
  if (octets.length === 4) return [...octets].join('.');
  const groups = Array.from({ length: 8 }, (_, index) => octets.readUInt16BE(2 * index).toString(16));
  return canonicalIPv6(groups.join(':'));
}

function canonicalIPv6(text: string): string {
  return URL.parse(`http://[${text.split('%')[0]}]/`)?.hostname.slice(1, -1) ?? text;
}

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, 'latin1').split('\n').slice(1);
  } catch {
    // ENOENT: no Linux, or no IPv6.
    return [];
  }
}
