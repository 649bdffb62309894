import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify';
import { bodyOf } from './body.ts';
import { AdminConnections, type Socket } from './connections.ts';
import type { AdminDesk } from './desk.ts';
import { type Gate, type GateOptions, gate } from './gate.ts';
import { handOf } from './hand.ts';
import type { Answer, Operation } from './operation.ts';
import { operations } from './operations/operations.ts';
import { streamOf } from './pieces.ts';
import { queryOf } from './query.ts';
import { BUG, isRefusal, type Refusal, refusalBody } from './refusal.ts';
import { type Found, Router } from './router.ts';

export interface AdminOptions extends GateOptions {
  /** What is read and done: nothing else here knows a gateway. */
  readonly desk: AdminDesk;
  /** Hears of a bug that a request met. Must not throw. */
  readonly broke: (bug: unknown) => void;
}

/** Nothing that is sent here is longer. */
const BODY_BYTES = 16 * 1024;
const HEAD_BYTES = 16 * 1024;

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** No answer is a document of anybody else's page, and none is worth keeping. */
const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
};

const router = new Router(operations);

/**
 * The admin listener's HTTP: what can be asked is in `operations`, who may ask in `guard.ts`. Every refusal is JSON:
 * `{ error, message }`, with `field` or `parameter` where one is to blame. Accepts no connections by itself: see `accept`.
 */
export class AdminServer {
  readonly #options: AdminOptions;
  readonly #server: FastifyInstance;
  readonly #gate: Gate;
  readonly #connections: AdminConnections;
  /** What a request that has passed the gate is for. */
  readonly #found = new WeakMap<FastifyRequest, Found & { readonly kind: 'operation' }>();

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#gate = gate(options);
    this.#connections = new AdminConnections(options.clock);
    this.#server = fastify({
      bodyLimit: BODY_BYTES,
      // A request without Host is the guard's to refuse: Node's answer would say nothing.
      http: { maxHeaderSize: HEAD_BYTES, requireHostHeader: false },
      // Own deadlines (`connections.ts`): Node's are only checked once a server listens, and this one never does.
      keepAliveTimeout: 0,
      requestTimeout: 0,
      // The path is the router's to read.
      rewriteUrl: () => '/',
      exposeHeadRoutes: false,
      return503OnClosing: false,
      clientErrorHandler: (error, socket) => answerMalformed(error, socket),
      logController: new LogController({ disableRequestLogging: true }),
    });
    // For the same reason. RFC 9110 §10.1.1: an expectation that nobody knows may be passed over.
    const { server } = this.#server;
    server.on('checkExpectation', (request, response) => server.emit('request', request, response));
    this.#addHooks();
    this.#server.removeAllContentTypeParsers();
    // Of whatever type: the guard has seen to it where it matters.
    this.#server.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, text: string) => text);
    this.#server.setErrorHandler<FastifyError>(async (error, _request, reply) => {
      const refusal = refusalOfError(error);
      if (refusal.status === 500) options.broke(error);
      return send(reply, refusal);
    });
    this.#server.route({ method: METHODS, url: '/', handler: (request, reply) => this.#answer(request, reply) });
  }

  /** Before the first `accept`. */
  async ready(): Promise<void> {
    await this.#server.ready();
  }

  /** Takes a connection that was accepted. */
  accept(socket: Socket): void {
    if (this.#connections.admit(socket)) this.#server.server.emit('connection', socket);
  }

  async close(): Promise<void> {
    this.#connections.closeAll();
    await this.#server.close();
  }

  #addHooks(): void {
    this.#server.addHook('onRequest', async (request, reply) => {
      const [path = ''] = request.originalUrl.split('?', 1);
      const found = router.find(request.method, path);
      const refusal = await this.#gate(request, found);
      if (refusal !== null) await send(reply, refusal);
      else if (found.kind === 'operation') this.#found.set(request, found);
    });
    this.#server.addHook('preHandler', async ({ raw }) => this.#connections.awaitWork(raw.socket));
    this.#server.addHook('onResponse', async ({ raw }) => this.#connections.awaitRequest(raw.socket));
  }

  async #answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const found = this.#found.get(request);
    if (found === undefined) return send(reply, BUG);
    const outcome = await this.#outcome(request, found);
    this.#connections.awaitAnswer(request.raw.socket);
    return send(reply, outcome);
  }

  async #outcome(
    request: FastifyRequest,
    { operation, parameters }: { readonly operation: Operation; readonly parameters: Readonly<Record<string, string>> },
  ): Promise<Answer | Refusal> {
    const queryText = request.originalUrl.split('?').slice(1).join('?');
    const asked = queryOf(queryText, operation.query ?? {});
    if (isRefusal(asked)) return asked;
    const text = operation.method !== 'GET' && typeof request.body === 'string' ? request.body : '';
    const sent = bodyOf(text, operation.body ?? {});
    if (isRefusal(sent)) return sent;
    const { desk } = this.#options;
    const { accept = '' } = request.headers;
    return operation.run({ desk, parameters, query: asked.query, body: sent.body, accept, by: handOf(request) });
  }
}

function send(reply: FastifyReply, outcome: Answer | Refusal): FastifyReply {
  const { status, headers = {} } = outcome;
  reply.code(status).headers({ ...HEADERS, ...headers });
  if (isRefusal(outcome)) return reply.send(refusalBody(outcome));
  if (outcome.type !== undefined) reply.type(outcome.type);
  if (outcome.pieces !== undefined) {
    const { stream, encoding } = streamOf(outcome.pieces, reply.request.headers['accept-encoding'] ?? null);
    if (encoding !== 'identity') reply.header('content-encoding', encoding);
    return reply.send(stream);
  }
  return reply.send(outcome.body);
}

/** What an error of Fastify's means to who has asked; 500 for a bug. */
function refusalOfError({ code, statusCode = 500, message }: Partial<FastifyError>): Refusal {
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return { status: 413, error: 'body-too-large', message: `The body is longer than ${BODY_BYTES} bytes` };
  }
  if (statusCode >= 400 && statusCode < 500) {
    return { status: statusCode, error: 'bad-request', message: message ?? 'Bad request' };
  }
  return BUG;
}

/** What the parser of HTTP refuses. */
function answerMalformed(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const [status, refusal] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [
          '431 Request Header Fields Too Large',
          { error: 'head-too-large', message: `The head is longer than ${HEAD_BYTES} bytes` },
        ]
      : ['400 Bad Request', { error: 'bad-request', message: 'This is not HTTP' }];
  const body = JSON.stringify(refusal);
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
