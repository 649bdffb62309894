import type { Socket } from 'node:net';
import type { Client } from '../../exchange/exchange.ts';
import { RECENT_MS, SWEEP_MS, type Tended } from '../connections.ts';
import type { FrontParts } from '../front.ts';
import type { Begun } from '../http1/connection.ts';
import { linger } from '../linger.ts';
import { StallWatch } from '../stall.ts';
import { LaneExchange, type LaneHost } from './exchange.ts';
import { giveBack, readInto } from './lane-socket.ts';
import { LaneBody } from './request-body.ts';
import type { CanonicalHead } from './scan.ts';
import { Unread } from './unread.ts';

/** Bytes that may wait behind a request in progress before the client is not read any more; one packet may come on top. */
const MAX_UNREAD_BYTES = 64 * 1024;

const nothing: Buffer = Buffer.alloc(0);

/** `head`: waiting for the rest of a request. `idle`: between requests, no byte came yet. `closing`: no request is taken. */
type State = 'head' | 'idle' | 'exchange' | 'closing';

/** Takes a connection for ever. */
export type Defer = (socket: Socket, client: Client, begun: Begun) => void;

/**
 * One HTTP/1.1 connection, for as long as all its requests are canonical. It accepts them or defers: what is anything else, too
 * slow or too large, goes to Fastify with the socket, and the connection stays there. It answers nothing by itself.
 * Everything that a client can observe is as `Http1Connection` does it; what differs would be a bug here.
 */
export class LaneConnection implements Tended, LaneHost {
  readonly listener: string;
  readonly socket: Socket;
  readonly #client: Client;
  readonly #parts: FrontParts;
  readonly #defer: Defer;
  readonly #stall = new StallWatch();
  #exchange: LaneExchange | null = null;
  /** What of the last request's body has not come yet; the exchange may be over already. */
  #body: LaneBody | null = null;
  /** Behind what is in progress: at most `MAX_UNREAD_BYTES` and one packet. */
  readonly #unread: Unread;
  #state: State = 'head';
  #since: number;
  /** `socket.bytesRead` when the connection became idle: one more byte is the start of a request. */
  #bytesAtIdle = 0;
  #last = false;
  #lingers = false;
  #paused = false;
  #working = false;

  constructor(socket: Socket, client: Client, parts: FrontParts, defer: Defer) {
    this.socket = socket;
    this.#client = client;
    this.#parts = parts;
    this.#defer = defer;
    this.listener = parts.options.name;
    this.#since = parts.connections.now;
    this.#unread = new Unread(parts.options.limits);
  }

