import { noBody } from '../../exchange/body.ts';
import type { ClientCertificateFacts } from '../../exchange/client-certificate.ts';
import type { Client, Exchange, Scheme, TlsFacts } from '../../exchange/exchange.ts';
import type { ResponseHead, ResponseSink } from '../../exchange/response-sink.ts';
import { getHeader, type HeaderList } from '../../http/headers.ts';
import { isTunnelProtocol } from '../../http/tunnel-protocol.ts';
import type { AskedCertificate, Question } from './question.ts';

/** Where a request that nobody sends would have come in. */
export interface AskedAt {
  readonly listener: string;
  readonly scheme: Scheme;
  readonly localPort: number;
  readonly authority: string;
  readonly headers: HeaderList;
  readonly tls: TlsFacts | null;
}

/** Keeps the head of what would be sent. */
export class AskedResponse implements ResponseSink {
  readonly phase = 'open';
  readonly unsendable = false;
  onClose: (() => void) | null = null;
  onDrain: (() => void) | null = null;
  head: ResponseHead | null = null;
  bodyBytes = 0;

  informational(): void {}

  start(head: ResponseHead): void {
    this.head = head;
  }

  respond(head: ResponseHead, body: Uint8Array | null): void {
    this.head = head;
    this.bodyBytes = body === null ? 0 : body.byteLength;
  }

  data(): boolean {
    return true;
  }

  end(): void {}

  fail(): void {}
}

/** An exchange that no client is behind: the engine's functions can be run on it, and nothing happens. */
export function askedExchange(question: Question, at: AskedAt): Exchange & { readonly response: AskedResponse } {
  const { method, target, bodyBytes } = question;
  const { authority, scheme, headers } = at;
  return {
    request: { method, target, authority, scheme, version: '1.1', headers },
    requestBody: bodyBytes === 0 ? noBody : { ...noBody, length: bodyBytes },
    response: new AskedResponse(),
    client: clientOf(question, at),
    listener: at.listener,
    upgrade: upgradeOf(question),
    sendContinue: null,
    onClientGone: null,
    bodyMayPause: false,
    bytesIn: 0,
    bytesOut: 0,
  };
}

function clientOf({ client }: Question, { localPort, tls }: AskedAt): Client {
  return {
    address: client,
    peer: client,
    peerPort: 0,
    trusted: false,
    forwardedBy: 'x-forwarded-for',
    localAddress: '',
    localPort,
    tls,
  };
}

function upgradeOf({ headers, bodyBytes }: Question): Exchange['upgrade'] {
  const protocol = getHeader(headers, 'upgrade');
  if (protocol === null || bodyBytes > 0 || !isTunnelProtocol(protocol)) return null;
  return {
    protocol,
    accept: () => {
      throw new Error('Nobody is there to switch protocols with');
    },
  };
}

/** What rules can see of it; what only the endpoint would be told stands for itself. */
export function certificateFacts({ subject, names, fingerprint }: AskedCertificate): ClientCertificateFacts {
  return {
    subject,
    names,
    fingerprint,
    issuer: '',
    serial: '',
    notAfter: Number.POSITIVE_INFINITY,
    field: ':certificate:',
    chainField: null,
  };
}
