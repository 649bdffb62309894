import type { Socket } from 'node:net';
import type { HeaderList } from '../http/headers.ts';

export interface RequestHeadLines {
  readonly method: string;
  readonly target: string;
  /** Complete, `Content-Length` included where the length is known. */
  readonly headers: HeaderList;
  readonly keepsAlive: boolean;
  /** The length is not known. */
  readonly chunked: boolean;
}

/**
 * Sends a request's head on `socket` now. undici sends it together with the first chunk of the body, which a client may hold
 * back until it has heard from the endpoint; so what undici writes of the head later is taken out again. Must be called
 * after undici has begun the request and before it has written anything of it; undici has found every field fit to be sent.
 */
export function sendHeadEarly(socket: Socket, head: RequestHeadLines): void {
  const { chunked } = head;
  const write = socket.write.bind(socket) as (data: unknown, ...rest: unknown[]) => boolean;
  write(textOf(head), 'latin1');
  let headSeen = false;
  const withoutHead = (data: unknown, ...rest: unknown[]): boolean => {
    if (headSeen) {
      restore(socket);
      // The empty line that ends the head, and the size of the first chunk: the line was sent.
      return write((data as string).slice(2), ...rest);
    }
    headSeen = true;
    if (chunked && (data as string).endsWith('chunked\r\n')) return true;
    restore(socket);
    // A body that turned out to be empty.
    return chunked ? write('0\r\n\r\n', 'latin1') : true;
  };
  socket.write = withoutHead as Socket['write'];
}

/** The method of the prototype again. */
function restore(socket: { write?: unknown }): void {
  delete socket.write;
}

function textOf({ method, target, headers, keepsAlive, chunked }: RequestHeadLines): string {
  let text = `${method} ${target} HTTP/1.1\r\n`;
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  text += `Connection: ${keepsAlive ? 'keep-alive' : 'close'}\r\n`;
  return chunked ? `${text}Transfer-Encoding: chunked\r\n\r\n` : `${text}\r\n`;
}
