import { type Operation, ok } from '../operation.ts';
import { component, listOf } from '../schema.ts';

export const policyOperations: readonly Operation[] = [
  {
    id: 'policies',
    method: 'GET',
    path: '/policies',
    access: 'reading',
    summary: 'Live state of policies: counters of limits, stores, keys that were fetched, files that are watched',
    tag: 'policies',
    answers: {
      200: {
        description: 'By id; with several workers, one for each of them',
        schema: listOf(component('PolicyState')),
      },
    },
    run: async ({ desk }) => ok(await desk.policies()),
  },
];
