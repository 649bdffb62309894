import { once } from 'node:events';
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { inTime } from './deadline.ts';
import { testCertificate } from './listener.ts';
import { stopAfterTest } from './stop.ts';

/** One request as an HTTP/2 endpoint sees it, to be answered by hand. */
export interface Http2Arrival {
  readonly stream: ServerHttp2Stream;
  readonly session: ServerHttp2Session;
  /** `[name, value, …]`, pseudo fields included. */
  readonly fields: readonly string[];
  readonly trailers: readonly string[];
  /** Everything that was sent, once the request has ended. */
  body(): Promise<string>;
  /** The first value of `name`, or `undefined`. */
  field(name: string): string | undefined;
}

export interface Http2OriginOptions {
  readonly tls?: boolean;
  readonly settings?: Settings;
  /** Called for each request; unless given, the test takes them from `next`. */
  readonly handle?: (arrival: Http2Arrival) => void;
}

/** An endpoint that speaks HTTP/2 only. */
export class Http2Origin {
  readonly port: number;
  readonly sessions: ServerHttp2Session[] = [];
  readonly sockets = new Set<Socket>();
  readonly arrivals: Http2Arrival[] = [];
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(server: Http2Server, handle: ((arrival: Http2Arrival) => void) | null) {
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      this.#wake();
    });
    server.on('session', (session) => {
      session.on('error', () => {});
      this.sessions.push(session);
      this.#wake();
    });
    server.on('stream', (stream: ServerHttp2Stream, _headers: unknown, _flags: number, fields: readonly string[]) => {
      stream.on('error', () => {});
      const arrival = arrivalOf(stream, fields);
      this.arrivals.push(arrival);
      handle?.(arrival);
      this.#wake();
    });
  }

  /** The next request that was not taken yet. */
  async next(): Promise<Http2Arrival> {
    await this.until(() => this.arrivals.length > this.#taken, `request ${this.#taken + 1}`);
    this.#taken += 1;
    return this.arrivals[this.#taken - 1] as Http2Arrival;
  }

  async until(met: () => boolean, what: string): Promise<void> {
    while (!met())
      await inTime(new Promise<void>((wake) => this.#waiting.push(wake)), `an HTTP/2 origin to see ${what}`);
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** Starts one on a free port of 127.0.0.1. Closed after the test. */
export async function http2Origin(options: Http2OriginOptions = {}): Promise<Http2Origin> {
  const settings = options.settings ?? {};
  const server =
    options.tls === true ? createSecureServer({ ...(await testCertificate()), settings }) : createServer({ settings });
  server.on('sessionError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = new Http2Origin(server as Http2Server, options.handle ?? null);
  stopAfterTest(() => {
    for (const socket of origin.sockets) socket.destroy();
    server.close();
  });
  return origin;
}

function arrivalOf(stream: ServerHttp2Stream, fields: readonly string[]): Http2Arrival {
  const trailers: string[] = [];
  let text = '';
  let flowing = false;
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.on('trailers', (_headers, _flags, raw: readonly string[]) => trailers.push(...raw));
  stream.on('end', resolve);
  return {
    ...{ stream, session: stream.session as ServerHttp2Session, fields, trailers },
    body: async () => {
      if (!flowing) stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      flowing = true;
      await inTime(promise, 'the end of a request body');
      return text;
    },
    field: (name) => {
      for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1];
      return undefined;
    },
  };
}
