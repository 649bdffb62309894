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
      const readiness = readinessOf(status());
      return reply.code(readiness.code).send({ status: readiness.status });
    },
  });
  addRoute(server, '/status', { GET: async () => status() });
  addRoute(server, '/metrics', {
    GET: async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  });
}

/**
 * While only some requests are refused it stays ready: whoever then sent its traffic to the other gateways would overload these. Not
 * ready once it refuses everything.
 */
function readinessOf({ phase, overload }: GatewayStatus): { readonly code: number; readonly status: string } {
  if (phase !== 'serving') return { code: 503, status: 'draining' };
  if (overload?.active !== true) return { code: 200, status: 'ready' };
  return { code: overload.severity < 1 ? 200 : 503, status: 'overloaded' };
}
