/** What of a socket decides whether it can be reset. */
export interface Resettable {
  readonly remoteFamily?: string | undefined;
  readonly writableEnded: boolean;
  readonly writableFinished: boolean;
  readonly writableLength: number;
  resetAndDestroy(): unknown;
  destroy(): unknown;
}

/**
 * Closes a socket with a reset, so that nobody takes the close for an end. Where there is no such thing it is just closed: on
 * a Unix socket, and for the moment in which a FIN is on its way behind the last byte. libuv refuses the reset then, and Node
 * would neither close the socket nor say so (`resetAndDestroy` emits `error`, and never `close`).
 */
export function resetSocket(socket: Resettable): void {
  const ending = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  // Only TCP sockets that are connected have a family.
  if (ending || socket.remoteFamily === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
