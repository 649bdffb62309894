import { once } from 'node:events';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ByteReader, PeerGone } from './byte-reader.ts';
import { Received } from './received.ts';
import { type Action, parseStep, type Script } from './script.ts';

const FILL = Buffer.alloc(64 * 1024, 'x');

/** Runs a script on one accepted connection. */
export class ScriptedConnection {
  readonly #socket: Socket;
  readonly #reader: ByteReader;
  readonly #index: number;
  readonly #report: (received: Received) => void;
  #current: Received | null = null;

  /** `report` is called whenever a request has progressed. */
  constructor(socket: Socket, index: number, report: (received: Received) => void) {
    this.#socket = socket;
    this.#reader = new ByteReader(socket);
    this.#index = index;
    this.#report = report;
  }

  /** Until the connection is over. Rejects only when the script itself is wrong. */
  async run(script: Script): Promise<void> {
    const actions = script.map(parseStep);
    try {
      do {
        for (const action of actions) await this.#step(action);
      } while (actions.some(readsRequest) && this.#socket.writable && !this.#reader.exhausted);
      // A script that asks for no request is not repeated: what it has to say, it says once.
      await this.#reader.end();
    } catch (error) {
      if (!(error instanceof PeerGone)) throw error;
    }
    // The peer is through, or the script is: what is still to be written goes out, then FIN.
    if (!this.#socket.destroyed) this.#socket.end();
  }

  async #step(action: Action): Promise<void> {
    switch (action.do) {
      case 'read-head':
        return this.#readHead();
      case 'read-body':
        return this.#readBody(action.keep);
      case 'read-bytes':
        return this.#keep(await this.#reader.read(action.length), true);
      case 'read-end':
        return this.#reader.end();
      case 'respond':
        return this.#respond(action);
      case 'send':
        return this.#send(action.chunks);
      case 'fill':
        return this.#fill(action.length);
      case 'upgrade':
        return this.#upgrade(action.protocol, action.headers, action.first);
      case 'echo':
        return this.#echo();
      case 'wait':
        await action.until();
        return;
      default:
        return this.#control(action.do);
    }
  }

  async #control(what: 'end' | 'reset' | 'close' | 'silent' | 'stop' | 'resume'): Promise<void> {
    if (what === 'stop') this.#socket.pause();
    else if (what === 'resume') this.#socket.resume();
    else if (what === 'end') this.#socket.end();
    else if (what === 'close') this.#socket.destroy();
    else if (what === 'reset') this.#socket.resetAndDestroy();
    if (what === 'reset' || what === 'close') throw new PeerGone('The script closed the connection');
    if (what === 'silent') await this.#reader.end();
    if (what === 'silent') throw new PeerGone('The peer closed');
  }

  async #readHead(): Promise<void> {
    const head = await this.#reader.until('\r\n\r\n');
    this.#current = new Received(head.toString('latin1', 0, head.length - 4), this.#index);
    this.#report(this.#current);
  }

  async #request(): Promise<Received> {
    if (this.#current === null) await this.#readHead();
    return this.#current as unknown as Received;
  }

  async #readBody(keep: boolean): Promise<void> {
    const request = await this.#request();
    if (request.complete) return;
    if (/chunked/i.test(request.header('transfer-encoding') ?? '')) await this.#readChunked(request, keep);
    else await this.#readLength(Number(request.header('content-length') ?? 0) - request.bodyBytes, keep);
    request.complete = true;
    this.#report(request);
  }

  async #readLength(length: number, keep: boolean): Promise<void> {
    for (let left = length; left > 0; ) {
      const chunk = await this.#reader.read(Math.min(left, 16 * 1024));
      left -= chunk.length;
      this.#keep(chunk, keep);
    }
  }

  async #readChunked(request: Received, keep: boolean): Promise<void> {
    for (;;) {
      const line = (await this.#reader.until('\r\n')).toString('latin1');
      const size = Number.parseInt(line, 16);
      if (size === 0) break;
      await this.#readLength(size, keep);
      await this.#reader.read(2);
    }
    const trailers: string[] = [];
    for (;;) {
      const line = (await this.#reader.until('\r\n')).toString('latin1').slice(0, -2);
      if (line === '') break;
      trailers.push(line);
    }
    request.trailers = trailers;
  }

  #keep(chunk: Buffer, keep: boolean): void {
    const request = this.#current;
    if (request === null) return;
    request.bodyBytes += chunk.length;
    if (keep) request.body = Buffer.concat([request.body, chunk]);
    this.#report(request);
  }

  async #respond(answer: { status: number; headers: readonly string[]; body: string }): Promise<void> {
    await this.#readBody(true);
    const request = await this.#request();
    const bodiless = answer.status === 204 || answer.status === 304;
    let head = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? 'Odd'}\r\n${fields(answer.headers)}`;
    if (!bodiless) head += `Content-Length: ${Buffer.byteLength(answer.body, 'latin1')}\r\n`;
    const body = bodiless || request.method === 'HEAD' ? '' : answer.body;
    this.#current = null;
    await this.#write(`${head}\r\n${body}`);
  }

  async #upgrade(protocol: string | null, headers: readonly string[], first: string): Promise<void> {
    const request = await this.#request();
    const agreed = protocol ?? request.header('upgrade') ?? 'websocket';
    await this.#write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${agreed}\r\n${fields(headers)}\r\n${first}`,
    );
  }

  async #send(chunks: readonly (string | Uint8Array)[]): Promise<void> {
    for (const chunk of chunks) {
      await this.#write(chunk);
      // Peers of tests live in this process: give them a turn, so that chunks arrive one by one.
      if (chunks.length > 1) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #echo(): Promise<void> {
    for (;;) {
      const chunk = await this.#reader.some();
      if (chunk === null) break;
      await this.#write(chunk);
    }
    this.#socket.end();
    throw new PeerGone('The peer ended the tunnel');
  }

  async #fill(length: number): Promise<void> {
    for (let left = length; left > 0; left -= FILL.length) {
      const whole = this.#socket.write(left < FILL.length ? FILL.subarray(0, left) : FILL);
      if (!whole) await this.#drained();
    }
  }

  async #drained(): Promise<void> {
    const gone = new AbortController();
    await Promise.race([
      once(this.#socket, 'drain', { signal: gone.signal }),
      once(this.#socket, 'close', { signal: gone.signal }),
    ]).finally(() => gone.abort());
    if (this.#socket.destroyed) throw new PeerGone('The peer closed while the script was sending');
  }

  #write(chunk: string | Uint8Array): Promise<void> {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk;
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(new PeerGone(error.message)) : resolve()));
    });
  }
}

function readsRequest(action: Action): boolean {
  return action.do === 'read-head' || action.do === 'respond' || action.do === 'upgrade';
}

function fields(headers: readonly string[]): string {
  let text = '';
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return text;
}
