import { type FastifyError, type FastifyInstance, fastify } from 'fastify';
import { refusalOf, secretFrom } from './guard.ts';
import { objectIn, refusalOfError, send } from './refusal.ts';
import { addCache, type CacheDesk } from './routes/cache.ts';
import { addDashboard } from './routes/dashboard.ts';
import { addEndpoints, type EndpointControl } from './routes/endpoints.ts';
import { addObservation, type ObservationSources } from './routes/observation.ts';
import { addRevocationList } from './routes/revocation-list.ts';

export interface AdminOptions extends ObservationSources {
  readonly address: string;
  readonly port: number;
  /** Whoever brings it may change things; `null` for none (`guard.ts`). */
  readonly token: string | null;
  readonly control: EndpointControl;
  readonly cache: CacheDesk;
  /** The current revocation list of the local CA, DER (RFC 5280 §5); `null` while there is none. */
  readonly revocationList: () => Buffer | null;
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
    addObservation(this.#server, options);
    addEndpoints(this.#server, options.control);
    addCache(this.#server, options.cache, (request) => secretFrom(request, options));
    addRevocationList(this.#server, options.revocationList);
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
