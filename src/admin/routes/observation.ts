import type { FastifyInstance } from 'fastify';
import type { GatewayStatus } from '../../control/status.ts';
import type { Metrics } from '../../observe/metrics.ts';
import { addRoute } from './routes.ts';

export interface ObservationSources {
  readonly status: () => GatewayStatus;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
}

/** Liveness, readiness, status as JSON, metrics. */
export function addObservation(server: FastifyInstance, { status, metrics }: ObservationSources): void {
  addRoute(server, '/healthz', { GET: async () => ({ status: 'alive' }) });
  addRoute(server, '/readyz', {
    GET: async (_request, reply) => {
      const ready = status().phase === 'serving';
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'draining' });
    },
  });
  addRoute(server, '/status', { GET: async () => status() });
  addRoute(server, '/metrics', {
    GET: async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  });
}
