import { LOG_LEVELS, type LogLevel } from '../../observe/log-level.ts';
import { type Operation, ok } from '../operation.ts';
import { component, count, record, text, time, words } from '../schema.ts';

const levelRecord = record({ level: words(...LOG_LEVELS) });

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
  {
    id: 'upgrade',
    method: 'POST',
    path: '/upgrade',
    access: 'change',
    summary: 'Replaces every worker, one after the other, by the code that is on disk; answers when all are replaced',
    tag: 'gateway',
    body: record({}),
    answers: { 200: { description: 'They are', schema: record({ replaced: count }) } },
    refusals: { 409: '`one-process`: there are no workers; `worker-not-ready`: a new one can not be started' },
    run: async ({ desk }) => {
      const report = await desk.upgrade();
      if (report.ok) return ok({ replaced: report.replaced });
      return { status: 409, error: report.reason, message: report.message };
    },
  },
  {
    id: 'logLevel',
    method: 'GET',
    path: '/log-level',
    access: 'reading',
    summary: 'How much it logs; the access log is another matter',
    tag: 'gateway',
    answers: { 200: { description: 'The level', schema: levelRecord } },
    run: async ({ desk }) => ok({ level: await desk.logLevel() }),
  },
  {
    id: 'setLogLevel',
    method: 'PUT',
    path: '/log-level',
    access: 'change',
    summary: 'Has it log more or less, until it ends',
    tag: 'gateway',
    body: levelRecord,
    answers: { 200: { description: 'The level then', schema: levelRecord } },
    run: async ({ desk, body, by }) => {
      await desk.setLogLevel(body['level'] as LogLevel, by);
      return ok({ level: await desk.logLevel() });
    },
  },
];
