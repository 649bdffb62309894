import { type FastifyError, type FastifyInstance, fastify } from 'fastify';
import type { AdminDesk } from './desk.ts';
import { refusalOf, secretFrom } from './guard.ts';
import { objectIn, refusalOfError, send } from './refusal.ts';
import { addCache } from './routes/cache.ts';
import { addDashboard } from './routes/dashboard.ts';
import { addEndpoints } from './routes/endpoints.ts';
import { addObservation } from './routes/observation.ts';
import { addRevocationList } from './routes/revocation-list.ts';

export interface AdminOptions {
  readonly address: string;
  readonly port: number;
  /** Whoever brings it may change things; `null` for none (`guard.ts`). */
  readonly token: string | null;
  /** What is read and done: nothing else here knows a gateway. */
  readonly desk: AdminDesk;
  /** Hears of a bug that a request met. Must not throw. */
  readonly broke: (bug: unknown) => void;
}

/** Nothing that is sent here is longer. */
const BODY_BYTES = 16 * 1024;

/** Nobody who means well takes longer for a whole request. */
const REQUEST_TIMEOUT_MS = 10_000;

/** A percent-encoded origin whose host has 253 characters, or the path of a Unix socket. */
const LONGEST_NAME = 1024;

/**
 * The admin listener: liveness, readiness, metrics, status as JSON, control of endpoints and of the cache, the local CA's revocation list, and the
 * dashboard. Every refusal is JSON: `{ error, message }`.
 */
export class AdminServer {
  readonly #options: AdminOptions;
  readonly #server: FastifyInstance;

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#server = fastify({
      forceCloseConnections: true,
      bodyLimit: BODY_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      routerOptions: { maxParamLength: LONGEST_NAME },
      exposeHeadRoutes: false,
      // A path that can't be decoded: nothing else of Fastify's runs for it.
      frameworkErrors: (error, _request, reply) => void send(reply, refusalOfError(error)),
    });
    this.#server.addHook('onRequest', async (request, reply) => {
      const refusal = refusalOf(request, options);
      if (refusal !== null) await send(reply, refusal);
    });
    this.#server.removeAllContentTypeParsers();
    this.#server.addContentTypeParser(
      'application/json',
      { parseAs: 'string' },
      async (_request: unknown, text: string) => objectIn(text),
    );
    this.#server.setErrorHandler<FastifyError>(async (error, _request, reply) => {
      const refusal = refusalOfError(error);
      if (refusal.status === 500) options.broke(error);
      return send(reply, refusal);
    });
    this.#server.setNotFoundHandler(async (_request, reply) =>
      send(reply, { status: 404, error: 'not-found', message: 'Nothing is here' }),
    );
    const { desk } = options;
    addObservation(this.#server, desk);
    addEndpoints(this.#server, desk);
    addCache(this.#server, desk, (request) => secretFrom(request, options));
    addRevocationList(this.#server, desk);
    addDashboard(this.#server);
  }

  /** Binds and resolves to the URL. Rejects with what the system says (EADDRINUSE, EACCES). */
  async open(): Promise<string> {
    return this.#server.listen({ host: this.#options.address, port: this.#options.port });
  }

  async close(): Promise<void> {
    await this.#server.close();
  }
}
