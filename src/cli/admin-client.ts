import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { CLI_AGENT } from '../admin/hand.ts';
import { version } from '../version.ts';

/** A running gateway that is asked over its admin listener. */
export interface AdminAccess {
  /** `http:`, `https:`, or `unix:` and the path of a socket. */
  readonly url: URL;
  readonly token: string | null;
}

export interface AdminAnswer {
  readonly status: number;
  /** A JSON value. */
  readonly body: unknown;
}

/** Nobody answers, or somebody who is no admin listener. The message is for a person. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** Longer than an order waits for a worker that hangs (src/fleet/asking.ts). */
const PATIENCE_MS = 20_000;

/** The status of thousands of endpoints is smaller. */
const MOST_BYTES = 64 * 1024 ** 2;

/**
 * Asks `path` by `method`; a change brings a body, `null` is none. Follows no redirects: they could lead the token away.
 * @throws Unreachable
 */
export async function askAdmin(
  { url, token }: AdminAccess,
  asked: {
    readonly method: 'GET' | 'POST' | 'PUT';
    readonly path: string;
    readonly body: object | null;
    readonly patienceMs?: number;
  },
): Promise<AdminAnswer> {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const socket = socketPathOf(url);
  const text = asked.body === null ? null : JSON.stringify(asked.body);
  const { patienceMs = PATIENCE_MS } = asked;
  const request = send(socket === null ? new URL(asked.path, url) : new URL(asked.path, 'http://localhost'), {
    ...(socket === null ? {} : { socketPath: socket }),
    method: asked.method,
    agent: false,
    signal: AbortSignal.timeout(patienceMs),
    headers: {
      'user-agent': `${CLI_AGENT}/${version}`,
      accept: 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(text === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    },
  });
  request.end(text ?? '');
  try {
    const response = await responseOf(request);
    return { status: response.statusCode ?? 0, body: await jsonOf(response, url) };
  } catch (error) {
    if (error instanceof Unreachable) throw error;
    throw new Unreachable(`No gateway answers at ${placeNameOf(url)} (${reasonOf(error, patienceMs)})`);
  }
}

/** `null` for what is no Unix socket. */
function socketPathOf({ protocol, pathname }: URL): string | null {
  return protocol === 'unix:' ? decodeURIComponent(pathname) : null;
}

/** For a person. */
export function placeNameOf(url: URL): string {
  const socket = socketPathOf(url);
  return socket === null ? url.origin : `unix:${socket}`;
}

function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.on('response', resolve);
  request.on('error', reject);
  return promise;
}

async function jsonOf(response: IncomingMessage, url: URL): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw stranger(url);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    // Whatever it is, it does not speak as an admin listener does.
    throw stranger(url);
  }
}

function stranger(url: URL): Unreachable {
  return new Unreachable(`What answers at ${placeNameOf(url)} is not the admin listener of a gateway`);
}

function reasonOf(error: unknown, patienceMs: number): string {
  const { code, name, errors } = error as NodeJS.ErrnoException & {
    readonly errors?: readonly NodeJS.ErrnoException[];
  };
  if (name === 'AbortError' || name === 'TimeoutError') return `nothing within ${patienceMs / 1000} s`;
  // A name with several addresses fails with a list of errors.
  return code ?? errors?.[0]?.code ?? (error as Error).message;
}
