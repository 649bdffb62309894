import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
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

/** HTTP/2 as Node's client speaks it. */
export class Http2Client implements ClientConnection {
  readonly session: ClientHttp2Session;
  readonly #dismissed: Promise<void>;

  constructor(session: ClientHttp2Session) {
    this.session = session;
    session.on('error', () => {});
    this.#dismissed = new Promise((resolve) => {
      session.once('goaway', () => resolve());
      session.once('close', () => resolve());
    });
  }

  begin(request: ClientRequest): Http2ClientExchange {
    const { body, chunked, length, trailers } = request;
    const head = [
      ...[':method', request.method ?? 'GET', ':path', request.path ?? '/'],
      ...[':scheme', 'https', ':authority', request.authority ?? 'shop.test'],
      ...(request.headers ?? []).map((part, i) => (i % 2 === 0 ? part.toLowerCase() : part)),
    ];
    const announced = length ?? (chunked === true ? undefined : body?.length);
    if (announced !== undefined) head.push('content-length', String(announced));
    const hasBody = announced !== undefined || chunked === true;
    const stream = this.stream(head, { endStream: !hasBody, waitForTrailers: trailers !== undefined });
    if (trailers !== undefined) stream.on('wantTrailers', () => stream.sendTrailers(toObject(trailers)));
    if (body !== undefined) stream.end(body);
    return new Http2ClientExchange(stream);
  }

  /** A stream with exactly this head, pseudo fields included. */
  stream(head: readonly string[], options: { endStream: boolean; waitForTrailers?: boolean }): ClientHttp2Stream {
    const stream = this.session.request(head, options);
    stream.on('error', () => {});
    return stream;
  }

  send(request: ClientRequest): Promise<Reply> {
    return this.begin(request).reply();
  }

  dismissed(): Promise<void> {
    return inTime(this.#dismissed, 'a GOAWAY');
  }

  close(): void {
    this.session.destroy();
  }
}

export class Http2ClientExchange implements ClientExchange {
  readonly stream: ClientHttp2Stream;
  readonly #reader: ByteReader;
  readonly #informational: ReplyHead[] = [];
  #final: ReplyHead | null = null;
  #trailers: readonly string[] = [];
  #closed = false;
  #wake: (() => void)[] = [];
  readonly #body: Buffer[] = [];

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    this.#reader = new ByteReader(stream);
    stream.on('headers', (_headers, _flags, raw: readonly string[]) =>
      this.#note(() => this.#informational.push(headOf(raw))),
    );
    stream.on('response', (_headers, _flags, raw: readonly string[]) => {
      this.#note(() => {
        this.#final = headOf(raw);
      });
    });
    stream.on('trailers', (_headers, _flags, raw: readonly string[]) => {
      this.#trailers = raw;
    });
    stream.on('close', () => {
      this.#note(() => {
        this.#closed = true;
      });
    });
  }

  async head(): Promise<ReplyHead> {
    await this.#until(() => this.#final !== null || this.#closed, 'a response head');
    return this.#final ?? new ReplyHead(0, []);
  }

  async interim(index: number): Promise<ReplyHead> {
    const enough = () => this.#final !== null || this.#closed || this.#informational.length > index;
    await this.#until(enough, 'an interim response');
    const found = this.#informational[index];
    if (found === undefined) throw new Error(`Cannot find interim response ${index}: the final one came first`);
    return found;
  }

  async read(length: number): Promise<Buffer> {
    const piece = await inTime(this.#reader.read(length), `${length} bytes of body`);
    this.#body.push(piece);
    return piece;
  }

  async reply(): Promise<Reply> {
    const head = await this.head();
    await inTime(this.#rest(), 'the end of the body');
    // A trailer section comes after the last byte, and a reset may too.
    await this.#until(() => this.#closed || this.stream.readableEnded, 'the end of the stream');
    const body = Buffer.concat(this.#body);
    return new Reply({
      head,
      body,
      trailers: this.#trailers,
      informational: this.#informational,
      ended: this.#ending(head, body.length),
    });
  }

  write(chunk: string | Uint8Array): Promise<void> {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk;
    return new Promise((resolve, reject) => {
      this.stream.write(bytes, (error) => (error ? reject(new PeerGone(error.message)) : resolve()));
    });
  }

  end(): void {
    this.stream.end();
  }

  /** RST_STREAM and nothing before it, as browsers do. Node's own `close` would end an unfinished body cleanly first. */
  leave(): void {
    const handle = Object.getOwnPropertySymbols(this.stream).find((symbol) => symbol.description === 'kHandle');
    const bare: unknown = handle === undefined ? undefined : Reflect.get(this.stream, handle);
    (bare as { rstStream(code: number): void }).rstStream(constants.NGHTTP2_CANCEL);
    this.stream.destroy();
  }

  /** Node ends a stream that was reset without an error code like one that ended; its length tells. */
  #ending(head: ReplyHead, bodyLength: number): Ending {
    if (this.stream.rstCode !== undefined && this.stream.rstCode !== constants.NGHTTP2_NO_ERROR) return 'reset';
    const announced = head.header('content-length');
    const short = this.#closed && !this.stream.readableEnded;
    const bodiless = head.status === 304 || this.stream.sentHeaders[':method'] === 'HEAD';
    return short || head.status === 0 || (!bodiless && announced !== null && Number(announced) !== bodyLength)
      ? 'truncated'
      : 'clean';
  }

  async #rest(): Promise<void> {
    for (let piece = await this.#reader.some(); piece !== null; piece = await this.#reader.some())
      this.#body.push(piece);
  }

  #note(change: () => void): void {
    change();
    for (const wake of this.#wake.splice(0)) wake();
  }

  async #until(met: () => boolean, what: string): Promise<void> {
    while (!met()) await inTime(new Promise<void>((resolve) => this.#wake.push(resolve)), what);
  }
}

/** The session is ready to be used: the gateway's settings have come. */
export async function settled(session: ClientHttp2Session): Promise<void> {
  await inTime(once(session, 'remoteSettings'), 'the settings of the gateway');
}

function headOf(raw: readonly string[]): ReplyHead {
  const at = raw.indexOf(':status');
  return new ReplyHead(Number(raw[at + 1]), [...raw.slice(0, at), ...raw.slice(at + 2)]);
}

function toObject(list: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i < list.length; i += 2) fields[list[i] as string] = list[i + 1] as string;
  return fields;
}
