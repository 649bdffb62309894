import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { addRoute } from './routes.ts';

const CONTENT_SECURITY_POLICY =
  "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** The dashboard, read once. */
export function addDashboard(server: FastifyInstance): void {
  const page = readFileSync(new URL('../dashboard/index.html', import.meta.url));
  addRoute(server, '/', {
    GET: async (_request, reply) =>
      reply.type('text/html; charset=utf-8').header('content-security-policy', CONTENT_SECURITY_POLICY).send(page),
  });
}
