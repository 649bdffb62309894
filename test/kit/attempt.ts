import type { GatewayError } from '../../src/errors.ts';
import type { Attempt, AttemptReceiver, Destination, InFlight, Transport } from '../../src/exchange/attempt.ts';
import type { BodySink, BodySource, ByteChannel } from '../../src/exchange/body.ts';
import type { ResponseHead } from '../../src/exchange/response-sink.ts';
import type { HeaderList } from '../../src/http/headers.ts';
import { Http1Transport, type Http1TransportOptions } from '../../src/transport/http1.ts';
import { GENERAL } from './general.ts';
import { stopAfterTest } from './stop.ts';

/** A transport whose connections are closed after the test. */
export function transportOf(options: Http1TransportOptions = {}): Http1Transport {
  const made = new Http1Transport({ http1: GENERAL ? 'undici' : 'lean', ...options });
  stopAfterTest(() => made.drain(0));
  return made;
}

/** Everything an attempt needs, with sane values. */
export function destination(
  port: number,
  over: Partial<Destination> = {},
  limits: Partial<Destination['limits']> = {},
): Destination {
  const host = over.host ?? '127.0.0.1';
  return {
    connectionKey: `http://${host}:${port}`,
    host,
    port,
    socketPath: null,
    tls: null,
    proxyProtocol: null,
    protocol: 'http1',
    ...over,
    limits: {
      maxConnections: 8,
      maxQueued: 8,
      queueTimeoutMs: 0,
      keepAliveMs: 10_000,
      connectTimeoutMs: 5000,
      ...limits,
    },
  };
}

export function attempt(to: Destination, over: Partial<Attempt> = {}): Attempt {
  return {
    destination: to,
    client: null,
    method: 'GET',
    target: '/',
    headers: ['Host', 'shop.test'],
    body: null,
    upgrade: null,
    headTimeoutMs: 0,
    ...over,
  };
}

/** A receiver that writes down what it hears and holds the transport to the legal order. */
export class Heard implements AttemptReceiver {
  onDrain: (() => void) | null = null;
  /** One word per call, in order: `sent`, `103`, `head`, `data`, `end`, `fail`, `upgraded`. */
  readonly calls: string[] = [];
  readonly reused: boolean[] = [];
  /** What `head` said of what follows. */
  readonly lasts: boolean[] = [];
  readonly interim: { status: number; headers: HeaderList }[] = [];
  head_: ResponseHead | null = null;
  bytes = 0;
  body = '';
  trailers: HeaderList | null = null;
  error: GatewayError | null = null;
  channel: ByteChannel | null = null;
  /** `false`: the next `data` asks the transport to stop. */
  accepting = true;
  keepBody = true;
  /** Resolves at `end`, `fail` or `upgraded`. */
  readonly over: Promise<this>;
  readonly begun: Promise<void>;
  #finish: () => void = () => {};
  #begin: () => void = () => {};

  constructor() {
    this.over = new Promise((resolve) => {
      this.#finish = () => resolve(this);
    });
    this.begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  get status(): number | null {
    return this.head_?.status ?? null;
  }

  sent(reusedConnection: boolean): void {
    this.#note('sent');
    this.reused.push(reusedConnection);
  }

  informational(status: number, headers: HeaderList): void {
    this.#note(String(status));
    this.interim.push({ status, headers });
  }

  head(head: ResponseHead, last: boolean): void {
    this.#note('head');
    this.lasts.push(last);
    this.head_ = head;
    this.#begin();
  }

  data(chunk: Uint8Array): boolean {
    if (this.calls.at(-1) !== 'data') this.#note('data');
    this.bytes += chunk.length;
    if (this.keepBody) this.body += Buffer.from(chunk).toString('latin1');
    return this.accepting;
  }

  end(trailers: HeaderList | null): void {
    this.#note('end');
    this.trailers = trailers;
    this.#finish();
  }

  fail(cause: GatewayError): void {
    this.#note('fail');
    this.error = cause;
    this.#finish();
  }

  upgraded(head: ResponseHead, channel: ByteChannel): void {
    this.#note('upgraded');
    this.head_ = head;
    this.channel = channel;
    this.#finish();
  }

  #note(call: string): void {
    const last = this.calls.at(-1);
    if (last === 'end' || last === 'fail' || last === 'upgraded') throw new Error(`Heard "${call}" after "${last}"`);
    this.calls.push(call);
  }
}

export interface Sent {
  readonly heard: Heard;
  readonly inFlight: InFlight;
}

/** Sends and hands back the ear at once. */
export function begin(transport: Transport, what: Attempt): Sent {
  const heard = new Heard();
  return { heard, inFlight: transport.send(what, heard) };
}

/** Sends and waits until it is over. */
export function send(transport: Transport, what: Attempt): Promise<Heard> {
  return begin(transport, what).heard.over;
}

/** A request body that a test feeds by hand. */
export class FedBody implements BodySource {
  readonly length: number | null;
  untouched = true;
  /** The sink asked for a stop and did not call `onDrain` since. */
  stopped = false;
  drains = 0;
  pipes = 0;
  unpipes = 0;
  into: BodySink | null = null;
  readonly piped: Promise<void>;
  #onPipe: () => void = () => {};
  #onDrain: (() => void) | null = null;

  constructor(length: number | null) {
    this.length = length;
    this.piped = new Promise((resolve) => {
      this.#onPipe = resolve;
    });
  }

  pipe(into: BodySink): void {
    this.pipes += 1;
    this.into = into;
    into.onDrain = () => {
      this.stopped = false;
      this.drains += 1;
      const waiting = this.#onDrain;
      this.#onDrain = null;
      waiting?.();
    };
    this.#onPipe();
  }

  unpipe(): void {
    this.unpipes += 1;
    this.into = null;
  }

  discard(): void {
    this.into = null;
  }

  feed(chunk: string | Uint8Array): boolean {
    this.untouched = false;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk;
    const more = this.into?.data(bytes) ?? false;
    if (!more) this.stopped = true;
    return more;
  }

  /** Resolves when the sink wants more. */
  drained(): Promise<void> {
    if (!this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onDrain = resolve;
    });
  }

  finish(trailers: HeaderList | null = null): void {
    this.into?.end(trailers);
  }

  break(cause: GatewayError): void {
    this.into?.fail(cause);
  }
}

/** A body whose bytes are all there: delivered within `pipe`, as a downstream does with a small request. */
export function readyBody(text: string, length: number | null = Buffer.byteLength(text)): BodySource {
  let touched = false;
  return {
    length,
    get untouched() {
      return !touched;
    },
    pipe: (into) => {
      touched = true;
      into.onDrain = null;
      into.data(Buffer.from(text));
      into.end(null);
    },
    unpipe: () => {},
    discard: () => {},
  };
}
