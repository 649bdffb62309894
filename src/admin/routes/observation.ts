import type { FastifyInstance } from 'fastify';
import type { AdminDesk } from '../desk.ts';
import { addRoute } from './routes.ts';

/** Liveness, readiness, status as JSON, metrics. */
export function addObservation(
  server: FastifyInstance,
  desk: Pick<AdminDesk, 'status' | 'readiness' | 'metrics'>,
): void {
  addRoute(server, '/healthz', { GET: async () => ({ status: 'alive' }) });
  addRoute(server, '/readyz', {
    GET: async (_request, reply) => {
      const { ready, status } = await desk.readiness();
      return reply.code(ready ? 200 : 503).send({ status });
    },
  });
  addRoute(server, '/status', { GET: async () => desk.status() });
  addRoute(server, '/metrics', {
    GET: async (request, reply) => {
      const { contentType, text } = await desk.metrics(request.headers.accept ?? '');
      return reply.type(contentType).send(text);
    },
  });
}
