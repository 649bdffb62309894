import { type Operation, ok } from '../operation.ts';
import { component, record, text, time, words } from '../schema.ts';

/** The gateway as a whole. */
export const gatewayOperations: readonly Operation[] = [
  {
    id: 'status',
    method: 'GET',
    path: '/status',
    access: 'reading',
    summary: 'How it is: listeners, pools, endpoints, cache, certificates',
    tag: 'gateway',
    answers: { 200: { description: 'Everything at once', schema: component('Status') } },
    run: async ({ desk }) => ok(await desk.status()),
  },
  {
    id: 'version',
    method: 'GET',
    path: '/version',
    access: 'reading',
    summary: 'Which Headgate it is, and since when',
    tag: 'gateway',
    answers: {
      200: {
        description: 'The version',
        schema: record({ version: text, startedAt: time, phase: words('serving', 'draining') }),
      },
    },
    run: async ({ desk }) => {
      const { version, startedAt, phase } = await desk.status();
      return ok({ version, startedAt, phase });
    },
  },
];