  start(): void {
    const { socket } = this;
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    // A listener that drains already retires it within this call.
    this.#parts.connections.attach(this);
    readInto(socket, this.#take);
  }

  get reusable(): boolean {
    return !this.#last;
  }

  lingerAfterResponse(): void {
    this.#last = true;
    this.#lingers = true;
  }

  exchangeEnded(exchange: LaneExchange): void {
    if (this.#exchange !== exchange) return;
    this.#exchange = null;
    if (this.#state === 'closing') return;
    if (exchange.response.last && !this.#lingers) {
      this.#state = 'closing';
      this.socket.destroySoon();
      return;
    }
    if (this.#lingers) {
      this.#state = 'closing';
      if (!this.socket.writableEnded && !this.socket.destroyed) linger(this.socket, this.#parts.clock);
      return;
    }
    // Though it is retiring: this head was sent before that and has promised more, and what the client asks by that is answered.
    // Also with half a head: only more of it is a sign of life, as `Http1Connection` has it.
    this.#state = 'idle';
    this.#since = this.#parts.connections.now;
    this.#bytesAtIdle = this.socket.bytesRead;
    if (this.#unread.length === 0) return;
    this.#next(true);
    this.#flow();
  }

  tend(nowMs: number): void {
    const { limits } = this.#parts.options;
    switch (this.#state) {
      case 'head':
        // A client that is too slow is not answered here.
        if (nowMs - this.#since >= limits.headTimeout + SWEEP_MS) this.#handOver();
        else if (this.#last && this.socket.bytesRead === 0) this.#closeIfIdleFor(RECENT_MS, nowMs);
        return;
      case 'idle':
        if (this.socket.bytesRead !== this.#bytesAtIdle) {
          this.#state = 'head';
          this.#since = nowMs;
        } else {
          this.#closeIfIdleFor(this.#last ? RECENT_MS : limits.idleTimeout, nowMs);
        }
        return;
      case 'exchange':
        this.#exchange?.tend(nowMs, limits.bodyRate);
        this.#tendReader(nowMs);
        return;
      case 'closing':
        this.#tendReader(nowMs);
    }
  }

  retire(): void {
    // As `Http1Connection` does: who is just about to send is served once more.
    this.#last = true;
    this.tend(this.#parts.clock.monotonic());
  }

  readonly #take = (bytes: Buffer, length: number, shared: boolean): void => {
    if (this.#takeWhole(bytes, length)) return;
    let rest = bytes.subarray(0, length);
    const body = this.#body;
    if (body !== null) {
      const wanted = Math.min(body.missing, length);
      const part = rest.subarray(0, wanted);
      rest = rest.subarray(wanted);
      if (wanted === body.missing) this.#body = null;
      // `Buffer.from` of a `Buffer` is a copy.
      body.take(shared ? Buffer.from(part) : part);
    }
    if (rest.length > 0) this.#takeRest(rest, shared);
    this.#flow();
  };

  /** Nearly every packet is one request, on a connection that waits for it. False: it is not, and nothing was done. */
  #takeWhole(bytes: Buffer, length: number): boolean {
    if (this.#body !== null || this.#exchange !== null || this.#unread.length > 0 || this.#state === 'closing')
      return false;
    const head = this.#unread.scan(bytes, 0, length);
    if (typeof head === 'string' || head.end + head.contentLength < length) return false;
    this.#begin(head, head.end === length ? nothing : bytes.subarray(head.end, length), false);
    return true;
  }

  #takeRest(bytes: Buffer, shared: boolean): void {
    if (this.#state === 'closing') return;
    if (this.#exchange?.closes === true) {
      this.#tooMuch(bytes);
      return;
    }
    const unread = this.#unread;
    unread.put(bytes);
    if (this.#exchange === null) {
      if (this.#state === 'idle') {
        this.#state = 'head';
        this.#since = this.#parts.connections.now;
      }
      this.#next(false);
    } else if (!unread.look()) {
      this.#handOver();
    }
    if (shared) unread.own();
  }

  /** Begins with the requests that lie in `#unread`, until one is in progress or there is no whole one. */
  #next(waited: boolean): void {
    if (this.#working) return;
    this.#working = true;
    while (this.#exchange === null && this.#body === null && this.#unread.length > 0 && this.#state !== 'closing') {
      if (!this.#nextRequest(waited)) break;
    }
    this.#working = false;
  }

  /** `waited`: it came while another one was in progress. */
  #nextRequest(waited: boolean): boolean {
    const unread = this.#unread;
    const isCanonical = unread.look();
    const first = unread.hasRequest ? unread.takeRequest() : null;
    if (first === null) {
      if (!isCanonical) this.#handOver();
      return false;
    }
    const { head, body } = first;
    this.#begin(head, body, waited);
    if (head.closes) this.#tooMuch(unread.takeAll());
    // Fastify's already now: Node's parser looks at what comes in the meantime, and what it finds may change a response that has not begun.
    else if (!isCanonical) this.#handOver();
    return true;
  }

  /**
   * What has come of the body is told after the head, as a parser would; only if both have `waited`, it is there with it. What is answered
   * at once is then kept alive by what is left of the body, and counts in the log what was dropped of it.
   */
  #begin(head: CanonicalHead, bodyPart: Buffer, waited: boolean): void {
    this.#state = 'exchange';
    const body = head.contentLength === 0 ? null : new LaneBody(head.contentLength, this.#flow);
    this.#body = body;
    if (waited) this.#feed(bodyPart);
    const client = this.#parts.addresses.forRequest(this.#client, head.headers);
    const exchange = new LaneExchange({ host: this, head, client, body });
    this.#exchange = exchange;
    try {
      this.#parts.handle(exchange);
    } catch (bug) {
      this.#parts.log.broke(bug);
      this.socket.destroy();
    }
    if (!waited) this.#feed(bodyPart);
    if (body !== null) this.#flow();
  }

  /** The body's next bytes, which may lie in the shared buffer: a copy of them is handed on. */
  #feed(part: Buffer): void {
    const body = this.#body;
    if (body === null || part.length === 0) return;
    if (part.length === body.missing) this.#body = null;
    body.take(Buffer.from(part));
  }

  /** Bytes behind a request that said it was the last: Node's parser takes line ends there, and calls everything else broken. */
  #tooMuch(bytes: Buffer): void {
    if (this.#lingers || bytes.every((c) => c === 0x0a || c === 0x0d)) return;
    this.#report(400, 'closed-connection');
    this.lingerAfterResponse();
  }

  /** Fastify's from now on. */
  #handOver(): void {
    const { socket } = this;
    const idle = this.#state === 'idle';
    this.#state = 'closing';
    socket.removeListener('drain', this.#onDrain);
    socket.removeListener('end', this.#onEnd);
    socket.removeListener('close', this.#onClose);
    this.#parts.connections.detach(this);
    const bytes = this.#unread.takeAll();
    // A copy: it may lie in the shared buffer.
    const unread = bytes.length === 0 ? null : Buffer.from(bytes);
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#paused = false;
    giveBack(socket);
    this.#defer(socket, this.#client, { unread, since: this.#since, idle, exchange });
  }

  /** Reads the client, or does not, as what has come demands. */
  readonly #flow = (): void => {
    const wants = this.#body === null ? this.#unread.length < MAX_UNREAD_BYTES : this.#body.wantsMore;
    if (wants !== this.#paused) return;
    this.#paused = !wants;
    if (wants) this.socket.resume();
    else this.socket.pause();
  };

  readonly #onDrain = (): void => {
    this.#exchange?.response.drained();
  };

  /** The client sends no more. As Node's server has it, it gets no more either, beyond what was written. */
  readonly #onEnd = (): void => {
    // In the middle of a head or of a body there is nobody to answer.
    if (this.#body !== null || !this.#unread.isWhole) this.socket.destroy();
    else this.socket.end();
  };

  readonly #onClose = (): void => {
    this.#parts.connections.detach(this);
    this.#state = 'closing';
    this.#unread.takeAll();
    this.#exchange?.response.connectionClosed();
  };

  #closeIfIdleFor(limitMs: number, nowMs: number): void {
    if (limitMs === 0 || nowMs - this.#since < limitMs + SWEEP_MS) return;
    this.#state = 'closing';
    this.socket.destroySoon();
  }

  #tendReader(nowMs: number): void {
    const { socket } = this;
    if (this.#stall.isStalled(nowMs, socket.bytesWritten, socket.writableLength)) socket.destroy();
  }

  #report(status: number, reason: string): void {
    this.#parts.log.refused({ listener: this.listener, peer: this.#client.peer, status, reason });
  }
}
