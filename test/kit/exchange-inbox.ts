import type { GatewayError } from '../../src/errors.ts';
import type { BodySink, BodySource } from '../../src/exchange/body.ts';
import type { Exchange, HandleExchange } from '../../src/exchange/exchange.ts';
import type { HeaderList } from '../../src/http/headers.ts';
import { inTime } from './deadline.ts';

/** One exchange that a downstream made, in the hands of a test instead of the engine. */
export class HeldExchange {
  readonly exchange: Exchange;
  /** What the client's leaving was called, and how often it was told. */
  readonly gone: GatewayError[] = [];
  closes = 0;
  readonly #closed: Promise<void>;
  readonly #left: Promise<GatewayError>;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
    this.#left = new Promise((resolve) => {
      exchange.onClientGone = (cause) => {
        this.gone.push(cause);
        resolve(cause);
      };
    });
    this.#closed = new Promise((resolve) => {
      exchange.response.onClose = () => {
        this.closes += 1;
        resolve();
      };
    });
  }

  /** Resolves when the response is over, however it ended. */
  closed(): Promise<void> {
    return inTime(this.#closed, 'the exchange to close');
  }

  /** Resolves when the downstream says that the client has left. */
  left(): Promise<GatewayError> {
    return inTime(this.#left, 'the client to leave');
  }

  respond(status: number, headers: HeaderList = [], body = ''): void {
    this.exchange.response.respond({ status, headers }, body === '' ? null : Buffer.from(body, 'latin1'));
  }

  /** Reads the whole request body. */
  body(): Promise<Collected> {
    return inTime(collect(this.exchange.requestBody), 'the request body');
  }
}

/** Stands where the engine stands: keeps exchanges until a test asks for them. */
export class ExchangeInbox {
  /** Every exchange so far. */
  readonly held: HeldExchange[] = [];
  readonly #waiting: ((held: HeldExchange) => void)[] = [];
  #taken = 0;

  readonly handle: HandleExchange = (exchange) => {
    const held = new HeldExchange(exchange);
    this.held.push(held);
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting(held);
  };

  /** The next exchange, in the order they were made. */
  next(): Promise<HeldExchange> {
    const held = this.held[this.#taken];
    this.#taken += 1;
    if (held !== undefined) return Promise.resolve(held);
    return inTime(new Promise((resolve) => this.#waiting.push(resolve)), 'an exchange');
  }
}

/** A body that was read to its end, or to where it broke off. */
export interface Collected {
  readonly bytes: Buffer;
  readonly text: string;
  readonly trailers: HeaderList | null;
  readonly failure: GatewayError | null;
}

/** Reads all of a body. */
export function collect(source: BodySource): Promise<Collected> {
  return new Promise((resolve) => {
    const parts: Uint8Array[] = [];
    const done = (trailers: HeaderList | null, failure: GatewayError | null): void => {
      const bytes = Buffer.concat(parts);
      resolve({ bytes, text: bytes.toString('latin1'), trailers, failure });
    };
    source.pipe({
      onDrain: null,
      data: (chunk) => parts.push(chunk) > 0,
      end: (trailers) => done(trailers, null),
      fail: (cause) => done(null, cause),
    });
  });
}

/** A sink that takes one chunk and then none until `drain` is called. */
export class StallingSink implements BodySink {
  onDrain: (() => void) | null = null;
  received = 0;
  ended = false;
  failure: GatewayError | null = null;
  open = false;

  data(chunk: Uint8Array): boolean {
    this.received += chunk.byteLength;
    return this.open;
  }

  end(): void {
    this.ended = true;
  }

  fail(cause: GatewayError): void {
    this.failure = cause;
  }

  drain(): void {
    this.open = true;
    this.onDrain?.();
  }
}
