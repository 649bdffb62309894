import { clientGone, type GatewayError } from '../../src/errors.ts';
import { noBody } from '../../src/exchange/body.ts';
import type { Client, Exchange, RequestHead } from '../../src/exchange/exchange.ts';
import type { ResponseHead, ResponseSink } from '../../src/exchange/response-sink.ts';
import type { HeaderList } from '../../src/http/headers.ts';

const someone: Client = {
  address: '192.0.2.1',
  peer: '192.0.2.1',
  peerPort: 50_000,
  trusted: false,
  forwardedBy: 'x-forwarded-for',
  localAddress: '192.0.2.2',
  localPort: 80,
  tls: null,
};

/** A client and its one exchange, without sockets: reads, stalls and leaves when the test says so. */
export class ScriptedClient implements ResponseSink {
  phase: ResponseSink['phase'] = 'open';
  onDrain: (() => void) | null = null;
  onClose: (() => void) | null = null;
  readonly unsendable = false;
  readonly exchange: Exchange;
  head: ResponseHead | null = null;
  readonly body: Uint8Array[] = [];
  /** How it ended: `null` while it runs. */
  ended: 'complete' | 'cut' | 'left' | null = null;
  /** Called when the head arrives. */
  onHead: (() => void) | null = null;
  #reads = true;
  #owed = false;

  constructor(
    request: Pick<RequestHead, 'method' | 'target'> &
      Partial<Pick<RequestHead, 'authority'>> & { readonly headers: HeaderList },
  ) {
    this.exchange = {
      request: { authority: 'shop.test', scheme: 'http', version: '1.1', ...request },
      requestBody: noBody,
      response: this,
      client: someone,
      listener: 'web',
      upgrade: null,
      sendContinue: null,
      onClientGone: null,
      bodyMayPause: false,
      bytesIn: 0,
      bytesOut: 0,
    };
  }

  informational(): void {}

  start(head: ResponseHead): void {
    // What was asked for may go on for others, and its head come when nobody is here any more.
    if (this.ended === 'left') return;
    this.#expect('open', 'start');
    this.phase = 'started';
    this.head = head;
    this.onHead?.();
  }

  data(chunk: Uint8Array): boolean {
    this.#expect('started', 'data');
    if (chunk.byteLength === 0) throw new Error('An empty chunk was sent');
    // What a socket would do: the bytes are taken now, and may be overwritten afterwards.
    this.body.push(Buffer.from(chunk));
    this.#owed = !this.#reads;
    return this.#reads;
  }

  end(): void {
    this.#expect('started', 'end');
    this.#close('complete');
  }

  respond(head: ResponseHead, body: Uint8Array | null): void {
    this.start(head);
    if (this.ended === 'left') return;
    if (body !== null && body.byteLength > 0) this.body.push(Buffer.from(body));
    this.end();
  }

  fail(_cause: GatewayError): void {
    if (this.phase === 'closed') throw new Error('fail after the end');
    this.#close('cut');
  }

  /** Takes no more than the next chunk. */
  stall(): void {
    this.#reads = false;
  }

  /** Reads again. */
  read(): void {
    this.#reads = true;
    if (!this.#owed || this.phase !== 'started') return;
    this.#owed = false;
    this.onDrain?.();
  }

  leave(): void {
    if (this.phase === 'closed') return;
    this.phase = 'closed';
    this.ended = 'left';
    const tell = this.exchange.onClientGone;
    this.exchange.onClientGone = null;
    tell?.(clientGone());
    this.onClose?.();
  }

  header(lower: string): string | null {
    const headers = this.head?.headers ?? [];
    for (let i = 0; i < headers.length; i += 2)
      if ((headers[i] ?? '').toLowerCase() === lower) return headers[i + 1] ?? null;
    return null;
  }

  #expect(phase: ResponseSink['phase'], deed: string): void {
    if (this.phase !== phase) throw new Error(`${deed} while ${this.ended ?? this.phase}`);
    if (deed === 'data' && this.#owed) throw new Error('data before the client asked for more');
  }

  #close(how: 'complete' | 'cut'): void {
    this.phase = 'closed';
    this.ended = how;
    this.onClose?.();
  }
}
