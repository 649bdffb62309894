import { connect, type Socket } from 'node:net';

/** Why a request has no answer: enumerated, for counts. */
export type Failure = 'connect' | 'closed' | 'status' | 'malformed';

/**
 * A kept-alive HTTP/1.1 connection with one request at a time, as cheap as Node has it: the load generators that use it share a core with
 * the origin. Understands responses with a Content-Length and no others.
 */
export class RawClient {
  readonly #socket: Socket;
  readonly #request: string;
  readonly #done: (client: RawClient, failure: Failure | null) => void;
  #head = '';
  /** Of the body; -1 while the head is not complete. */
  #left = -1;
  #failure: Failure | null = null;
  #busy = false;
  #open = false;

  /** `done` hears of each request once, and of a connection that could not be made. */
  constructor(options: {
    readonly port: number;
    readonly target: string;
    readonly localAddress?: string;
    readonly connected: (client: RawClient) => void;
    readonly done: (client: RawClient, failure: Failure | null) => void;
  }) {
    const { port, target, localAddress, connected, done } = options;
    this.#request = `GET ${target} HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`;
    this.#done = done;
    const callback = (length: number): boolean => {
      this.#read(length);
      return true;
    };
    const address = localAddress === undefined ? {} : { localAddress };
    this.#socket = connect({ host: '127.0.0.1', port, ...address, onread: { buffer: shared, callback } });
    this.#socket.setNoDelay(true);
    this.#socket.on('error', () => {});
    this.#socket.once('connect', () => {
      this.#open = true;
      connected(this);
    });
    this.#socket.once('close', () => {
      const never = !this.#open;
      this.#open = false;
      if (never) this.#done(this, 'connect');
      else if (this.#busy) this.#end('closed');
    });
  }

  /** It can send. */
  get open(): boolean {
    return this.#open;
  }

  /** Only while it is `open` and the answer before has come. */
  send(): void {
    this.#busy = true;
    this.#socket.write(this.#request, 'latin1');
  }

  close(): void {
    this.#busy = false;
    this.#socket.destroy();
  }

  #read(length: number): void {
    if (this.#left >= 0) {
      this.#body(length);
      return;
    }
    this.#head += shared.toString('latin1', 0, length);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end === -1) return;
    const head = this.#head.slice(0, end);
    const announced = /\r\ncontent-length: *(\d+)/i.exec(head);
    if (announced === null) {
      this.#socket.destroy();
      this.#end('malformed');
      return;
    }
    this.#failure = head.startsWith('HTTP/1.1 200 ') ? null : 'status';
    this.#left = Number(announced[1]);
    const body = this.#head.length - end - 4;
    this.#head = '';
    this.#body(body);
  }

  #body(length: number): void {
    this.#left -= length;
    if (this.#left > 0) return;
    if (this.#left < 0) this.#socket.destroy();
    this.#end(this.#left < 0 ? 'malformed' : this.#failure);
  }

  #end(failure: Failure | null): void {
    this.#left = -1;
    this.#busy = false;
    this.#done(this, failure);
  }
}

/** What is read is looked at before anything else is. */
const shared = Buffer.allocUnsafeSlow(64 * 1024);

/** The value below which `share` of the times lie; `NaN` of none. Sorts `times`. */
export function percentile(times: Float64Array, share: number): number {
  times.sort();
  return times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
}

/** What one of these programs has printed. JSON has no `NaN`, which is what times are when nothing was answered. */
export function readPrinted<T>(stdout: string): T {
  return JSON.parse(stdout, (_key, value: unknown) => (value === null ? Number.NaN : value)) as T;
}
