import { Socket } from 'node:net';

/**
 * Where the kernel's bytes land: one buffer for all sockets of the process, since each takes what it needs of it before the next
 * one reads. A buffer per read is what Node would make, and with `Readable` around it costs 1.4 µs of 17.1 per request.
 */
const SHARED = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * Takes what a client has sent: the first `length` of `bytes`. `shared` ones are overwritten when this returns, so that what is to
 * last longer is copied. Must not throw. A length in place of a view of the buffer: views are what the garbage collector had most of.
 */
export type TakeBytes = (bytes: Buffer, length: number, shared: boolean) => void;

/** Who reads a socket that was made by `laneSocketOf`. `null`: it is an ordinary stream. */
interface Reader {
  take: TakeBytes | null;
}

const readers = new WeakMap<Socket, Reader>();
const listeners = new WeakMap<Socket, (chunk: Buffer) => void>();

/** What an accepted socket has inside, and Node does not document. */
interface Accepted {
  _handle?: { readonly useUserBuffer?: unknown } | null;
  /** Counts its open connections, for its `close`. */
  _server?: unknown;
  server?: unknown;
}

/**
 * A socket around the connection of `accepted`, which is of no use afterwards, that reads into the one shared buffer while the fast
 * lane has it (`net.Socket`'s `onread`), and is an ordinary stream before and after that. Where Node has not got inside what this
 * needs, `accepted` itself, from which the fast lane reads as from any stream. Only for what was accepted in this very tick.
 */
export function laneSocketOf(accepted: Socket): Socket {
  const inside = accepted as unknown as Accepted;
  const handle = inside._handle;
  if (typeof handle?.useUserBuffer !== 'function' || accepted.readableLength > 0) return accepted;
  const reader: Reader = { take: null };
  const socket: Socket = new Socket({
    handle,
    allowHalfOpen: accepted.allowHalfOpen,
    onread: {
      buffer: SHARED,
      callback: (length: number): boolean => {
        if (reader.take === null) return socket.push(Buffer.from(SHARED.subarray(0, length)));
        reader.take(SHARED, length, true);
        return true;
      },
    },
  } as unknown as ConstructorParameters<typeof Socket>[0]);
  const outside = socket as unknown as Accepted;
  outside._server = inside._server;
  outside.server = inside.server;
  inside._handle = null;
  inside._server = null;
  readers.set(socket, reader);
  return socket;
}

/** Does `socket` read into the shared buffer? */
export function sharesBuffer(socket: Socket): boolean {
  return readers.has(socket);
}

/** From now on `take` gets what comes. `socket.pause` and `resume` work as ever. */
export function readInto(socket: Socket, take: TakeBytes): void {
  const reader = readers.get(socket);
  if (reader !== undefined) {
    reader.take = take;
    return;
  }
  const onData = (chunk: Buffer): void => take(chunk, chunk.length, false);
  listeners.set(socket, onData);
  socket.on('data', onData);
  // After reading ahead (a PROXY header, an HTTP/2 preface) it is paused.
  socket.resume();
}

/** Makes it an ordinary stream, paused, for whoever takes it over. */
export function giveBack(socket: Socket): void {
  const reader = readers.get(socket);
  if (reader !== undefined) reader.take = null;
  const onData = listeners.get(socket);
  if (onData !== undefined) socket.removeListener('data', onData);
  socket.pause();
}
