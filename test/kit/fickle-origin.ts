import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { constants, createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { until } from './deadline.ts';
import { stopAfterTest } from './stop.ts';

/**
 * What an endpoint does with one request. `ok`: takes all of it and answers 200 with its body. `reset`: breaks off as soon as the
 * head came, `reset after body` when it has all of it. `silent`: nothing, ever.
 */
export type Mood =
  | 'ok'
  | 'reset'
  | 'reset after body'
  | 'silent'
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Waits for the promise with what it does. */
  | { readonly after: Promise<void>; readonly mood: Mood }
  /** Interim response first, then as `mood` has it. */
  | { readonly interim: Readonly<Record<string, string>>; readonly mood: Mood };

/** One request as it arrived. */
export interface FickleArrival {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** What has come so far. */
  body: string;
  trailers: Readonly<Record<string, string | string[] | undefined>>;
  complete: boolean;
  /** The gateway has given it up. */
  cancelled: boolean;
}

export type FickleProtocol = 'http1' | 'http2';

/** An endpoint that is in another mood for each request, in order of arrival; the last mood stays. Closed after the test. */
export async function fickleOrigin(protocol: FickleProtocol, moods: readonly Mood[]): Promise<FickleOrigin> {
  const origin = new FickleOrigin(protocol, moods);
  await origin.listen();
  stopAfterTest(() => origin.close());
  return origin;
}

export class FickleOrigin {
  readonly arrivals: FickleArrival[] = [];
  connections = 0;
  readonly #moods: readonly Mood[];
  readonly #sockets = new Set<Socket>();
  readonly #server: ReturnType<typeof createServer> | ReturnType<typeof createHttp2Server>;

  constructor(protocol: FickleProtocol, moods: readonly Mood[]) {
    this.#moods = moods;
    if (protocol === 'http1') {
      this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => this.#http1(request, response));
    } else {
      const server = createHttp2Server();
      server.on('session', (session) => session.on('error', () => {}));
      server.on('stream', (stream: ServerHttp2Stream, headers) => this.#http2(stream, headers as Headers));
      this.#server = server;
    }
    this.#server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get requests(): number {
    return this.arrivals.length;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  /** Request number `index`, from 0, once its head has come. */
  async arrival(index: number): Promise<FickleArrival> {
    await until(() => this.arrivals.length > index, `request ${index} of an endpoint`);
    return this.arrivals[index] as FickleArrival;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #next(): Mood {
    return this.#moods[Math.min(this.arrivals.length, this.#moods.length - 1)] ?? 'ok';
  }

  #arrive(method: string, path: string, headers: Headers): FickleArrival {
    const arrival: FickleArrival = {
      ...{ method, path, headers },
      ...{ body: '', trailers: {}, complete: false, cancelled: false },
    };
    this.arrivals.push(arrival);
    return arrival;
  }

  #http1(request: IncomingMessage, response: ServerResponse): void {
    const first = this.#next();
    const arrival = this.#arrive(request.method ?? '', request.url ?? '', request.headers);
    request.on('error', () => {});
    response.on('close', () => {
      arrival.cancelled = !response.writableFinished;
    });
    const answer = (status: number, headers: Readonly<Record<string, string>>, body: string): void => {
      response.writeHead(status, { 'content-length': String(Buffer.byteLength(body)), ...headers });
      response.end(body);
    };
    const act = (what: Mood): void => {
      if (what === 'ok') whenRead(request, arrival, () => answer(200, {}, arrival.body));
      else if (what === 'reset') request.socket.resetAndDestroy();
      else if (what === 'reset after body') whenRead(request, arrival, () => request.socket.resetAndDestroy());
      else if (what === 'silent') whenRead(request, arrival, () => {});
      else if ('after' in what) void what.after.then(() => act(what.mood));
      else if ('interim' in what) {
        response.writeEarlyHints(what.interim, () => act(what.mood));
      } else whenRead(request, arrival, () => answer(what.status, what.headers ?? {}, what.body ?? ''));
    };
    act(first);
  }

  #http2(stream: ServerHttp2Stream, headers: Headers): void {
    const first = this.#next();
    const arrival = this.#arrive(String(headers[':method']), String(headers[':path']), headers);
    stream.on('error', () => {});
    stream.on('trailers', (trailers) => {
      arrival.trailers = trailers as Headers;
    });
    stream.on('close', () => {
      arrival.cancelled = stream.rstCode === constants.NGHTTP2_CANCEL;
    });
    const reset = (): void => stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    const act = (what: Mood): void => {
      if (what === 'ok') {
        whenRead(stream, arrival, () => {
          stream.respond({ ':status': 200 });
          stream.end(arrival.body);
        });
      } else if (what === 'reset') reset();
      else if (what === 'reset after body') whenRead(stream, arrival, reset);
      else if (what === 'silent') whenRead(stream, arrival, () => {});
      else if ('after' in what) void what.after.then(() => act(what.mood));
      else if ('interim' in what) {
        stream.additionalHeaders({ ':status': 103, ...what.interim });
        act(what.mood);
      } else {
        whenRead(stream, arrival, () => {
          stream.respond({ ':status': what.status, ...what.headers });
          stream.end(what.body ?? '');
        });
      }
    };
    act(first);
  }
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function whenRead(request: IncomingMessage | ServerHttp2Stream, arrival: FickleArrival, then: () => void): void {
  request.on('data', (chunk: Buffer) => {
    arrival.body += chunk.toString('latin1');
  });
  request.on('end', () => {
    arrival.complete = true;
    if ('trailers' in request && Object.keys(request.trailers).length > 0) arrival.trailers = request.trailers;
    then();
  });
}
