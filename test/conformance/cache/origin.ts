import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CaseRequest } from './case.ts';
import { fieldText } from './dates.ts';
import type { Pace } from './pace.ts';

/** One request that came through. */
export interface SeenRequest {
  /** Which request of the client it was, counted from 1; NaN for one that the client did not number. */
  readonly number: number;
  readonly method: string;
  readonly headers: IncomingMessage['headers'];
  /** Fields of the answer that the client has to get unchanged. */
  readonly checked: ReadonlyMap<string, string>;
}

interface Script {
  readonly requests: readonly CaseRequest[];
  readonly seen: SeenRequest[];
  /** `Last-Modified` of the answers given so far, by request number: what it is depends on when that was. */
  readonly lastModified: Map<number, string>;
}

/** Answers each case's requests as the case says: what the suite's own server does. */
export class SuiteOrigin {
  readonly #pace: Pace;
  readonly #scripts = new Map<string, Script>();
  readonly #server: Server;

  constructor(pace: Pace) {
    this.#pace = pace;
    this.#server = createServer((request, response) => this.#take(request, response));
    // The cases' own pauses must not cut connections that the gateway keeps.
    this.#server.keepAliveTimeout = 60_000;
  }

  /** Starts to listen; resolves with the port. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  /** From now on, `/test/<token>` answers as `requests` say. */
  expect(token: string, requests: readonly CaseRequest[]): void {
    this.#scripts.set(token, { requests, seen: [], lastModified: new Map() });
  }

  /** What came for `token` so far, in order. */
  seen(token: string): readonly SeenRequest[] {
    return this.#scripts.get(token)?.seen.slice() ?? [];
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const [, area, token] = (request.url ?? '').split(/[/?]/);
    const script = area === 'test' && token !== undefined ? this.#scripts.get(token) : undefined;
    const number = Number.parseInt(String(request.headers['req-num']), 10);
    const asked = script?.requests[(number || (script?.seen.length ?? 0) + 1) - 1];
    if (script === undefined || token === undefined || asked === undefined) {
      response.writeHead(409).end('nothing is scripted for this');
      return;
    }
    const answer = (): void => respond({ script, asked, number, token }, request, response, this.#pace.clock.now());
    if (asked.response_pause === undefined) answer();
    else void this.#pace.pause(asked.response_pause * 1000).then(answer);
  }
}

interface Scripted {
  readonly script: Script;
  readonly asked: CaseRequest;
  readonly number: number;
  readonly token: string;
}

function respond(scripted: Scripted, request: IncomingMessage, response: ServerResponse, nowMs: number): void {
  const { script, asked, number, token } = scripted;
  for (const [status, fields = []] of asked.interim_responses ?? []) {
    if (status === 102) response.writeProcessing();
    else response.writeEarlyHints(Object.fromEntries(fields) as { link: string });
  }
  [response.statusCode, response.statusMessage] = statusFor(scripted, request);
  response.setHeader('Server-Base-Url', request.url ?? '');
  response.setHeader('Server-Request-Count', String(script.seen.length + 1));
  response.setHeader('Client-Request-Count', String(number));
  response.setHeader('Server-Now', String(nowMs));
  const checked = writeFields(scripted, response, { base: request.url ?? '', nowMs });
  if (!response.hasHeader('date')) response.setHeader('Date', new Date(nowMs).toUTCString());
  if (!response.hasHeader('content-type')) response.setHeader('Content-Type', 'text/plain');
  script.seen.push({ number, method: request.method ?? '', headers: request.headers, checked });
  response.setHeader('Request-Numbers', script.seen.map((seen) => seen.number).join(' '));
  if (asked.disconnect === true) response.socket?.destroy();
  else if (response.statusCode === 204 || response.statusCode === 304) response.end();
  // As bytes: Node would write the head in the encoding of a text, and with it an entity tag that is not ASCII.
  else response.end(Buffer.from(asked.response_body ?? token));
}

/** 304 to the condition that is awaited, 999 where it did not come. */
function statusFor({ script, asked, number }: Scripted, request: IncomingMessage): readonly [number, string] {
  const { expected_type: type } = asked;
  if (type !== 'etag_validated' && type !== 'lm_validated') return asked.response_status ?? [200, 'OK'];
  // The answer before may have come from the cache, so the case is asked and not what was sent.
  const before = script.requests[number - 2]?.response_headers ?? [];
  const etag = before.findLast(([name]) => name.toLowerCase() === 'etag')?.[1];
  const stated = before.findLast(([name]) => name.toLowerCase() === 'last-modified')?.[1];
  const lastModified = script.lastModified.get(number - 1) ?? stated;
  const { 'if-modified-since': since, 'if-none-match': tag } = request.headers;
  const confirmed = (lastModified !== undefined && since === lastModified) || (etag !== undefined && tag === etag);
  return confirmed ? [304, 'Not Modified'] : [999, '304 Not Generated'];
}

/** Returns the fields that the client is to get as they are. */
function writeFields(
  { script, asked, number }: Scripted,
  response: ServerResponse,
  facts: { readonly nowMs: number; readonly base: string },
): ReadonlyMap<string, string> {
  const checked = new Map<string, string>();
  const lines = new Map<string, string[]>();
  for (const field of asked.response_headers ?? []) {
    const [name, , isChecked = true] = field;
    const text = fieldText(field, {
      ...facts,
      magicLocations: asked.magic_locations === true,
      rfc850: asked.rfc850date ?? [],
    });
    const values = [...(lines.get(name.toLowerCase()) ?? []), text];
    lines.set(name.toLowerCase(), values);
    response.setHeader(name, values.length === 1 ? text : values);
    if (isChecked) checked.set(name, values.join(', '));
  }
  const lastModified = lines.get('last-modified')?.at(-1);
  if (lastModified !== undefined) script.lastModified.set(number, lastModified);
  return checked;
}
