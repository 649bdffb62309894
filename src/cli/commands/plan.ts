import { ADMIN_OPTIONS, placeOf } from '../admin-arguments.ts';
import type { Command } from '../command.ts';
import type { PlanOptions } from '../plan.ts';
import { configPathOf } from '../shared-options.ts';

export const plan: Command<PlanOptions> = {
  name: 'plan',
  summary: 'what a reload would change, before it does',
  group: 'gateway',
  options: {
    ...ADMIN_OPTIONS,
    from: {
      value: 'PATH',
      summary: 'compare with this configuration, and ask no gateway',
      completes: 'path',
    },
  },
  positionals: [],
  help: {
    lead:
      'Tell what a reload of a running gateway would change in what its configuration means, before it is applied:\n' +
      'routes, who takes which requests, pools, listeners, and who would be drained.',
    examples: ['headgate plan', 'headgate plan --from /etc/headgate -c /etc/headgate.new'],
    notes: 'Exit codes: 78 when the configuration has mistakes, 69 when no gateway answers.',
  },
  parse: (given, { environment }) => ({
    from: given.text('from') ?? null,
    path: configPathOf(given, environment),
    place: placeOf(given, environment),
    json: given.on('json'),
  }),
  run: async (options, io) => (await import('../plan.ts')).showPlan(options, io),
};
