import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { inTime } from './deadline.ts';
import { sendPieces } from './raw-client.ts';
import { stopAfterTest } from './stop.ts';

export interface H2ClientOptions {
  readonly port: number;
  /** Sent ahead of TLS, piece by piece. */
  readonly preamble?: readonly Uint8Array[];
  /** PEM of the certificate to trust; any is trusted unless given. */
  readonly ca?: string;
  /** `http` for HTTP/2 by prior knowledge. Default `https`. */
  readonly scheme?: 'http' | 'https';
}

export interface H2Interim {
  readonly status: number;
  readonly fields: readonly string[];
}

/** A response as it arrived. */
export interface H2Response {
  readonly status: number;
  /** Without pseudo fields, flat, in received order. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly text: string;
  readonly trailers: readonly string[];
  readonly informational: readonly H2Interim[];
  /** RST_STREAM's code; 0 after a clean end. */
  readonly resetCode: number;
  header(lower: string): string | null;
}

/** One stream, written to by hand. */
export class H2Request {
  readonly stream: ClientHttp2Stream;
  readonly #response: Promise<H2Response>;

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    this.#response = collect(stream);
  }

  /** Resolves when the stream has closed, cleanly or not. */
  response(): Promise<H2Response> {
    return inTime(this.#response, 'an HTTP/2 response');
  }

  /** The status, as soon as the head is there. */
  async head(): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.stream.once('response', (headers) => resolve(Number(headers[':status'])));
    return inTime(promise, 'an HTTP/2 response head');
  }

  reset(code: number = constants.NGHTTP2_CANCEL): void {
    this.stream.close(code);
  }
}

/** An HTTP/2 client on one connection. Destroyed after the test. */
export class H2Client {
  readonly session: ClientHttp2Session;
  readonly #closed: Promise<void>;
  /** Codes of the GOAWAY frames received. */
  readonly goaways: number[] = [];

  readonly #tcp: Socket;

  private constructor(session: ClientHttp2Session, tcp: Socket) {
    this.session = session;
    this.#tcp = tcp;
    tcp.on('error', () => {});
    session.on('error', () => {});
    session.on('goaway', (code) => this.goaways.push(code));
    this.#closed = new Promise((resolve) => {
      session.on('close', resolve);
    });
    stopAfterTest(() => session.destroy());
  }

  static async connect(options: H2ClientOptions): Promise<H2Client> {
    const tcp = connectTcp({ port: options.port, host: '127.0.0.1', noDelay: true });
    tcp.on('error', () => {});
    if (options.preamble !== undefined) await sendPieces(tcp, options.preamble);
    const trust = options.ca === undefined ? { rejectUnauthorized: false } : { ca: options.ca };
    const scheme = options.scheme ?? 'https';
    const session = connect(`${scheme}://127.0.0.1:${options.port}`, {
      createConnection: () =>
        scheme === 'http' ? tcp : connectTls({ socket: tcp, host: '127.0.0.1', ALPNProtocols: ['h2'], ...trust }),
    });
    const client = new H2Client(session, tcp);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    session.once('remoteSettings', () => resolve());
    session.once('error', reject);
    await inTime(promise, 'an HTTP/2 session');
    return client;
  }

  /** Starts a request; `body` `undefined` for none, `null` for one that the caller writes. */
  start(headers: OutgoingHttpHeaders, body?: string | Uint8Array | null): H2Request {
    const stream = this.session.request(headers, { endStream: body === undefined });
    const request = new H2Request(stream);
    if (body !== undefined && body !== null) stream.end(body);
    return request;
  }

  /** Sends a request and resolves with its response. */
  request(headers: OutgoingHttpHeaders, body?: string | Uint8Array): Promise<H2Response> {
    return this.start(headers, body).response();
  }

  /** Sends an RST on the connection. */
  reset(): void {
    this.#tcp.resetAndDestroy();
  }

  closed(): Promise<void> {
    return inTime(this.#closed, 'the HTTP/2 session to close');
  }
}

function collect(stream: ClientHttp2Stream): Promise<H2Response> {
  const informational: H2Interim[] = [];
  const parts: Buffer[] = [];
  let status = 0;
  let headers: readonly string[] = [];
  let trailers: readonly string[] = [];
  stream.on('headers', (interim, _flags, raw: readonly string[]) => {
    informational.push({ status: Number(interim[':status']), fields: withoutPseudo(raw) });
  });
  stream.on('response', (head, _flags, raw: readonly string[]) => {
    status = Number(head[':status']);
    headers = withoutPseudo(raw);
  });
  stream.on('trailers', (_head, _flags, raw: readonly string[]) => {
    trailers = raw;
  });
  stream.on('data', (chunk: Buffer) => parts.push(chunk));
  stream.on('error', () => {});
  return new Promise((resolve) => {
    stream.on('close', () => {
      const body = Buffer.concat(parts);
      resolve({
        status,
        headers,
        body,
        text: body.toString('latin1'),
        trailers,
        informational,
        resetCode: stream.rstCode,
        header: (lower) => headers.find((_, i) => i % 2 === 1 && headers[i - 1] === lower) ?? null,
      });
    });
  });
}

function withoutPseudo(raw: readonly string[]): string[] {
  const fields: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]?.startsWith(':') === false) fields.push(raw[i] as string, raw[i + 1] as string);
  }
  return fields;
}
