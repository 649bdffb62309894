import type { Socket } from 'node:net';
import type { Client } from '../../exchange/exchange.ts';
import { RECENT_MS, SWEEP_MS, type Tended } from '../connections.ts';
import type { FrontParts } from '../front.ts';
import { linger } from '../linger.ts';
import {
  answerTo,
  type ParserAnswer,
  type ParserError,
  refusalFields,
  refusalMessage,
  refusalText,
} from '../refusal.ts';
import { DISCARD_BYTES } from '../request-body.ts';
import { StallWatch } from '../stall.ts';
import { bodyOf, dropBody } from './body.ts';
import { type BadHead, examineFields } from './checks.ts';
import { type ExchangeHost, Http1Exchange, type InProgress } from './exchange.ts';
import type { Http1Request, Http1Response } from './message.ts';
import { readHead } from './request-head.ts';
import { UpgradeByTunnel } from './upgrade.ts';

/** Requests that may wait behind one in progress before the connection is not read any more. */
const MAX_WAITING = 32;

/** `head`: waiting for the rest of a request. `idle`: between requests, no byte came yet. `closing`: no request is taken. */
type State = 'head' | 'idle' | 'exchange' | 'tunnel' | 'closing';

/** A connection that others have read first, and where they have left off. */
export interface Begun {
  /** Its next bytes. */
  readonly unread: Uint8Array | null;
  /** Monotonic: since then it is waited for the end of the head that these begin. */
  readonly since: number;
  /** Nobody waits for more than a next request: these are what lies between requests, or may become one. */
  readonly idle: boolean;
  /** What is in progress, all of whose request was received. */
  readonly exchange: Movable | null;
}

/** A request in progress that can go on with another host for it. */
export interface Movable extends InProgress {
  moveTo(host: ExchangeHost & { readonly socket: Socket }): void;
}

interface Waiting {
  readonly request: Http1Request;
  readonly response: Http1Response;
}

/**
 * One HTTP/1.x connection: which request is in progress, which wait behind it, and how long the client may take.
 * Requests are handled one after another even when pipelined: RFC 9112 §9.3.2 allows parallel work for safe methods only.
 */
export class Http1Connection implements Tended, ExchangeHost {
  readonly listener: string;
  readonly socket: Socket;
  readonly #client: Client;
  readonly #parts: FrontParts;
  #exchange: InProgress | null = null;
  #waiting: Waiting[] = [];
  #state: State = 'head';
  #since: number;
  /** `socket.bytesRead` when the connection became idle: one more byte is the start of a request. */
  #bytesAtIdle = 0;
  /** No response promises another one. */
  #last = false;
  /** Nor is there one, whatever was promised. */
  #ends = false;
  #lingers = false;
  /** What comes now may be the middle of something: it is not looked at. */
  #deaf = false;
  #pausedForQueue = false;
  /** What comes behind the requests that were read is no HTTP: the answer to that, once they have got theirs. */
  #broken: ParserAnswer | null = null;
  readonly #stall = new StallWatch();
  /** The last Host value that was found valid: clients repeat it. */
  #knownHost = '';

  constructor(socket: Socket, client: Client, parts: FrontParts, begun: Begun | null = null) {
    this.socket = socket;
    this.#client = client;
    this.#parts = parts;
    this.listener = parts.options.name;
    this.#since = begun === null ? parts.connections.now : begun.since;
    if (begun?.idle === true) {
      this.#state = 'idle';
      this.#bytesAtIdle = socket.bytesRead;
    }
    if (begun !== null && begun.exchange !== null) {
      this.#state = 'exchange';
      this.#exchange = begun.exchange;
      begun.exchange.moveTo(this);
    }
    // Node writes a head that goes before its body in the socket's default encoding: values would change from latin1 to UTF-8.
    socket.setDefaultEncoding('latin1');
  }

  get reusable(): boolean {
    return !this.#last;
  }

