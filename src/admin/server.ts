import { readFileSync } from 'node:fs';
import { type FastifyInstance, fastify } from 'fastify';
import type { GatewayStatus } from '../control/status.ts';
import type { Metrics } from '../observe/metrics.ts';

export interface AdminOptions {
  readonly address: string;
  readonly port: number;
  readonly status: () => GatewayStatus;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  /** The current revocation list of the local CA, DER (RFC 5280 §5); `null` while there is none. */
  readonly revocationList: () => Buffer | null;
}

/** Where the revocation list is: certificates of the local CA name it, so that it can't change. */
export const REVOCATION_LIST_PATH = '/ca.crl';

/** Half a week of the list is left at least; and when the CA is made anew, its list should not be the old one's for long. */
const REVOCATION_LIST_MAX_AGE_SECONDS = 3600;

/** The admin listener: liveness, readiness, metrics, status as JSON, the local CA's revocation list, and the dashboard. Read-only. */
export class AdminServer {
  readonly #options: AdminOptions;
  readonly #server: FastifyInstance;

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#server = fastify({ forceCloseConnections: true });
    const { status } = options;
    this.#server.addHook('onRequest', async (request, reply) => {
      if (isLoopback(options.address) && !isLoopback(hostName(request.headers.host ?? ''))) {
        // A page of any origin can make a browser ask 127.0.0.1 under a name of its own (DNS rebinding).
        await reply.code(421).send({ error: 'host-not-allowed' });
      }
    });
    this.#server.get('/healthz', () => ({ status: 'alive' }));
    this.#server.get('/readyz', async (_request, reply) => {
      const ready = status().phase === 'serving';
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'draining' });
    });
    this.#server.get('/status', () => status());
    this.#server.get('/metrics', async (_request, reply) =>
      reply.type(options.metrics.contentType).send(await options.metrics.text()),
    );
    this.#server.get(REVOCATION_LIST_PATH, async (_request, reply) => {
      const list = options.revocationList();
      if (list === null) return reply.code(404).send({ error: 'no-revocation-list' });
      return reply
        .type('application/pkix-crl')
        .header('cache-control', `max-age=${REVOCATION_LIST_MAX_AGE_SECONDS}`)
        .send(list);
    });
    const dashboard = readFileSync(new URL('./dashboard/index.html', import.meta.url));
    this.#server.get('/', async (_request, reply) =>
      reply
        .type('text/html; charset=utf-8')
        .header(
          'content-security-policy',
          "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:",
        )
        .send(dashboard),
    );
  }

  /** Binds and resolves to the URL. Rejects with what the system says (EADDRINUSE, EACCES). */
  async open(): Promise<string> {
    return this.#server.listen({ host: this.#options.address, port: this.#options.port });
  }

  async close(): Promise<void> {
    await this.#server.close();
  }
}

function hostName(authority: string): string {
  return authority.replace(/:\d+$/, '').toLowerCase();
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
