import type { Socket } from 'node:net';

type WriteDone = (error?: Error | null) => void;

/**
 * Makes writes on `socket` succeed although the endpoint takes no more: it may have answered (413, 401) and closed without
 * reading the rest of the upload. Node destroys a socket at the first failed write, with that answer still unread; the read side
 * tells what happened in any case: the answer, an end, or the reset (RFC 9112 §9.5).
 *
 * Costs a closure per write, so only for connections that carry request bodies. `_write` and `_writev` are what Node documents
 * for writables to define.
 */
export function ignoreBrokenPipe(socket: Socket): void {
  const write = socket._write;
  const writev = socket._writev;
  const writeOne = (chunk: unknown, encoding: BufferEncoding, done: WriteDone): void => {
    write.call(socket, chunk, encoding, unlessBrokenPipe(done));
  };
  socket._write = writeOne;
  if (writev === undefined) return;
  const writeAll = (chunks: { chunk: unknown; encoding: BufferEncoding }[], done: WriteDone): void => {
    writev.call(socket, chunks, unlessBrokenPipe(done));
  };
  socket._writev = writeAll;
}

function unlessBrokenPipe(done: WriteDone): WriteDone {
  return (error) => done(error !== undefined && error !== null && isBrokenPipe(error) ? null : error);
}

function isBrokenPipe(error: Error): boolean {
  return 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET');
}
