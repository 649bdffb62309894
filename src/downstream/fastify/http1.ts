import { createServer, METHODS, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import type { Client } from '../../exchange/exchange.ts';
import type { FrontParts } from '../front.ts';
import { examineFields, tunnelProtocol } from '../http1/checks.ts';
import { type Begun, Http1Connection } from '../http1/connection.ts';
import { Http1Request, Http1Response } from '../http1/message.ts';

/** Takes accepted connections that speak HTTP/1.x. */
export interface Http1Front {
  /** With `begun`, others have read from the socket, and may have left it paused. */
  accept(socket: Socket, client: Client, begun?: Begun): void;
  close(): Promise<void>;
}

const nothing = Object.freeze({});

/**
 * Fastify as the front end for HTTP/1.x. It owns server, routing and lifecycle, and is kept from everything that would
 * read, decode or answer a request before the engine has: one route for all methods, none of which has a body in its eyes
 * (so that no content type parser, 415 or 413 is ever met), and every reply hijacked.
 */
export async function createHttp1Front(parts: FrontParts): Promise<Http1Front> {
  const connections = new Map<unknown, Http1Connection>();
  let server: Server | null = null;
  const app = Fastify({
    serverFactory: (handler) => {
      server = createHttpServer(parts, connections, handler);
      return server;
    },
    clientErrorHandler: (error, socket) => {
      const connection = connections.get(socket);
      if (connection === undefined) socket.destroy();
      else connection.broke(error);
    },
    // A target is the engine's to read: find-my-way would decode it, and refuse some. The raw one is in `originalUrl`.
    rewriteUrl: () => '/',
    routerOptions: { querystringParser: () => nothing },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: () => '',
    logController: new LogController({ disableRequestLogging: true }),
  });
  routeEverything(app, connections);
  await app.ready();
  if (server === null) throw new Error('Cannot start the HTTP/1.1 front: Fastify did not ask for its server');
  return frontOf(app, server, connections, parts);
}

function frontOf(
  app: FastifyInstance,
  server: Server,
  connections: Map<unknown, Http1Connection>,
  parts: FrontParts,
): Http1Front {
  return {
    accept(socket, client, begun) {
      const connection = new Http1Connection(socket, client, parts, begun);
      connections.set(socket, connection);
      socket.on('close', () => {
        connections.delete(socket);
        parts.connections.detach(connection);
        connection.lost();
      });
      server.emit('connection', socket);
      // Once somebody has listened, Node's parser does not read from the socket by itself: that lets ticks pass between pieces of a body that
      // came in one packet, so that what a request is answered would depend on whether it came by TCP, by TLS or behind others.
      socket.on('data', ignore).removeListener('data', ignore);
      parts.connections.attach(connection);
      // Where reading ahead has left off.
      if (socket.isPaused()) socket.resume();
      // Within this call, as Node's parser would have read it: before a response that was given by now has told of its end.
      if (begun !== undefined && begun.unread !== null) socket.emit('data', begun.unread);
    },
    close: () => app.close(),
  };
}

function ignore(): void {}

function routeEverything(app: FastifyInstance, connections: ReadonlyMap<unknown, Http1Connection>): void {
  app.removeAllContentTypeParsers();
  // CONNECT never reaches a route: Node gives it an event of its own.
  const methods = METHODS.filter((method) => method !== 'CONNECT');
  for (const method of methods) app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  app.route({
    method: methods,
    url: '/',
    handler: (request, reply) => {
      reply.hijack();
      const { raw } = request;
      const response = reply.raw;
      if (!(raw instanceof Http1Request) || !(response instanceof Http1Response)) return;
      const connection = connections.get(raw.socket);
      if (connection === undefined) raw.socket.destroy();
      else connection.take(raw, response);
    },
  });
}

function createHttpServer(
  parts: FrontParts,
  connections: ReadonlyMap<unknown, Http1Connection>,
  handler: RequestListener,
): Server {
  const server = createServer<typeof Http1Request, typeof Http1Response>(
    {
      IncomingMessage: Http1Request,
      ServerResponse: Http1Response,
      maxHeaderSize: parts.options.limits.headerBytes,
      insecureHTTPParser: false,
      // Own checks, with own answers.
      requireHostHeader: false,
      // Own deadlines: Node's are only checked once a server listens, and this one never does.
      headersTimeout: 0,
      requestTimeout: 0,
      keepAliveTimeout: 0,
      // A request without a body needs no stream events; nothing here waits for any.
      optimizeEmptyRequests: true,
      shouldUpgradeCallback: (request) => {
        if (mayUpgrade(request, connections.get(request.socket))) return true;
        request.endsConnection = !isAlone(request);
        return false;
      },
    },
    handler,
  );
  // 0: all of them. By default Node drops what comes after the 2000th field, and with it perhaps the second Host.
  server.maxHeadersCount = 0;
  server.on('checkContinue', (request, response) => {
    request.expectsContinue = true;
    handler(request, response);
  });
  server.on('checkExpectation', handler);
  server.on('upgrade', (request, socket, head) => {
    connections.get(socket)?.takeUpgrade(request, head);
  });
  server.on('connect', (_request, socket) => {
    connections.get(socket)?.takeConnect();
  });
  return server;
}

/** One that would overtake a request in progress is served without its upgrade. */
function mayUpgrade(request: Http1Request, connection: Http1Connection | undefined): boolean {
  if (connection === undefined || !connection.idle) return false;
  const line = {
    method: request.method ?? '',
    target: request.url ?? '',
    major: request.httpVersionMajor,
    minor: request.httpVersionMinor,
  };
  return tunnelProtocol(line, examineFields(request.rawHeaders)) !== null;
}

/** What Node's parser is working on, from inside of its callbacks. Not documented: done without where it is missing. */
interface WorkingParser {
  getCurrentBuffer?(): Uint8Array;
}

/**
 * Is this request, its body included, the whole of the packet that it came in? Node's parser stops behind every request that
 * asks for an upgrade, and what came in the same packet is lost when the upgrade is not carried out. `false` when in doubt.
 */
function isAlone(request: Http1Request): boolean {
  const { contentLength, transferEncoding } = examineFields(request.rawHeaders);
  if (transferEncoding !== null) return false;
  const { parser }: { parser?: WorkingParser | null } = request.socket as { parser?: WorkingParser | null };
  const bytes = parser?.getCurrentBuffer?.();
  if (bytes === undefined) return false;
  const packet = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  // From its first byte on, or the end that is found would be the next one's.
  if (!packet.startsWith(`${request.method} ${request.url} `)) return false;
  return packet.indexOf('\r\n\r\n') + 4 + Number(contentLength ?? 0) === packet.length;
}
