import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { until } from './deadline.ts';
import { stopAfterTest } from './stop.ts';

/** A span as a test wants to look at it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly flags: number;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code?: number };
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, string | number | boolean>>;
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly scope: object; readonly spans: readonly CollectedSpan[] }[];
  }[];
}

/** How a collector answers one request. */
export interface CollectorAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Takes OTLP/HTTP with JSON. */
export class Collector {
  /** Head and decoded body of every request, in order. */
  readonly requests: { readonly head: IncomingMessage; readonly body: Export }[] = [];
  url = '';
  readonly #answers: CollectorAnswer[];

  constructor(answers: readonly CollectorAnswer[]) {
    this.#answers = [...answers];
  }

  /** All spans that it was sent, whatever it has answered, in order. */
  get spans(): readonly CollectedSpan[] {
    return this.requests.flatMap(({ body }) =>
      body.resourceSpans.flatMap(({ scopeSpans }) =>
        scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, attributes: plain(span.attributes) }))),
      ),
    );
  }

  /** Of the first request. */
  get resource(): Readonly<Record<string, string | number | boolean>> {
    return plain(this.requests[0]?.body.resourceSpans[0]?.resource.attributes ?? []);
  }

  async asked(count: number): Promise<void> {
    await until(() => this.requests.length >= count, `request ${count} at the collector`);
  }

  take(head: IncomingMessage, bytes: Buffer): CollectorAnswer {
    const text = head.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
    this.requests.push({ head, body: JSON.parse(text.toString()) as Export });
    return this.#answers.shift() ?? { status: 200, body: '{}' };
  }
}

/** Listens on a free port of 127.0.0.1; the first requests are answered like this, all others with success. Closed after the test. */
export async function collector(...answers: readonly CollectorAnswer[]): Promise<Collector> {
  const started = new Collector(answers);
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { status, headers, body } = started.take(request, Buffer.concat(chunks));
      response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stopAfterTest(() => {
    server.closeAllConnections();
    server.close();
  });
  started.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return started;
}

function plain(attributes: CollectedSpan['attributes'] | readonly Attribute[]): CollectedSpan['attributes'] {
  return Object.fromEntries((attributes as readonly Attribute[]).map(({ key, value }) => [key, scalarOf(value)]));
}

/** 64-bit integers are text in OTLP/JSON. */
function scalarOf(value: Attribute['value']): string | number | boolean {
  const { intValue } = value;
  return intValue === undefined ? (Object.values(value)[0] as string | number | boolean) : Number(intValue);
}
