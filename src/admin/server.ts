import { readFileSync } from 'node:fs';
import { type FastifyInstance, fastify } from 'fastify';
import type { GatewayStatus } from '../control/status.ts';
import type { Metrics } from '../observe/metrics.ts';

export interface AdminOptions {
  readonly address: string;
  readonly port: number;
  readonly status: () => GatewayStatus;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
}

/** The admin listener: liveness, readiness, metrics, status as JSON, and the dashboard. Read-only. */
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
