import type { Operation } from '../operation.ts';
import { ok } from '../operation.ts';
import { component, record, words } from '../schema.ts';

/** Liveness, readiness, metrics. */
export const healthOperations: readonly Operation[] = [
  {
    id: 'liveness',
    method: 'GET',
    path: '/healthz',
    access: 'open',
    summary: 'Does the process live?',
    tag: 'health',
    answers: { 200: { description: 'It does', schema: record({ status: words('alive') }) } },
    run: async () => ok({ status: 'alive' }),
  },
  {
    id: 'readiness',
    method: 'GET',
    path: '/readyz',
    access: 'open',
    summary: 'Should traffic be sent here?',
    tag: 'health',
    answers: {
      200: { description: 'It takes new work', schema: component('Readiness') },
      503: { description: 'It drains, or is so overloaded that it refuses everything', schema: component('Readiness') },
    },
    run: async ({ desk }) => {
      const { ready, status } = await desk.readiness();
      return { status: ready ? 200 : 503, body: { status } };
    },
  },
  {
    id: 'metrics',
    method: 'GET',
    path: '/metrics',
    access: 'metrics',
    summary: 'All metrics',
    tag: 'health',
    answers: { 200: { description: 'In a format that the Accept field prefers', type: 'text/plain' } },
    run: async ({ desk, accept }) => {
      const { contentType, pieces } = await desk.metrics(accept);
      return { status: 200, type: contentType, headers: { vary: 'Accept, Accept-Encoding' }, body: null, pieces };
    },
  },
];
