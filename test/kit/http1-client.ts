import type { Socket } from 'node:net';
import { ByteReader, PeerGone } from './byte-reader.ts';
import {
  type ClientConnection,
  type ClientExchange,
  type ClientRequest,
  type Ending,
  Reply,
  ReplyHead,
} from './client.ts';
import { inTime } from './deadline.ts';

const nothing = new ReplyHead(0, []);

/** HTTP/1.1 written and read by hand, so that a test sees what is on the wire. One request at a time. */
export class Http1Client implements ClientConnection {
  readonly socket: Socket;
  readonly reader: ByteReader;
  readonly #tcp: Socket;
  readonly #closed: Promise<void>;
  #reset = false;

  /** `tcp` is the connection under a TLS socket. */
  constructor(socket: Socket, tcp: Socket = socket) {
    this.socket = socket;
    this.#tcp = tcp;
    this.reader = new ByteReader(socket);
    socket.on('error', () => {
      this.#reset = true;
    });
    this.#closed = new Promise((resolve) => {
      socket.once('end', resolve);
      socket.once('close', () => resolve());
    });
  }

  /** How a connection that ended too early did so. */
  get ending(): Ending {
    return this.#reset ? 'reset' : 'truncated';
  }

  begin(request: ClientRequest): Http1ClientExchange {
    const exchange = this.expect(request.method ?? 'GET');
    exchange.chunked = request.chunked === true;
    this.socket.write(headOf(request), 'latin1');
    const { body } = request;
    if (body === undefined) return exchange;
    exchange.write(body).catch(ignore);
    exchange.end(request.trailers);
    return exchange;
  }

  send(request: ClientRequest): Promise<Reply> {
    return this.begin(request).reply();
  }

  /** Sends these bytes and nothing else. */
  write(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** The next response on the connection, to a request that was written by hand. */
  expect(method = 'GET'): Http1ClientExchange {
    return new Http1ClientExchange(this, method);
  }

  dismissed(): Promise<void> {
    return inTime(this.#closed, 'the connection to be closed');
  }

  close(): void {
    this.socket.destroy();
  }

  /** Leaves with an RST. */
  reset(): void {
    this.#tcp.resetAndDestroy();
  }
}

type Framing = 'none' | 'chunked' | 'until-close' | number;

export class Http1ClientExchange implements ClientExchange {
  /** Whether `write` frames what it is given. */
  chunked = false;
  readonly #client: Http1Client;
  readonly #method: string;
  readonly #informational: ReplyHead[] = [];
  #final: ReplyHead | null = null;
  #heads: Promise<unknown> = Promise.resolve();
  #body: Buffer[] = [];
  #framing: Framing = 'none';
  /** Bytes of the current chunk, or of the whole body, still to come. */
  #left = 0;
  #trailers: string[] = [];
  #ended: Ending | null = null;

  constructor(client: Http1Client, method: string) {
    this.#client = client;
    this.#method = method;
  }

  async head(): Promise<ReplyHead> {
    while (this.#final === null) await inTime(this.#nextHead(), 'a response head');
    return this.#final;
  }

  async interim(index: number): Promise<ReplyHead> {
    while (this.#final === null && this.#informational.length <= index)
      await inTime(this.#nextHead(), 'an interim response');
    const found = this.#informational[index];
    if (found === undefined)
      throw new Error(`Cannot find interim response ${index}: ${this.#final?.status} came first`);
    return found;
  }

  async read(length: number): Promise<Buffer> {
    await this.head();
    const wanted: Buffer[] = [];
    for (let missing = length; missing > 0; ) {
      const piece = await inTime(this.#piece(missing), `${missing} bytes of body`);
      if (piece === null) throw new PeerGone('The body ended before');
      wanted.push(piece);
      missing -= piece.length;
    }
    return Buffer.concat(wanted);
  }

  async reply(): Promise<Reply> {
    const head = await this.head();
    while ((await inTime(this.#piece(Number.MAX_SAFE_INTEGER), 'the end of the body')) !== null);
    return new Reply({
      head,
      body: Buffer.concat(this.#body),
      trailers: this.#trailers,
      informational: this.#informational,
      ended: this.#ended ?? 'clean',
    });
  }

  write(chunk: string | Uint8Array): Promise<void> {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : Buffer.from(chunk);
    const framed = this.chunked
      ? Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
      : bytes;
    return new Promise((resolve, reject) => {
      this.#client.socket.write(framed, (error) => (error ? reject(error) : resolve()));
    });
  }

  end(trailers: readonly string[] = []): void {
    if (this.chunked) this.#client.socket.write(`0\r\n${fieldLines(trailers)}\r\n`, 'latin1');
  }

  leave(): void {
    this.#client.socket.destroy();
  }

  /** One head at a time, however many ask. */
  #nextHead(): Promise<unknown> {
    this.#heads = this.#heads.then(() => (this.#final === null ? this.#readHead() : undefined));
    return this.#heads;
  }

  async #readHead(): Promise<void> {
    const text = await this.#client.reader.until('\r\n\r\n').catch((error: unknown) => this.#endsEarly(error));
    if (text === null) {
      this.#final = nothing;
      return;
    }
    const head = parseHead(text.toString('latin1'));
    if (head.status < 200 && head.status !== 101) {
      this.#informational.push(head);
      return;
    }
    this.#final = head;
    this.#framing = framingOf(this.#method, head);
    this.#left = typeof this.#framing === 'number' ? this.#framing : 0;
    if (this.#framing === 'none' || this.#framing === 0) this.#ended = 'clean';
  }

  /** Up to `atMost` bytes of the body; `null` at its end, whatever that was like. */
  async #piece(atMost: number): Promise<Buffer | null> {
    if (this.#ended !== null) return null;
    try {
      if (this.#framing === 'until-close') return await this.#rest();
      if (this.#framing === 'chunked' && this.#left === 0 && !(await this.#nextChunk())) return null;
      return await this.#some(atMost);
    } catch (error) {
      return this.#endsEarly(error);
    }
  }

  async #some(atMost: number): Promise<Buffer> {
    const piece = await this.#client.reader.upTo(Math.min(atMost, this.#left));
    this.#left -= piece.length;
    this.#body.push(piece);
    if (this.#left === 0 && this.#framing === 'chunked') await this.#client.reader.read(2);
    else if (this.#left === 0) this.#ended = 'clean';
    return piece;
  }

  async #nextChunk(): Promise<boolean> {
    const line = (await this.#client.reader.until('\r\n')).toString('latin1');
    this.#left = Number.parseInt(line, 16);
    if (this.#left > 0) return true;
    let trailers = '';
    for (;;) {
      const trailer = (await this.#client.reader.until('\r\n')).toString('latin1');
      if (trailer === '\r\n') break;
      trailers += trailer;
    }
    this.#trailers = parseFields(trailers.split('\r\n').filter((text) => text !== ''));
    this.#ended = 'clean';
    return false;
  }

  async #rest(): Promise<Buffer | null> {
    const piece = await this.#client.reader.some();
    if (piece === null) this.#ended = this.#client.ending === 'reset' ? 'reset' : 'clean';
    else this.#body.push(piece);
    return piece;
  }

  #endsEarly(error: unknown): null {
    if (!(error instanceof PeerGone)) throw error;
    this.#ended = this.#client.ending;
    return null;
  }
}

function headOf(request: ClientRequest): string {
  const { body, chunked, length } = request;
  let head = `${request.method ?? 'GET'} ${request.path ?? '/'} HTTP/1.1\r\nHost: ${request.authority ?? 'shop.test'}\r\n`;
  head += fieldLines(request.headers ?? []);
  if (chunked === true) head += 'Transfer-Encoding: chunked\r\n';
  else if (length !== undefined || body !== undefined) head += `Content-Length: ${length ?? body?.length}\r\n`;
  return `${head}\r\n`;
}

function fieldLines(list: readonly string[]): string {
  let lines = '';
  for (let i = 0; i < list.length; i += 2) lines += `${list[i]}: ${list[i + 1]}\r\n`;
  return lines;
}

function parseHead(text: string): ReplyHead {
  const [line = '', ...fields] = text.slice(0, -4).split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1];
  if (status === undefined) throw new Error(`Cannot read "${line}" as a status line`);
  return new ReplyHead(Number(status), parseFields(fields));
}

function parseFields(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}

/** RFC 9112 §6.3. */
function framingOf(method: string, { status, fields }: ReplyHead): Framing {
  if (method === 'HEAD' || status === 204 || status === 304 || status === 101) return 'none';
  if (fields.all('transfer-encoding').length > 0) return 'chunked';
  const length = fields.first('content-length');
  return length === null ? 'until-close' : Number(length);
}

/** The connection went away while something was written: what comes back tells. */
function ignore(): void {}