  /** A request head was received. */
  take(request: Http1Request, response: Http1Response): void {
    if (this.#deaf || this.#state === 'closing' || this.#state === 'tunnel') return;
    this.#deaf = request.endsConnection;
    if (this.#exchange === null && this.#waiting.length === 0) {
      this.#begin({ request, response });
      return;
    }
    this.#waiting.push({ request, response });
    if (this.#waiting.length === MAX_WAITING) process.nextTick(pauseForQueue, this);
  }

  /** The client asked for an upgrade that `mayUpgrade` agreed to; Node has let go of the socket. */
  takeUpgrade(request: Http1Request, head: Uint8Array): void {
    if (this.#state === 'closing') {
      this.socket.destroy();
      return;
    }
    const upgrade = new UpgradeByTunnel(request, this.socket, head, () => this.#becomeTunnel());
    // The refusal of an upgrade is the last response on its connection: Node's parser is gone from it.
    this.#end();
    this.#begin({ request, response: upgrade.response }, upgrade);
  }

  /** CONNECT: a forward proxy's method (RFC 9110 §9.3.6). Node has let go of the socket. */
  takeConnect(): void {
    const { socket } = this;
    if (this.#state === 'closing') {
      socket.destroy();
      return;
    }
    // Nobody else does any more, and there may be requests before it whose responses are not through.
    socket.on('drain', () => this.#exchange?.drained());
    socket.resume();
    this.#breakOff({ status: 501, reason: 'connect' });
  }

  /** Nothing is in progress or waiting that an upgrade would overtake. */
  get idle(): boolean {
    return this.#exchange === null && this.#waiting.length === 0;
  }

  pauseForQueue(): void {
    if (this.#waiting.length < MAX_WAITING || this.#pausedForQueue) return;
    this.#pausedForQueue = true;
    this.socket.pause();
  }

  exchangeEnded(exchange: InProgress): void {
    if (this.#exchange !== exchange) return;
    this.#exchange = null;
    if (this.#state === 'closing' || this.#state === 'tunnel') return;
    const isEnded = this.socket.writableEnded || this.socket.destroyed;
    if (this.#ends || (this.#last && isEnded)) {
      this.#state = 'closing';
      // The head may have promised more before it was known that this response is the last.
      if (!isEnded) this.#linger();
      return;
    }
    // Though it is retiring: this head was sent before that and has promised more, and what the client asks by that is answered.
    const next = this.#waiting.shift();
    if (next === undefined) {
      if (this.#broken !== null) {
        this.#last = true;
        this.#refuseRaw(this.#broken.status, this.#broken.reason);
        return;
      }
      this.#state = 'idle';
      this.#since = this.#parts.connections.now;
      this.#bytesAtIdle = this.socket.bytesRead;
      return;
    }
    if (this.#pausedForQueue && this.#waiting.length === 0) {
      this.#pausedForQueue = false;
      this.socket.resume();
    }
    this.#begin(next);
  }

  lingerAfterResponse(): void {
    this.#end();
    this.#lingers = true;
    // Node closes a connection after its last response by `destroySoon`, and closing a socket with unread bytes makes the
    // kernel send a reset, which takes the response from the client before it was read.
    const closeSoon = (): void => this.#linger();
    this.socket.destroySoon = closeSoon;
  }

  tend(nowMs: number): void {
    const { limits } = this.#parts.options;
    switch (this.#state) {
      case 'head':
        if (nowMs - this.#since >= limits.headTimeout + SWEEP_MS) this.#headTooSlow();
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
      case 'tunnel':
        // While it lasts, how long it may be silent is the engine's to say; what is left to send after it is nobody's but ours.
        if (this.socket.writableEnded) this.#tendReader(nowMs);
        return;
      case 'closing':
        this.#tendReader(nowMs);
    }
  }

  retire(): void {
    // A client that is just about to send, on a connection that is new or was busy a moment ago, is served once more: what
    // was idle for longer closes now, the rest by `tend`.
    this.#last = true;
    this.tend(this.#parts.clock.monotonic());
  }

  /** Node's parser gave up, or the socket failed under it. */
  broke(error: ParserError): void {
    const answer = answerTo(error);
    if (answer === null) {
      this.socket.destroy();
      return;
    }
    if (this.#state === 'closing') {
      if (this.socket.bytesRead - this.#bytesAtIdle > DISCARD_BYTES) this.socket.destroy();
      return;
    }
    this.#breakOff(answer);
  }

  #breakOff(answer: ParserAnswer): void {
    if (this.#exchange === null && this.#waiting.length === 0) {
      this.#end();
      this.#refuseRaw(answer.status, answer.reason);
    } else if (this.#broken === null) {
      // In the order in which it came, whatever was in one packet: requests, a broken body, a broken request.
      this.#broken = answer;
      this.#breakLast();
    }
  }

  /** Once the last request that was read is in progress: is it the broken one? */
  #breakLast(): void {
    if (this.#broken === null || this.#exchange === null || this.#waiting.length > 0) return;
    if (this.#broken.reason === 'closed-connection') {
      // The client has said that this request is its last, and has sent more nevertheless. Once answered, what it sends is only dropped.
      if (this.#lingers) return;
      this.#report(this.#broken.status, this.#broken.reason);
      this.lingerAfterResponse();
    } else if (this.#exchange.bodyBroken()) {
      // The engine answers.
      this.#end();
    }
  }

  /** The socket has closed. */
  lost(): void {
    this.#state = 'closing';
    this.#waiting = [];
    this.#exchange?.connectionLost();
  }

  #begin(next: Waiting, upgrade: UpgradeByTunnel | null = null): void {
    this.#state = 'exchange';
    const { request, response } = next;
    if (request.endsConnection) this.#end();
    const facts = examineFields(request.rawHeaders);
    const head = readHead(request, facts, {
      options: this.#parts.options,
      scheme: this.#client.tls === null ? 'http' : 'https',
      knownHost: this.#knownHost,
    });
    if ('reason' in head) {
      this.#refuse(request, response, head);
      return;
    }
    this.#knownHost = facts.host;
    const exchange = new Http1Exchange({
      host: this,
      request: head,
      client: this.#parts.addresses.forRequest(this.#client, head.headers),
      body: bodyOf(request, facts),
      response,
      upgrade,
      expectsContinue: request.expectsContinue,
    });
    this.#exchange = exchange;
    upgrade?.attach(exchange);
    try {
      this.#parts.handle(exchange);
    } catch (bug) {
      this.#parts.log.broke(bug);
      this.socket.destroy();
    }
    this.#breakLast();
  }

  #refuse(request: Http1Request, response: Http1Response, bad: BadHead): void {
    this.#state = 'closing';
    this.#waiting = [];
    this.#report(bad.status, bad.reason);
    if (!request.complete) {
      this.lingerAfterResponse();
      dropBody(request);
    }
    response.shouldKeepAlive = false;
    const text = refusalText(bad.status, bad.reason);
    response.writeHead(bad.status, refusalFields(text, this.#parts.options.hsts).slice());
    response.end(text);
  }

  #refuseRaw(status: number, reason: string): void {
    this.#state = 'closing';
    this.#bytesAtIdle = this.socket.bytesRead;
    this.#report(status, reason);
    const { hsts } = this.#parts.options;
    if (this.socket.writable) this.socket.write(refusalMessage(status, reason, hsts), 'latin1');
    this.#linger();
  }

  #closeIfIdleFor(limitMs: number, nowMs: number): void {
    if (limitMs === 0 || nowMs - this.#since < limitMs + SWEEP_MS) return;
    this.#state = 'closing';
    this.socket.destroySoon();
  }

  #tendReader(nowMs: number): void {
    const { socket } = this;
    if (this.#stall.isStalled(nowMs, socket.bytesWritten, socket.writableLength)) socket.destroy();
  }

  #headTooSlow(): void {
    // A connection that was opened ahead of need and never used gets no answer: browsers would take a 408 for the
    // answer to the request that they send later.
    if (this.socket.bytesRead === 0) {
      this.#state = 'closing';
      this.#report(0, 'no-request');
      this.socket.destroySoon();
      return;
    }
    this.#refuseRaw(408, 'head-timeout');
  }

  #linger(): void {
    this.#state = 'closing';
    linger(this.socket, this.#parts.clock);
  }

  #end(): void {
    this.#last = true;
    this.#ends = true;
  }

  #becomeTunnel(): void {
    this.#state = 'tunnel';
  }

  #report(status: number, reason: string): void {
    this.#parts.log.refused({ listener: this.listener, peer: this.#client.peer, status, reason });
  }
}

function pauseForQueue(connection: Http1Connection): void {
  connection.pauseForQueue();
}
